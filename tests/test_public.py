"""The front door, ``import relaysim``: every name is there, cheap to import, and does its job."""

from __future__ import annotations

import json
import smtplib
import subprocess
import sys
from importlib import import_module

import pytest

from sim.errors import Refused, ScenarioError
from sim.scenario import Scenario

relaysim = import_module("relaysim")

TABLES = {
    "workload": {"kind": "batch", "messages": 20},
    "sender": {"strategy": "one-connection"},
}


@pytest.mark.parametrize("name", relaysim.__all__)
def test_every_public_name_loads(name):
    assert getattr(relaysim, name) is not None
    assert name in dir(relaysim)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Refsued'"):
        _ = relaysim.Refsued


def test_errors_are_the_same_classes_as_inside():
    assert relaysim.Refused is Refused


def test_importing_an_error_loads_nothing_heavy():
    code = "import sys; from relaysim import Refused; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    loaded = set(done.stdout.split())
    assert "sim.errors" in loaded
    assert loaded.isdisjoint({"numpy", "pydantic", "simpy", "matplotlib", "asyncio", "sim.relay"})


def test_run_takes_a_dict_a_path_and_a_scenario(tmp_path):
    file = tmp_path / "small.toml"
    file.write_text(
        '[workload]\nkind = "batch"\nmessages = 20\n[sender]\nstrategy = "one-connection"\n'
    )
    from_tables = relaysim.run(TABLES)
    from_path = relaysim.run(str(file))
    from_scenario = relaysim.run(relaysim.load_scenario(file))
    assert from_tables.messages.accepted == 5
    assert from_tables.messages.lost == 15
    assert from_path.messages == from_tables.messages
    assert from_scenario.to_dict() == from_path.to_dict()


def test_overrides_and_seed_reach_the_scenario():
    scenario = relaysim.load_scenario(TABLES, ["workload.messages=3"], seed=7)
    assert isinstance(scenario, Scenario)
    assert scenario.seed == 7
    assert relaysim.run(scenario).messages.accepted == 3
    with pytest.raises(ScenarioError, match="loaded already"):
        relaysim.load_scenario(scenario, ["workload.messages=3"])


def test_run_many_keeps_the_order():
    first, second = relaysim.run_many(
        [TABLES, {**TABLES, "workload": {"kind": "batch", "messages": 2}}]
    )
    assert first.messages.submitted == 20
    assert second.messages.submitted == 2


def test_a_mistake_is_a_scenario_error():
    with pytest.raises(ScenarioError, match="strategy"):
        relaysim.run({**TABLES, "sender": {"strategy": "pacd"}})


def test_a_strategy_that_cannot_be_loaded_is_a_scenario_error(tmp_path):
    (tmp_path / "mine.py").write_text("def other(sender): pass\n")
    tables = {**TABLES, "sender": {"strategy": f"{tmp_path}/mine.py:send"}}
    with pytest.raises(ScenarioError, match="send"):
        relaysim.run(tables)


def test_a_plan_and_its_mistakes():
    found = relaysim.plan(messages=200, within="10m")
    assert found.feasible
    assert json.dumps(found.to_dict())
    for wrong in (
        {},
        {"messages": 5},
        {"messages": 5, "rate": "1/s"},
        {"messages": 5, "within": "1 hr"},
        {"messages": 5, "within": "1h", "p99": "5s"},
        {"rate": "5/min", "within": "1h"},
    ):
        with pytest.raises(ScenarioError, match="plan"):
            relaysim.plan(**wrong)


def test_the_policy_of_a_name():
    assert relaysim.load_policy("mailersend").logins_per_username.count == 120


def test_serve_opens_a_relay_on_loopback():
    with relaysim.serve(policy="mailersend", tls="none") as relay:
        with smtplib.SMTP(relay.host, relay.port, timeout=60) as smtp:
            smtp.login("user1", "secret")
            smtp.sendmail("a@example.com", ["b@example.com"], "Subject: Hi\r\n\r\nHi.\r\n")
        assert relay.result().messages.accepted == 1
