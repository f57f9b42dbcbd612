"""The smallest safe probe: run against a relay of each algorithm, its outcomes are those that it
tells.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.limits import WINDOWS
from sim.measure import Recorder
from sim.plan.probe import smallest_probe
from sim.relay import Relay
from sim.relay.policy_file import load
from sim.smtp.commands import Connected, Credentials, Ehlo
from sim.units import MICRO


def policy(**overlay):
    return load("mailersend", overlay, "test", Path())


def test_it_tells_all_five_apart_and_meets_nothing_but_the_limit_on_logins():
    probe = smallest_probe(policy())
    assert probe is not None
    assert set(probe.outcomes) == set(WINDOWS)
    assert len(set(probe.outcomes.values())) == 5
    assert probe.logins <= 130
    assert len(probe.outcomes["fixed"]) == 3
    assert all(window in probe.words() for window in WINDOWS)


@pytest.mark.parametrize("window", WINDOWS)
def test_a_relay_answers_it_as_told(window):
    probe = smallest_probe(policy())
    assert probe is not None
    recorder = Recorder()
    relay = Relay(policy(window=window), recorder, lambda *_: True, tls="none")
    passed = []
    for place, (at, many) in enumerate(probe.steps):
        apart = probe.spread_s / many if place == 1 else 0.01
        start = at - (many - 1) * apart if place == 1 else at
        before = len(recorder.logins)
        for index in range(many):
            now = round((120 + start + index * apart) * MICRO)
            session = relay.connect("198.18.0.1", now)
            session.handle(Connected(), now)
            session.handle(Ehlo("probe.example.com"), now)
            session.handle(Credentials("user1", "right"), now)
        passed.append(sum(row.outcome == "accepted" for row in recorder.logins[before:]))
    assert tuple(passed[2:]) == probe.outcomes[window]
    assert {row.limit for row in recorder.incidents} <= {"logins_per_username"}
    assert recorder.blocks == []


@pytest.mark.parametrize("count", [2, 20, 1000])
def test_other_counts_have_one_too(count):
    probe = smallest_probe(policy(logins_per_username={"count": count}))
    assert probe is None or len(set(probe.outcomes.values())) == 5
    assert probe is not None or count < 20


def test_without_a_limit_on_logins_there_is_nothing_to_tell():
    assert smallest_probe(policy(logins_per_username=False)) is None
