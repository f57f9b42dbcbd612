"""A setting in the page's address: it comes back whole, and what cannot be read is said."""

from __future__ import annotations

import json
import shlex
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.cli import main
from sim.errors import ScenarioError
from sim.ui import controls, setting

SHIPPED = sorted(Path("scenarios").rglob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=str)
def test_every_shipped_scenario_fits_into_an_address(path):
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    assert setting.from_address(setting.to_address(tables)) == (tables, [])


@given(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        st.integers(),
        st.booleans(),
        st.floats(allow_nan=False),
        st.lists(st.integers(), max_size=4),
    )
)
def test_any_value_comes_back_from_an_address(value):
    tables = {"sender": {"options": {"x": value}}}
    assert setting.from_address(setting.to_address(tables)) == (tables, [])


def test_a_link_shows_the_value_that_its_run_uses():
    """The name of the option contains dots; a control once showed the default instead."""
    said = {"sender.strategy": "jakarta-mail", "sender.options.mail.smtp.quitwait": "false"}
    tables, wrong = setting.from_address(said)
    (control,) = (
        one for one in controls.options_of("jakarta-mail") if one.label == "mail.smtp.quitwait"
    )
    assert wrong == []
    assert control.default is True
    assert setting.shown(tables, control) is False
    assert setting.changed(tables, control, True) == {"sender": {"strategy": "jakarta-mail"}}


def test_the_command_line_repeats_the_setting():
    tables = {
        "sender": {"strategy": "batches", "options": {"pause": "1s"}},
        "workload": {"kind": "batch", "messages": 9},
    }
    assert setting.command_of(tables) == (
        "relaysim try batches sender.options.pause=1s workload.kind=batch workload.messages=9"
    )


@pytest.mark.parametrize(
    "whole", [{"until": "90s"}, {"seed": 3}, {"seed": 3, "until": 90}], ids=str
)
def test_the_command_line_repeats_what_is_in_no_table(whole, capsys):
    tables = {
        **whole,
        "sender": {"strategy": "paced"},
        "workload": {"kind": "batch", "messages": 9},
    }
    with pytest.raises(SystemExit) as ended:
        main([*shlex.split(setting.command_of(tables))[1:], "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["seed"] == whole.get("seed", 1)


def test_what_cannot_be_read_is_said():
    assert setting.from_address({"sender..x": "1"})[1] == [
        '--set: "sender..x=1" is not KEY=VALUE; write it like workload.messages=500'
    ]
    assert "too long" in setting.from_address({"title": "x" * 9_000})[1][0]


def test_a_setting_without_a_sender_is_a_mistake_in_words():
    with pytest.raises(ScenarioError, match=r"this setting: \[sender\]: is a required table"):
        setting.scenario_of({"workload": {"kind": "batch", "messages": 1}})
