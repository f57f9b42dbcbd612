"""Two curves around a plan: p99 of latency against load, time to drain against connections at once;
each with its interval.

Made from the scenario of the plan's proof and nothing else. Runs here and not in children: a plan's
strategy is a shipped one. What is drawn with the points is the report's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..measure import statistics as st
from ..runner import run_here
from ..scenario import build
from ..units import MICRO
from .answer import Plan
from .ceilings import Ceilings
from .estimates import Estimate, estimate, warm_up
from .option_map import Knobs, Setting, knobs_for
from .trials import sender_table

SHARES = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
"""Loads, as shares of what the settings carry."""

MINUTES = 20
REPLICATIONS = 6
MOST_MESSAGES = 5_000
"""Of a batch that is drained for the figure; more take as much longer."""

BESIDE = 5
"""So many more connections at once than the plan's are shown."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of one curve: where, and what was found there. ``marked`` is the plan's own place,
    ``bound`` the demand's or None.
    """

    at: tuple[float, ...]
    found: tuple[Estimate, ...]
    marked: float
    bound: float | None


def latency_curve(
    plan: Plan, *, replications: int = REPLICATIONS, on_step: Callable[[], object] | None = None
) -> Curve:
    """Seconds of p99 against messages a minute, independent (Poisson) arrivals, without the warm-up
    (MSER-5) of each run.
    """
    tables, _, _ = _read(plan)
    most = float(Ceilings(plan.ceilings).per_min)
    loads = [round(most * share, 3) for share in SHARES]
    found = []
    for load in loads:
        tables["workload"] = {"kind": "poisson", "rate": f"{load:.3f}/min", "for": f"{MINUTES}m"}
        seeds = range(tables["seed"], tables["seed"] + replications)
        found.append(estimate([_steady_p99(tables, seed, on_step) for seed in seeds]))
    bound = plan.demand.p99
    return Curve(
        tuple(loads),
        tuple(found),
        float(plan.demand.per_min),
        None if bound is None else bound / MICRO,
    )


def drain_curve(
    plan: Plan, *, replications: int = REPLICATIONS, on_step: Callable[[], object] | None = None
) -> Curve:
    """Seconds to drain the demand's messages, all there at once, against connections at once."""
    tables, knobs, setting = _read(plan)
    messages = min(plan.demand.messages, MOST_MESSAGES)
    tables["workload"] = {"kind": "batch", "messages": messages}
    name = "parallel" if knobs.parallel else "workers"
    found = list[Estimate]()
    mine = getattr(setting, name)
    least = 1 if knobs.parallel else max(setting.usernames, setting.ips)
    many = range(least, mine + BESIDE + 1)
    for count in many:
        tables["sender"] = sender_table(knobs, replace(setting, **{name: count}))
        seeds = range(tables["seed"], tables["seed"] + replications)
        found.append(estimate([_drained(tables, seed, on_step) for seed in seeds]))
    whole = messages == plan.demand.messages and plan.demand.within is not None
    bound = (plan.demand.within or 0) / MICRO if whole else None
    return Curve(tuple(map(float, many)), tuple(found), float(mine), bound)


def _read(plan: Plan) -> tuple[dict[str, Any], Knobs, Setting]:
    assert plan.scenario is not None, "only a feasible plan has curves"
    assert plan.setting is not None, "and settings"
    tables = deepcopy(tomllib.loads(plan.scenario))
    del tables["expect"]
    return tables, knobs_for(tables["sender"]["strategy"]), plan.setting


def _steady_p99(tables: dict[str, Any], seed: int, on_step: Callable[[], object] | None) -> float:
    scenario = build(tables, "plan", "plan", Path(), seed=seed)
    world = run_here(scenario).world
    rows = world.recorder
    arrivals = world.outbox.arrivals
    firsts: dict[int, int] = {}
    for at, name in zip(rows.accepted_at, rows.accepted_ids, strict=True):
        index = int(name or 1) - 1
        firsts[index] = min(at, firsts.get(index, at))
    waits = np.array([firsts[index] - arrivals[index] for index in sorted(firsts)], dtype=np.int64)
    if on_step:
        on_step()
    return (
        st.percentile(np.sort(waits[_cut(waits.tolist()) :]), 0.99) / MICRO if len(waits) else 0.0
    )


def _cut(waits: Sequence[int]) -> int:
    return min(warm_up([float(wait) for wait in waits]), len(waits) // 2)


def _drained(tables: dict[str, Any], seed: int, on_step: Callable[[], object] | None) -> float:
    result = run_here(build(tables, "plan", "plan", Path(), seed=seed)).result
    if on_step:
        on_step()
    return result.duration_s
