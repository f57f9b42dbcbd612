"""Dotted keys, and that every option of every strategy is the same by each way to set it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.errors import ScenarioError
from sim.scenario import Scenario, build
from sim.scenario.keys import MISSING, get, leaves, parse, put, remove, split
from sim.scenario.overrides import with_override
from sim.scenario.toml import to_toml, value_text
from sim.strategies import catalogue
from sim.ui import setting


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("a", ["a"]),
        ("a.b", ["a", "b"]),
        (" a . b ", ["a", "b"]),
        ('a."b.c"', ["a", "b.c"]),
        ("a..b", ["a", "", "b"]),
        ("", [""]),
        ("a\n", ["a"]),
        ("# a", ["# a"]),
        ("a # b", ["a # b"]),
        ("[a]\n[b]\nc", ["[a]\n[b]\nc"]),
    ],
)
def test_a_key_is_divided_as_toml_reads_it_or_else_at_each_dot(key, parts):
    assert split(key) == parts


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("sender.options.size", ["sender", "options", "size"]),
        ("sender.options.mail.smtp.timeout", ["sender", "options", "mail.smtp.timeout"]),
        ('sender.options."mail.smtp.timeout"', ["sender", "options", "mail.smtp.timeout"]),
        ("expect.latency_s.p99", ["expect", "latency_s.p99"]),
        ('expect."latency_s.p99"', ["expect", "latency_s.p99"]),
        ("sender.options", ["sender", "options"]),
        ("policy.logins_per_username.count", ["policy", "logins_per_username", "count"]),
    ],
)
def test_an_option_and_a_metric_are_one_name_that_may_contain_dots(key, parts):
    assert parse(key) == parts


def test_putting_a_key_leaves_the_rest_as_it_was():
    tables = {"policy": {"window": "gcra"}, "network": {"rtt": "1ms"}}
    assert put(tables, "policy.window", "fixed") == {
        "policy": {"window": "fixed"},
        "network": {"rtt": "1ms"},
    }
    assert tables == {"policy": {"window": "gcra"}, "network": {"rtt": "1ms"}}


def test_a_bare_number_is_the_count_of_a_limit():
    tables = {"policy": {"logins_per_username": 240}}
    assert get(tables, "policy.logins_per_username.count") == 240
    assert get(tables, "policy.logins_per_username.per") is MISSING
    more = put(tables, "policy.logins_per_username.per", "30s")
    assert more == {"policy": {"logins_per_username": {"count": 240, "per": "30s"}}}
    assert tables == {"policy": {"logins_per_username": 240}}
    fewer = remove(tables, "policy.logins_per_username.per")
    assert fewer == {"policy": {"logins_per_username": {"count": 240}}}


@pytest.mark.parametrize("value", [True, False, "x", [1], 2.5])
def test_another_value_in_the_way_is_replaced_by_put_and_kept_by_remove(value):
    tables = {"policy": {"logins_per_username": value}}
    assert get(tables, "policy.logins_per_username.per") is MISSING
    assert get(tables, "policy.logins_per_username.count") is MISSING
    assert remove(tables, "policy.logins_per_username.per") == tables
    assert put(tables, "policy.logins_per_username.per", 1) == {
        "policy": {"logins_per_username": {"per": 1}}
    }


def test_removing_the_last_key_of_a_table_removes_the_table():
    tables = {"policy": {"logins_per_username": {"per": "30s"}}, "seed": 1}
    assert put(tables, "policy.logins_per_username.per", MISSING) == {"seed": 1}
    assert remove(tables, "policy.logins_per_username") == {"seed": 1}
    assert remove(tables, "network.rtt") == tables
    assert remove({}, "a.b.c") == {}


PARTS = st.lists(st.text("abc_-1", min_size=1, max_size=4), min_size=1, max_size=4)


@given(PARTS, st.integers())
def test_a_value_that_was_put_is_found_and_can_be_removed(parts, value):
    key = ".".join(parts)
    before = {"other": 1}
    changed = put(before, key, value)
    assert get(changed, key) == value
    assert before == {"other": 1}
    assert remove(changed, key) == before


def test_a_metric_is_found_with_quotes_and_as_tables_within_tables():
    for expect in ({"latency_s.p99": "<= 5"}, {"latency_s": {"p99": "<= 5"}}):
        assert get({"expect": expect}, "expect.latency_s.p99") == "<= 5"


def test_every_value_has_a_key_that_finds_it():
    tables = {
        "title": "A",
        "sender": {"strategy": "jakarta-mail", "options": {"mail.smtp.quitwait": False}},
        "faults": {"relay_down": [{"at": 1, "for": 2}]},
        "expect": {"incidents.total": "== 0"},
        "network": {},
    }
    found = dict(leaves(tables))
    assert list(found) == [
        "title",
        "sender.strategy",
        "sender.options.mail.smtp.quitwait",
        "faults.relay_down",
        "expect.incidents.total",
    ]
    assert {key: get(tables, key) for key in found} == found


# Every option of every shipped strategy, by each way that a user can set it.

OPTIONS = [
    (name, option, default)
    for name in catalogue.SHIPPED
    for option, default in catalogue.shipped(name).options.items()
]


def values_of(default: object) -> st.SearchStrategy[Any]:
    """Values of the type of an option, of which the strategy may still refuse some."""
    if isinstance(default, bool):
        return st.booleans()
    if isinstance(default, str):
        return st.sampled_from(["", "0s", "1s", "90m", "0.25s", "plain", "1", "a = b", 'say "x"'])
    if isinstance(default, float):
        return st.floats(min_value=0, max_value=1_000)
    return st.integers(0, 2_000)


def made(tables: dict[str, Any]) -> Scenario | str:
    """The scenario, or why the strategy refuses the value."""
    try:
        return build(tables, "here", "here", Path())
    except ScenarioError as error:
        return str(error)


@pytest.mark.parametrize(("name", "option", "default"), OPTIONS, ids=str)
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_option_is_the_same_by_every_way_to_set_it(name, option, default, data):
    base = {
        "workload": {"kind": "batch", "messages": 3},
        "sender": {"strategy": name},
    }
    key = f"sender.options.{option}"
    value = data.draw(values_of(default))
    tables = put(base, key, value)
    assert get(tables, key) == value
    assert tables["sender"] == {"strategy": name, "options": {option: value}}
    assert remove(tables, key) == base
    assert with_override(base, f"{key}={value_text(value)}") == tables
    assert tomllib.loads(to_toml(tables)) == tables
    assert setting.from_address(setting.to_address(tables)) == (tables, [])
    assert made(tomllib.loads(to_toml(tables))) == made(tables)
    assert made(setting.from_address(setting.to_address(tables))[0]) == made(tables)
