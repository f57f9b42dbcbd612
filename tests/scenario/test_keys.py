"""Dotted keys: put, get and remove agree, and a link and a file load what was put."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.scenario import build, keys
from sim.scenario.toml import to_toml
from sim.strategies import catalogue
from sim.ui import setting

OPTIONS = [
    (strategy, option)
    for strategy in sorted(catalogue.SHIPPED)
    for option, default in catalogue.shipped(strategy).options.items()
    if default is not None  # TOML has no value for "none"
]
PLAIN = st.text("abc_-1", min_size=1, max_size=4)


def tables(strategy: str) -> dict[str, Any]:
    return {"workload": {"kind": "batch", "messages": 3}, "sender": {"strategy": strategy}}


@pytest.mark.parametrize(("strategy", "option"), OPTIONS)
def test_an_option_survives_put_get_a_file_and_a_link(strategy: str, option: str) -> None:
    default = catalogue.shipped(strategy).options[option]
    key = f"sender.options.{option}"
    changed = keys.put(tables(strategy), key, default)
    assert keys.get(changed, key) == default
    assert changed["sender"]["options"] == {option: default}
    direct = build(changed, "test", "test", Path())
    assert direct.sender.options[option] == default
    assert build(tomllib.loads(to_toml(changed)), "test", "test", Path()) == direct
    linked, wrong = setting.from_address(setting.to_address(changed))
    assert (keys.get(linked, key), wrong) == (default, [])
    assert keys.get(keys.remove(changed, key), key) is keys.MISSING


@given(st.lists(PLAIN, min_size=1, max_size=4), st.integers())
def test_what_is_put_is_found_and_removed(parts: list[str], value: int) -> None:
    key = ".".join(parts)
    before: dict[str, Any] = {"other": 1}
    changed = keys.put(before, key, value)
    assert keys.get(changed, key) == value
    assert before == {"other": 1}
    assert keys.remove(changed, key) == before


def test_the_rest_of_an_options_name_is_one_key() -> None:
    changed = keys.put({}, "sender.options.mail.smtp.quitwait", False)
    assert changed == {"sender": {"options": {"mail.smtp.quitwait": False}}}
    assert keys.get(changed, 'sender.options."mail.smtp.quitwait"') is False


def test_a_bare_number_of_a_limit_becomes_its_count() -> None:
    changed = keys.put(
        {"policy": {"logins_per_username": 240}}, "policy.logins_per_username.per", "30s"
    )
    assert changed == {"policy": {"logins_per_username": {"count": 240, "per": "30s"}}}
