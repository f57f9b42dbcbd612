"""The reference is whole and true: its examples load, its defaults are the defaults, and no key is
missing or made up.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from sim.limits import WINDOWS
from sim.measure.expectations import metrics
from sim.relay.kinds import KINDS, ReplySpec
from sim.relay.policy import Policy
from sim.scenario import build, schema
from sim.scenario.schema import TABLES
from sim.world import simulate

TEXT = (Path(__file__).parent.parent / "scenarios" / "REFERENCE.md").read_text(encoding="utf-8")
WHOLE, POLICY, FAULTS, EXPECT = (
    tomllib.loads(body) for body in re.findall(r"^```toml\n(.*?)^```$", TEXT, re.S | re.M)
)
NEEDED: dict[str, Any] = {
    "workload": {"kind": "batch", "messages": 1000},
    "sender": {"strategy": "paced"},
}


def built(tables):
    return build(tables, "scenarios/REFERENCE.md", "reference", Path())


def section(heading):
    """The text under a heading, up to the next one."""
    return re.split(r"^#+ ", TEXT.partition(f"# {heading}\n")[2], flags=re.M)[0]


def first_cells(heading):
    """What stands in backticks in the first column of the section's tables."""
    return re.findall(r"^\| `([\w.-]+)`", section(heading), re.M)


def test_what_is_shown_as_default_is_the_default():
    shown = built(WHOLE)
    least = built(NEEDED)
    assert shown.sender.options == {"size": 5, "spacing": "0.505s"}
    assert shown.until == shown.horizon == least.horizon
    sender = shown.sender.model_copy(update={"options": {}})
    assert replace(shown, title=least.title, until=None, sender=sender) == least


def test_no_key_of_a_scenario_is_missing():
    assert set(WHOLE) | {"faults", "expect"} == set(TABLES)
    assert set(WHOLE["network"]) == set(schema.Network.model_fields)
    assert set(WHOLE["network"]["client_time"]) == set(schema.ClientTime.model_fields)
    assert set(WHOLE["sender"]) | {"code", "call"} == set(schema.SenderSpec.model_fields)
    assert set(FAULTS["faults"]) == set(schema.Faults.model_fields)


@pytest.mark.parametrize("tables", [POLICY, FAULTS, EXPECT], ids=lambda tables: next(iter(tables)))
def test_the_examples_load(tables):
    assert built(NEEDED | tables)


def test_the_policys_fields_are_all_there():
    spelt = first_cells("policy")
    fields = {
        name
        for limit in KINDS
        for name in get_args(Policy.model_fields[limit].annotation)[0].model_fields
    }
    assert set(spelt) == {*KINDS, *fields, *WINDOWS}
    assert set(POLICY["policy"]) <= {"use", *Policy.model_fields}
    assert set(Policy.model_fields) - {"name"} <= set(re.findall(r"\w+", section("policy")))
    assert set(ReplySpec.model_fields) <= set(re.findall(r"`(\w+)`", section("policy")))


def test_the_workloads_are_all_there():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", section("workload"), re.M)
    keys = {kind: re.findall(r"`(\w+)`", cell) for kind, cell in rows}
    assert keys == {
        kind: [field.alias or name for name, field in table.model_fields.items() if name != "kind"]
        for kind, table in schema.WORKLOADS.items()
    }


def test_the_results_keys_are_all_there():
    result = simulate(built(NEEDED)).to_dict()
    spelt = set()
    for cell in re.findall(r"^\| (`.*?) \|", section("The result"), re.M):
        group = ""
        for name in re.findall(r"`([\w.]+)`", cell):
            group = group if name.startswith(".") else name.rpartition(".")[0]
            spelt.add(name if not name.startswith(".") else group + name)
    spelt |= {
        f"logins.{name}" for name in ("accepted", "refused", "failed")
    }  # told in the row of those requested
    whole = ("series",)
    there = {
        f"{key}.{inner}"
        for key, value in result.items()
        if isinstance(value, dict) and key not in whole
        for inner in value
    }
    there |= {key for key, value in result.items() if not isinstance(value, dict) or key in whole}
    assert spelt == there
    told = set(re.findall(r"`(\w+)`", section("The result")))
    assert set(result["series"]) <= told


def test_a_metric_is_what_the_reference_says():
    groups = {name.partition(".")[0] for name in metrics(tuple(KINDS))}
    assert groups == {
        "ended",
        "duration_s",
        "messages",
        "throughput",
        "latency_s",
        "connections",
        "logins",
        "incidents",
    }
    assert groups <= set(re.findall(r"`(\w+)`", section("expect"))) | {"incidents"}
