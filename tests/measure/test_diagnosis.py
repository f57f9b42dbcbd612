"""The diagnosis of runs of the whole simulator, and the formatting of its numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.measure.formatting import lasting, moment, ordinal
from sim.scenario import build
from sim.world import simulate


def run(strategy, messages=400, *, policy=None, workload=None, faults=None, **sender):
    work = workload or {"kind": "batch", "messages": messages}
    data = {
        "sender": {"strategy": strategy, **sender},
        "workload": work,
        "policy": policy or {},
        "faults": faults or {},
    }
    return simulate(build(data, "test.toml", "test", Path()))


def test_one_connection_is_told_to_reconnect():
    result = run("one-connection", 1_000)
    (finding,) = result.diagnosis
    assert finding.limit == "transactions_per_connection"
    assert (
        f"Connection 1 tried a sixth transaction at {result.incidents.first_s:.2f} s."
        in finding.what
    )
    assert "It cost 995 messages" in finding.what
    assert "allows 5 transactions a connection" in finding.why
    assert "Reconnect after every fifth message" in finding.fix


def test_the_numbers_are_the_policys():
    (finding,) = run("one-connection", 50, policy={"transactions_per_connection": 30}).diagnosis
    assert "tried a 31st transaction" in finding.what
    assert "every 30th message" in finding.fix


def test_a_storm_of_logins_and_connections():
    result = run("connection-per-message", 400, workers=20)
    logins, connections = result.diagnosis
    assert "user1 asked for its 121st login within 60 s" in logins.what
    assert f"happened {result.incidents.by_limit['logins_per_username']} times" in logins.what
    assert "at least 0.505 s apart" in logins.fix
    assert "198.18.0.1 opened its 301st connection within 60 s" in connections.what
    assert "at least 0.202 s apart" in connections.fix
    assert f"cost {result.messages.lost} messages" in logins.what


def test_a_stale_password_names_the_block():
    faults = {"wrong_password": {"from": "10m", "until": "40m"}}
    result = run(
        "connection-per-message",
        workload={"kind": "constant", "rate": "2/min", "for": "1h"},
        faults=faults,
    )
    (finding,) = result.diagnosis
    assert "The first of 11 wrong passwords came at 10 min." in finding.what
    assert "user1 at 198.18.0.1 was shut out from 15 min until 1 h 15 min." in finding.what
    assert "10 wrong passwords of a username and IP in a row" in finding.why
    assert "the last block ends at 1 h 15 min" in finding.fix


def test_losses_without_a_limit_are_told_too():
    result = run(
        "connection-per-message", 60, faults={"drop_connection": 0.05}, policy={"use": "unlimited"}
    )
    (finding,) = result.diagnosis
    assert finding.limit is None
    assert finding.what.startswith(f"{result.messages.lost} messages were lost")


def test_nothing_happened_nothing_said():
    assert run("paced", 100).diagnosis == []


@pytest.mark.parametrize(
    ("count", "word"),
    [
        (1, "first"),
        (20, "twentieth"),
        (21, "21st"),
        (111, "111th"),
        (122, "122nd"),
        (1003, "1,003rd"),
    ],
)
def test_ordinals(count, word):
    assert ordinal(count) == word


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0 s"),
        (944_000, "0.94 s"),
        (12_340_000, "12.3 s"),
        (120_000_000, "2 min"),
        (4_500_000_000, "1 h 15 min"),
    ],
)
def test_moments(micros, text):
    assert moment(micros) == text


def test_durations_of_a_policy():
    assert [lasting(micros * 1_000_000) for micros in (60, 600, 3_600, 86_400, 90 * 86_400)] == [
        "60 s",
        "10 min",
        "1 h",
        "24 h",
        "90 d",
    ]
