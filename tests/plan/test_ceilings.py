"""The closed form against the simulation where nothing is random: within 1% on every setting, and
why a short run exceeds it.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from sim.measure import Result
from sim.plan.ceilings import ceilings, drain, most_passed
from sim.plan.connection_time import cycle_of
from sim.plan.option_map import Setting, knobs_for
from sim.scenario import Scenario, build
from sim.units import MICRO
from sim.world import simulate

TLS = ("none", "starttls", "implicit")


def scenario(strategy: str, setting: Setting, messages: int, **tables: Any) -> Scenario:
    """A batch of ``messages`` for ``setting`` over a network without jitter."""
    sender = {
        "strategy": strategy,
        "workers": setting.workers,
        "usernames": setting.usernames,
        "ips": setting.ips,
        "options": knobs_for(strategy).options(setting),
    }
    network = {"jitter": 0, **tables.pop("network", {})}
    whole = {
        "workload": {"kind": "batch", "messages": messages},
        "sender": sender,
        "network": network,
        **tables,
    }
    return build(whole, "test.toml", "test", Path())


def paced_grid():
    """Settings of ``paced`` that no limit refuses: the pace binds in some, the workers in the
    others.
    """
    for workers, size, gap, rtt, tls, keys in product(
        (1, 2, 3, 7), (1, 3, 5), (0.505, 0.8, 2.5), (5, 40, 150), TLS, (1, 2)
    ):
        if keys <= workers:
            yield "paced", Setting(workers, keys, keys, size, round(gap * MICRO)), rtt, tls


def batches_grid():
    """Settings of ``batches`` that no limit refuses."""
    for workers, size, gap, rtt, tls in product((1, 3), (2, 5), (1.6, 4), (5, 40, 150), TLS):
        yield "batches", Setting(workers, 1, 1, size, round(gap * MICRO)), rtt, tls


GRID = [*paced_grid(), *batches_grid()]


def test_the_grid_is_large_enough():
    assert len(GRID) >= 300


@pytest.mark.parametrize("part", range(8))
def test_the_closed_form_is_the_simulation_within_a_hundredth(part):
    """Throughput and time to drain, over at least 40 rounds of every worker so that the two ends do
    not count.
    """
    worst = {"drain": 0.0, "ceiling": 0.0}
    for strategy, setting, rtt, tls in GRID[part::8]:
        messages = setting.size * setting.workers * 150 + 1
        made = scenario(strategy, setting, messages, network={"rtt": f"{rtt}ms", "tls": tls})
        result = simulate(made)
        knobs = knobs_for(strategy)
        cycle = cycle_of(made.network)
        assert (result.incidents.total, result.messages.lost) == (0, 0), setting
        told = drain(made.policy, cycle, knobs, setting, messages)
        worst["drain"] = max(worst["drain"], abs(told / MICRO / result.duration_s - 1))
        limit = float(ceilings(made.policy, cycle, knobs, setting).per_min)
        if (
            setting.workers % setting.usernames == 0
        ):  # else the workers of one username are slower than the other's
            assert result.throughput.mean_per_min is not None
            worst["ceiling"] = max(
                worst["ceiling"], abs(result.throughput.mean_per_min / limit - 1)
            )
    assert worst["drain"] < 0.01
    assert worst["ceiling"] < 0.01


def endless(window: str, minutes: float, **policy: Any) -> Result:
    """Twelve workers that open a connection every 1.2 s each: 600 logins a minute asked, 120 let
    through.
    """
    setting = Setting(12, 1, 1, 1, 960_000)
    network = {"rtt": "20ms", "relay_time": 0, "tls": "none"}
    until = {"until": f"{minutes * 60:g}s"}
    return simulate(
        scenario(
            "batches",
            setting,
            90_000,
            network=network,
            policy={"window": window, **policy},
            **until,
        )
    )


@pytest.mark.parametrize("window", ["fixed", "sliding", "gcra"])
@pytest.mark.parametrize("minutes", [0.5, 1.5, 3.5, 10.5])
def test_a_short_run_exceeds_its_ceiling_by_the_first_windows_burst(window, minutes):
    """Asked all the time, a limit lets its whole count through at once and then once a window: T /
    per + 1 counts, not T / per.
    """
    result = endless(window, minutes)
    told = most_passed(
        window, 120, 60 * MICRO, round(minutes * 60 * MICRO) - 60_000
    )  # the first login arrives after 70 ms
    assert result.logins.accepted == pytest.approx(told, rel=0.01)
    assert result.logins.accepted > 120 * minutes * 1.04  # more than the ceiling allows for long
    assert result.incidents.by_limit["logins_per_username"] > 0


def test_the_burst_is_gone_from_a_long_run():
    result = endless("fixed", 120)
    assert result.logins.accepted == pytest.approx(120 * 120, rel=0.01)


def test_the_ceilings_are_tagged_and_the_binding_one_named():
    made = scenario("paced", Setting(4, 1, 1, 5, 505_000), 10)
    found = ceilings(
        made.policy, cycle_of(made.network), knobs_for("paced"), Setting(4, 1, 1, 5, 505_000)
    )
    per_min = {one.limit: one.per_min for one in found.all}
    assert list(per_min) == [*made.policy.limits, "workers", "spacing"]
    assert [per_min[name] for name in ("logins_per_username", "connections_per_ip")] == [600, 1500]
    assert found.binding.limit == "spacing"
    assert float(found.per_min) == pytest.approx(594.06, abs=0.01)
    assert found.slack["connections_per_ip"] == pytest.approx(1 - 594.06 / 1500, abs=1e-4)
    never = {"connections_per_ip", "failed_logins_per_ip", "failed_logins_per_username_ip"}
    assert set(found.unreachable) == never, "120 logins of one username are no 300 connections"
    assert "1 username x 120 logins in 1m x 5 messages" in [one.term for one in found.all]


@pytest.mark.parametrize(
    ("workers", "usernames", "gap", "limit", "reached"),
    [
        (
            2,
            1,
            0.001,
            "logins_per_username",
            False,
        ),  # two workers make 96 connections of 5 a minute
        (3, 1, 0.001, "logins_per_username", True),
        (30, 2, 0.51, "connections_per_ip", False),  # 240 logins are let in
        (30, 3, 0.51, "connections_per_ip", True),
        (6, 3, 0.51, "connections_per_ip", False),  # six workers make 289
    ],
)
def test_a_limit_is_reachable_where_the_workers_can_meet_it_before_any_other(
    workers, usernames, gap, limit, reached
):
    setting = Setting(workers, usernames, 1, 5, round(gap * MICRO))
    made = scenario("paced", setting, 4000)
    found = ceilings(made.policy, cycle_of(made.network), knobs_for("paced"), setting)
    assert {one.limit: one.reachable for one in found.all}[limit] == reached
    assert bool(simulate(made).incidents.by_limit[limit]) == reached
