"""When messages arrive in the outbox: each kind of workload as ascending integer microseconds.
Main entry point: :func:`arrivals`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from fractions import Fraction

from .. import streams
from ..errors import ScenarioError
from ..scenario import Scenario
from ..scenario.schema import MOST_MESSAGES, Batch, Bursts, Constant, Daily, Poisson

HOUR = 3_600_000_000
"""Microseconds in an hour."""


def arrivals(scenario: Scenario) -> list[int]:
    """The arrivals of the scenario's workload below its horizon, and the first beyond it, which
    keeps the run from being settled before the horizon.

    Random kinds draw from the stream ``workload`` only.
    """
    workload = scenario.workload
    seed = scenario.seed
    if isinstance(workload, Batch):
        moments = [0] * workload.messages
    elif isinstance(workload, Constant):
        moments = _constant(workload, scenario)
    elif isinstance(workload, Poisson):
        _bound(float(workload.rate * workload.for_), scenario)
        moments = _poisson(
            lambda _: float(workload.rate), float(workload.rate), workload.for_, seed
        )
    elif isinstance(workload, Bursts):
        bursts = -(-workload.for_ // workload.every)
        _bound(bursts * workload.size, scenario)
        moments = [index * workload.every for index in range(bursts) for _ in range(workload.size)]
    elif isinstance(workload, Daily):
        moments = _daily(workload, scenario)
    else:
        moments = list(scenario.arrivals)
    return moments[: bisect_left(moments, scenario.horizon) + 1]


def _constant(workload: Constant, scenario: Scenario) -> list[int]:
    gap = 1 / workload.rate
    total = -(-Fraction(workload.for_) // gap)
    _bound(float(total), scenario)
    return [int(index * gap) for index in range(int(total))]


def _daily(workload: Daily, scenario: Scenario) -> list[int]:
    per_micro = [value / HOUR for value in workload.profile]
    _bound(max(workload.profile) * workload.for_ / HOUR, scenario)
    return _poisson(
        lambda at: per_micro[at // HOUR % 24], max(per_micro), workload.for_, scenario.seed
    )


def _poisson(rate: Callable[[int], float], highest: float, end: int, seed: int) -> list[int]:
    """Thinning (Lewis, Shedler 1979): candidates at the highest rate, of which each is kept with
    the probability rate / highest rate at its time.
    """
    gaps = streams.uniforms(seed, "workload", "gaps")
    keeps = streams.uniforms(seed, "workload", "keeps")
    moments: list[int] = []
    at = 0.0
    while True:
        at -= math.log(1.0 - gaps()) / highest
        if at >= end:
            return moments
        if keeps() * highest < rate(int(at)):
            moments.append(int(at))


def _bound(messages: float, scenario: Scenario) -> None:
    if messages > MOST_MESSAGES:
        raise ScenarioError(
            scenario.place,
            "workload",
            f"makes about {messages:.3g} messages; at most {MOST_MESSAGES:,} a run",
        )
