"""Checks one demand: the plan's numbers under fresh luck, every cheaper setting of a grid, and what
is called impossible.

Asks the planner for its answer only; the runs here are simulations of scenario files, as anybody
would make them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from sim.measure import Result
from sim.plan import Plan, Way, plan
from sim.plan.estimates import Estimate
from sim.plan.option_map import Setting, knobs_for
from sim.plan.trials import sender_table
from sim.scenario import build
from sim.world import simulate

from .demands import Case

FRESH = 40
FIRST_FRESH = 1_000_000
"""Replays of each plan, and the first of their seeds: far from those that a plan is made with."""

CHEAPER = 60
"""Cheaper settings that are tried at most."""

TRIP = 40_000
"""Microseconds of a round trip, known: a plan for any round trip may need more workers than one for
this.
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found. ``inside`` are the replays in the predicted range of the throughput, the
    drain and the p99.
    """

    case: Case
    plan: Plan
    met: int = 0
    inside: tuple[int, int, int] = (0, 0, 0)
    tried: int = 0
    cheaper: tuple[str, ...] = ()

    @property
    def wrong(self) -> list[str]:
        """What does not hold, in words."""
        found = []
        if self.plan.feasible != (self.case.limit is None):
            found.append("called " + ("feasible" if self.plan.feasible else "impossible"))
        elif not self.plan.feasible and self.plan.binding != self.case.limit:
            found.append(f"{self.plan.binding} is named in place of {self.case.limit}")
        if self.plan.feasible and self.met < 0.9 * FRESH:
            found.append(f"only {self.met} of {FRESH} replays meet it")
        if self.cheaper:
            found.append(f"cheaper does it too: {self.cheaper[0]}")
        return found


def check(case: Case) -> Checked:
    """The plan for ``case`` and everything that can be said against it."""
    demand = case.demand()
    found = plan(demand, strategy=case.strategy, resources=case.resources, rtt=Way(TRIP, TRIP))
    if not found.feasible:
        return Checked(case, found)
    assert found.scenario is not None
    assert found.predicted is not None
    tables = tomllib.loads(found.scenario)
    results = [ran(tables, FIRST_FRESH + number) for number in range(FRESH)]
    told = found.predicted
    inside = (
        sum(within(told.throughput, result.throughput.mean_per_min) for result in results),
        sum(within(told.drain_s, result.duration_s) for result in results),
        sum(within(told.latency_s, result.latency_s.p99) for result in results),
    )
    tried = 0
    better = list[str]()
    for setting in cheaper(case, found):
        tried += 1
        if does_it(tables, sender_table(knobs_for(case.strategy), setting), found):
            better.append(repr(setting))
    return Checked(
        case, found, sum(demand.met(result) for result in results), inside, tried, tuple(better)
    )


def within(told: Estimate, value: float | None) -> bool:
    """Whether the value of a fresh run lies where it was predicted to."""
    return value is not None and told.low <= value <= told.high


def ran(tables: dict[str, Any], seed: int) -> Result:
    """The run of a scenario's tables with a seed."""
    return simulate(build(tables, "proof", "proof", Path(), seed=seed))


def does_it(tables: dict[str, Any], sender: dict[str, Any], found: Plan) -> bool:
    """Whether a setting meets the demand in every replay; the first that does not ends it."""
    other = deepcopy(tables) | {"sender": sender}
    return all(found.demand.met(ran(other, FIRST_FRESH + number)) for number in range(FRESH))


def cheaper(case: Case, found: Plan) -> Iterator[Setting]:
    """Cheaper settings, the nearest first: fewer usernames, IPs or connections at once, with
    several gaps and sizes each.
    """
    mine = found.setting
    assert mine is not None
    pooled = knobs_for(case.strategy).parallel is not None
    gaps = dict.fromkeys([mine.gap, 505_000, 500_000, 400_000, 0, 700_000, 250_000, 1_000_000])
    keys = product(range(mine.usernames, 0, -1), range(mine.ips, 0, -1))
    made: list[Setting] = []
    for usernames, ips in keys:
        fewer = mine.usernames > usernames or mine.ips > ips
        most = (mine.parallel if pooled else mine.workers) + 3 * fewer
        for many in range(most, 0, -1):
            for gap, size in product(gaps, (mine.size, max(1, mine.size - 1))):
                workers, parallel = (max(usernames, ips), many) if pooled else (many, 1)
                setting = Setting(workers, usernames, ips, size, gap, parallel)
                if workers >= max(usernames, ips) and setting.cost < mine.cost:
                    made.append(setting)
    made = list(dict.fromkeys(made))
    step = max(1, -(-len(made) // CHEAPER))
    return iter(made[::step] if len(made) > CHEAPER else made)


def same_share(checked: list[Checked]) -> tuple[float, float, float]:
    """Of all replays the share inside the predicted ranges of throughput, drain and p99."""
    feasible = [one for one in checked if one.plan.feasible]
    total = FRESH * len(feasible) or 1
    first, second, third = (
        sum(one.inside[place] for one in feasible) / total for place in range(3)
    )
    return first, second, third
