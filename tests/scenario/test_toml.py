"""Tables as TOML: what was written is read back as it was."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.scenario.toml import to_toml, toml_value, value_text

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
plain = st.one_of(st.booleans(), st.integers(-(2**62), 2**62), st.floats(allow_nan=False), texts)
values = st.recursive(
    plain,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=12,
)


@given(st.dictionaries(texts, values, max_size=6))
def test_reading_what_was_written_gives_it_back(tables):
    assert tomllib.loads(to_toml(tables)) == tables


@pytest.mark.parametrize("path", sorted(Path("scenarios").rglob("*.toml")), ids=str)
def test_every_shipped_scenario_can_be_written(path):
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    assert tomllib.loads(to_toml(tables)) == tables


def test_a_scenario_has_the_order_of_a_scenario_file():
    tables = {
        "sender": {"strategy": "batches", "options": {"size": 5}},
        "title": "A",
        "workload": {"kind": "batch", "messages": 5},
    }
    assert to_toml(tables) == (
        'title = "A"\n\n[workload]\nkind = "batch"\nmessages = 5\n\n[sender]\n'
        'strategy = "batches"\n\n[sender.options]\nsize = 5\n'
    )


def test_a_key_without_a_value_is_left_out():
    assert tomllib.loads(to_toml({"a": None, "b": {"c": None, "d": 1}})) == {"b": {"d": 1}}


def test_what_toml_cannot_hold_is_an_error():
    with pytest.raises(ValueError, match=r"TOML cannot hold this: .*NoneType"):
        value_text(None)


@given(values)
def test_a_single_value_is_one_line_and_read_back_as_it_was(value):
    text = value_text(value)
    assert "\n" not in text
    assert toml_value(text) == value
