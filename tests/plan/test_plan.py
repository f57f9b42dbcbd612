"""Plans: what is answered to easy, tight and impossible demands, and that the answer is true when
it is run.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from sim import units
from sim.errors import ScenarioError
from sim.plan import (
    Standard,
    Way,
    at_rate,
    beside_campaign,
    by_deadline,
    of_day,
    of_trace,
    plan,
)
from sim.plan.option_map import Setting, knobs_for
from sim.plan.plan import binding
from sim.scenario import build, load_scenario
from sim.world import simulate
from tests.plan.plans import MINUTE, SECOND, at, within

WINDOWS = ["fixed", "aligned", "sliding", "sliding-counter", "gcra"]
KEYS = [
    "feasible",
    "why",
    "ceiling_per_min",
    "binding",
    "ceilings",
    "settings",
    "predicted",
    "headroom",
    "p_deadline",
    "readings",
    "snippet",
    "scenario",
]


def test_590_a_minute_does_without_an_incident_under_every_window():
    found = at("590/min")
    assert found.feasible
    assert found.settings == {
        "strategy": "paced",
        "workers": 3,
        "usernames": 1,
        "ips": 1,
        "options": {"size": 5, "spacing": "505ms"},
    }
    assert {name: found.readings[name] for name in WINDOWS} == dict.fromkeys(WINDOWS, True)
    assert found.predicted is not None
    assert found.predicted.incidents.high == 0
    assert found.predicted.throughput.low >= 590
    assert found.binding == "logins_per_username"
    assert found.ceiling_per_min == 600


@pytest.mark.parametrize(
    ("messages", "time"), [(3000, "6m"), (3000, "20m"), (500, "1h"), (1, "1m")]
)
def test_a_deadline_is_met_by_the_fewest_workers_and_one_fewer_does_not(messages, time):
    found = within(messages, time)
    assert found.feasible
    assert found.setting is not None
    assert found.p_deadline is not None
    assert found.p_deadline.mean == 1
    if found.setting.workers > 1:
        assert [(one.change, one.meets) for one in found.frontier] == [("one worker fewer", False)]
        assert found.frontier[0].later_s.mean_low > 0


def test_a_rate_with_a_latency_objective():
    found = at("200/min", "4s", lasts="10m")
    assert found.feasible
    assert found.predicted is not None
    assert found.predicted.latency_s.high <= 4
    assert found.headroom["p99"] > 0
    tight = at("585/min", "2s", lasts="10m")
    assert (tight.feasible, tight.binding) == (False, "logins_per_username")
    assert at("585/min", "2s", usernames=int(tight.changes["usernames"]), lasts="10m").feasible


@pytest.mark.parametrize("name", ["590", "deadline", "p99", "batches"])
def test_the_scenario_of_the_proof_gives_the_predicted_numbers(name, tmp_path):
    found = {
        "590": lambda: at("590/min"),
        "deadline": lambda: within(3000, "6m"),
        "p99": lambda: at("200/min", "4s", lasts="10m"),
        "batches": lambda: within(1000, "6m", "batches"),
    }[name]()
    assert found.scenario is not None
    assert found.predicted is not None
    path = tmp_path / "proof.toml"
    path.write_text(found.scenario, encoding="utf-8")
    result = simulate(load_scenario(path))
    assert result.passed
    assert len(result.expectations) >= 4
    told = found.predicted
    assert told.throughput.low <= (result.throughput.mean_per_min or 0) <= told.throughput.high
    assert told.drain_s.low <= result.duration_s <= told.drain_s.high
    assert told.latency_s.low <= (result.latency_s.p99 or 0) <= told.latency_s.high


def test_the_options_of_batches_are_searched_too():
    found = within(1000, "6m", "batches")
    assert found.settings is not None
    assert set(found.settings["options"]) == {"size", "pause"}
    assert all(found.readings.values())


def test_workers_that_pause_each_for_itself_are_spaced_together():
    found = within(2000, "5m", "batches")
    assert found.feasible
    assert all(found.readings[name] for name in WINDOWS)
    assert found.headroom["logins_per_username"] >= 0


def test_the_json_is_the_contracts():
    for found in (at("590/min"), at("600/min")):
        told = found.to_dict()
        assert list(told)[: len(KEYS)] == KEYS
        assert json.loads(json.dumps(told, allow_nan=False)) == told
        assert {key for one in told["ceilings"] for key in one} == {
            "limit",
            "per_min",
            "term",
            "reachable",
        }
        assert list(told["readings"])[:5] == WINDOWS
        assert all(isinstance(holds, bool) for holds in told["readings"].values())
        assert len(told["readings"]) > 12
    feasible = at("590/min").to_dict()
    assert list(feasible["predicted"]) == ["throughput", "latency_s", "drain_s", "incidents"]
    assert all({"mean", "low", "high"} <= set(one) for one in feasible["predicted"].values())
    assert list(feasible["p_deadline"]) == ["mean", "low", "high"]


def test_a_plan_is_the_same_each_time_and_with_more_jobs():
    demand = by_deadline(300, 5 * MINUTE)
    told = [
        plan(demand, standard=Standard(replications=3), jobs=jobs).to_dict() for jobs in (1, 1, 2)
    ]
    assert told[0] == told[1] == told[2]


def test_a_policy_laid_on_the_plan_is_planned_for():
    found = plan(
        at_rate(units.rate("900/min"), lasts=3 * MINUTE),
        settings=["policy.logins_per_username=240"],
        standard=Standard(replications=2),
    )
    assert found.feasible
    assert found.ceiling_per_min == 1200
    assert found.scenario is not None
    assert tomllib.loads(found.scenario)["policy"]["logins_per_username"] == 240


def test_a_policy_under_which_only_some_readings_hold_says_which():
    found = plan(
        by_deadline(700, 6 * MINUTE),
        settings=["policy.logins_per_username.count_refused=true"],
        standard=Standard(replications=2),
    )
    assert found.feasible
    assert "logins_per_username.count_refused=false" in found.readings


def test_a_relay_without_limits_is_bound_by_the_workers():
    found = plan(
        at_rate(units.rate("2000/min"), lasts=2 * MINUTE),
        tables={"policy": {"use": "unlimited"}},
        standard=Standard(replications=2),
    )
    assert found.feasible
    assert (found.ceiling_per_min, found.binding, found.probe) == (None, "workers", None)


def test_unknown_round_trips_are_told_as_the_range_for_which_the_plan_holds():
    found = within(3000, "6m")
    assert found.rtt_s is not None
    low, high = found.rtt_s
    assert low == 0
    assert 0.04 <= high < 0.08
    known = plan(
        by_deadline(3000, 6 * MINUTE), rtt=Way(20_000, 150_000), standard=Standard(replications=3)
    )
    assert known.rtt_s is not None
    assert known.rtt_s[0] <= 0.02
    assert known.rtt_s[1] >= 0.15
    assert known.setting is not None
    assert found.setting is not None
    assert known.setting.workers > found.setting.workers


def test_a_range_of_round_trips_paces_batches_for_the_shortest():
    demand = by_deadline(1500, 8 * MINUTE)
    found = plan(
        demand, strategy="batches", rtt=Way(1_000, 150_000), standard=Standard(replications=3)
    )
    assert found.feasible
    assert found.rtt_s is not None
    assert found.rtt_s[0] <= 0.001


def test_a_day_a_trace_and_mail_beside_a_campaign(tmp_path):
    day = [0.0] * 24
    day[9] = 600.0
    quick = Standard(replications=3)
    found = plan(of_day(day, 10 * SECOND), standard=quick)
    assert found.feasible
    (tmp_path / "sent.csv").write_text(
        "".join(f"{second}\n" for second in range(0, 600, 2)), encoding="utf-8"
    )
    traced = plan(of_trace(tmp_path / "sent.csv", 5 * SECOND), standard=quick)
    assert traced.feasible
    assert traced.scenario is not None
    assert simulate(build(tomllib.loads(traced.scenario), "x", "x", Path())).passed
    both = plan(
        beside_campaign(2000, 10 * MINUTE, units.rate("30/min"), 20 * SECOND), standard=quick
    )
    assert both.feasible
    assert "evenly, 206.186 messages a minute" in both.why


def test_progress_ends_where_it_said():
    seen: list[tuple[int, int, str]] = []
    plan(
        by_deadline(300, 5 * MINUTE),
        standard=Standard(replications=3),
        on_progress=lambda *one: seen.append(one),
    )
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert all(done <= total for done, total, _ in seen)
    assert {what for _, _, what in seen} >= {"proof", "readings", "round trips"}


@pytest.mark.parametrize(
    ("name", "said"), [("smtplb", 'did you mean "smtplib"'), ("one-connection", "no option for")]
)
def test_a_library_that_cannot_be_planned_for_is_a_mistake(name, said):
    with pytest.raises(ScenarioError, match=said):
        plan(by_deadline(1, MINUTE), strategy=name)


def test_the_binding_limit_is_the_one_behind_a_chosen_spacing():
    found = at("590/min")
    assert found.setting is not None
    from sim.plan.ceilings import Ceilings

    assert binding(Ceilings(found.ceilings), knobs_for("paced")) == "logins_per_username"
    assert replace(found.setting, workers=1) == Setting(1, 1, 1, 5, 505_000)


@pytest.mark.parametrize(("messages", "time"), [(600, "30s"), (500, "20s"), (100, "5s")])
def test_what_fits_into_one_window_needs_no_pace_for_longer(messages, time):
    """120 logins may come as fast as they can, under every window: no limit is met."""
    found = within(messages, time)
    assert found.feasible
    assert "a burst within one window" in found.why
    assert all(found.readings.values())
    assert not within(600 + messages, time).feasible


def test_a_burst_over_two_usernames_leaves_room_for_an_uneven_share():
    found = within(1000, "20s", usernames=2)
    assert found.feasible
    assert found.setting is not None
    assert found.setting.usernames == 2


def test_where_time_allows_a_burst_is_not_taken():
    found = within(300, "10m")
    assert found.setting is not None
    assert found.setting.gap >= 505_000
    assert "burst" not in found.why
