"""A long batch of a library is proven by one whole run and by its first part, and what that says
holds of whole runs too.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from sim import units
from sim.plan import Resources, Standard, at_rate, by_deadline, plan
from sim.plan.option_map import Setting, knobs_for
from sim.plan.readings import reversals
from sim.plan.scaled_proof import by_parts, scaled
from sim.plan.trials import Meter, Trials
from sim.scenario import build
from sim.world import simulate

MINUTE = 60_000_000
FEW = 600
LOW = Standard(share=0.6)
"""Eight replications."""


def trials(messages: int, within: int) -> Trials:
    meter = Meter(lambda done, total, what: None)
    return Trials(
        by_deadline(messages, within),
        knobs_for("nodemailer"),
        {"policy": {"use": "mailersend"}},
        seed=1,
        jobs=1,
        meter=meter,
    )


@pytest.fixture(scope="module")
def long_plan():
    """Of 1,300 messages, where 600 are a part already: the real numbers would take a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sim.plan.scaled_proof.PART", FEW)
        return plan(by_deadline(1_300, 4 * MINUTE), strategy="nodemailer", standard=LOW)


def replay(found, seed, *overrides):
    return simulate(
        build(tomllib.loads(found.scenario), "plan", "plan", Path(), overrides=overrides, seed=seed)
    )


def test_a_long_plan_of_a_library_says_what_it_is_proven_by_and_holds_in_whole(long_plan):
    assert (long_plan.proof["whole"], long_plan.proof["part_messages"]) == (1, FEW)
    assert long_plan.replications == 1 + long_plan.proof["parts"]
    assert f"of the first {FEW:,} at the same pace" in long_plan.why
    for seed in (700_001, 700_002):
        result = replay(long_plan, seed)
        assert result.passed
        assert (
            long_plan.predicted.drain_s.low <= result.duration_s <= long_plan.predicted.drain_s.high
        )
        assert (
            long_plan.predicted.throughput.low
            <= result.throughput.mean_per_min
            <= long_plan.predicted.throughput.high
        )


def test_a_reversal_that_is_not_run_would_have_changed_nothing(long_plan):
    policy = build(tomllib.loads(long_plan.scenario), "plan", "plan", Path()).policy
    idle = [reading for reading in reversals(policy) if reading.idle]
    assert len(idle) > 10
    short = ("workload.messages=700",)
    plain = replay(long_plan, 3, *short)
    for reading in idle:
        assert (
            replace(replay(long_plan, 3, *short, *reading.overrides), policy=plain.policy) == plain
        ), reading.name


def test_a_pace_near_the_limit_is_proven_by_whole_runs_alone():
    made = trials(1_300, units.duration("140s"))
    near = Setting(1, 1, 1, 5, 505_000, 2)
    assert made.demand.met(made.run(near, [0])[0]), "it does it,"
    assert by_parts(made, made.base()[0], near, 3) is None, "but fills 120 of 120"
    late = replace(near, gap=700_000)
    assert by_parts(made, made.base()[0], late, 3) is None, "and what is late has no proof at all"


def test_the_spread_of_a_whole_is_that_of_its_parts_by_the_root():
    found = scaled([1000.0], [99.0, 101.0, 100.0, 100.0], 0.1, 0.95)
    assert (found.mean, found.low < 1000 < found.high) == (1000.0, True)
    assert found.high - found.low == pytest.approx(
        2 * 3.182 * 0.8165e-2 * 1000 * 0.1**0.5 * 2**0.5, rel=1e-3
    )
    assert scaled([0.0], [0.0, 0.0], 0.1, 0.95).high == 0.0


def test_nodemailer_carries_590_a_minute_with_one_username():
    found = plan(
        at_rate(units.rate("590/min"), None, 2 * MINUTE),
        strategy="nodemailer",
        standard=Standard(replications=3),
    )
    assert found.settings
    assert found.predicted
    assert (
        found.settings["options"]["concurrent"] == found.settings["options"]["maxConnections"] == 2
    )
    assert (found.feasible, found.binding, found.predicted.incidents.high) == (
        True,
        "logins_per_username",
        0.0,
    )
    assert all(found.readings.values())


def test_processes_of_nodemailer_share_a_batch_out():
    found = plan(
        by_deadline(700, 50_000_000),
        strategy="nodemailer",
        resources=Resources(usernames=2),
        standard=Standard(replications=3),
    )
    assert found.settings
    assert found.settings["usernames"] == 2
