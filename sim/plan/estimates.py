"""What a few runs say of all runs: intervals of means, percentiles and shares, warm-up, and when
enough were made.

Plain numbers in, plain numbers out; knows nothing of scenarios. The methods are the textbooks' (A.
M. Law, "Simulation Modeling and Analysis", 5th ed. 2015, chapters 9 to 11): independent
replications, t intervals, Clopper-Pearson for a share, order statistics for a percentile, MSER-5
for the warm-up, paired differences under common random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number that differs from run to run. [low, high] is where one more run lies with the asked
    confidence.

    [mean_low, mean_high] is where the mean of all runs lies. Without at least two runs nothing is
    known, and both are the mean.
    """

    mean: float
    low: float
    high: float
    mean_low: float
    mean_high: float

    def to_dict(self) -> dict[str, float]:
        """As in the plan's JSON."""
        return {
            name: _tidy(getattr(self, name))
            for name in ("mean", "low", "high", "mean_low", "mean_high")
        }


@dataclass(frozen=True, slots=True)
class Share:
    """The share of runs in which something holds, and the interval that contains it with the asked
    confidence.
    """

    mean: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """As in the plan's JSON."""
        return {name: _tidy(getattr(self, name)) for name in ("mean", "low", "high")}


def _tidy(value: float) -> float:
    return float(f"{value:.9g}")


def estimate(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """The t interval of the mean, and the one of a further value, widened to the range that was
    seen.

    A t interval assumes a normal distribution; the range of n values contains a further one with (n
    - 1) / (n + 1) whatever the distribution, so that the wider of the two never promises more than
    either would.
    """
    mean = math.fsum(values) / len(values)
    n = len(values)
    if n < 2:
        return Estimate(mean, mean, mean, mean, mean)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    t = t_quantile(confidence, n - 1)
    half = t * deviation / math.sqrt(n)
    wide = t * deviation * math.sqrt(1 + 1 / n)
    return Estimate(
        mean, min(mean - wide, *values), max(mean + wide, *values), mean - half, mean + half
    )


def upper_bound(values: Sequence[float], share: float) -> float:
    """What a further value stays below with probability ``share``, from one side; the largest seen
    if that is more.
    """
    mean = math.fsum(values) / len(values)
    n = len(values)
    if n < 2:
        return max(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    t = float(special.stdtrit(n - 1, share))
    return max(*values, mean + t * deviation * math.sqrt(1 + 1 / n))


def t_quantile(confidence: float, freedom: int) -> float:
    """How many deviations a two-sided t interval reaches to each side."""
    return float(special.stdtrit(freedom, (1 + confidence) / 2))


def share(hits: int, runs: int, confidence: float = 0.95) -> Share:
    """The Clopper-Pearson interval: exact, so never shorter than it may be."""
    tail = (1 - confidence) / 2
    low = float(special.betaincinv(hits, runs - hits + 1, tail)) if hits else 0.0
    high = float(special.betaincinv(hits + 1, runs - hits, 1 - tail)) if hits < runs else 1.0
    return Share(hits / runs, low, high)


def runs_for(asked: float, confidence: float = 0.95) -> int:
    """How many runs without a failure put the low end of :func:`share` at ``asked`` or above."""
    return math.ceil(math.log((1 - confidence) / 2) / math.log(asked) - 1e-9)


def percentile_interval(
    values: Sequence[float], part: float, confidence: float = 0.95
) -> tuple[float, float]:
    """The interval of the percentile ``part`` (0 to 1) of independent ``values``, by order
    statistics and the binomial law.

    Needs no distribution. Latencies of one run are not independent; those of the same rank in
    several runs are.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    n = len(values)
    tail = (1 - confidence) / 2
    below = [float(special.bdtr(count, n, part)) for count in range(n + 1)]
    low = max(
        (count for count in range(n + 1) if count == 0 or below[count - 1] <= tail), default=0
    )
    high = min((count for count in range(n + 1) if below[count] >= 1 - tail), default=n)
    return float(ordered[max(0, low - 1)]), float(ordered[min(n - 1, high)])


def paired(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Estimate:
    """``second`` less ``first`` of runs that had the same luck one by one."""
    return estimate([two - one for one, two in zip(first, second, strict=True)], confidence)


def warm_up(values: Sequence[float], size: int = 5) -> int:
    """How many values to leave out at the start (MSER-5; K. P. White, "An effective truncation
    heuristic", 1997).

    The cut that makes the mean of what is left most certain, over batches of ``size``; never more
    than half.
    """
    batches = (
        np.asarray(values[: len(values) // size * size], dtype=float).reshape(-1, size).mean(axis=1)
    )
    n = len(batches)
    if n < 4:
        return 0
    back = batches[::-1]
    count = np.arange(1, n + 1)
    mean = np.cumsum(back) / count
    spread = np.maximum(np.cumsum(back**2) / count - mean**2, 0) / count
    left = spread[::-1][: n // 2 + 1]  # left[k]: what is left after k batches
    return int(np.argmin(left)) * size


def precise(values: Sequence[float], precision: float, confidence: float = 0.95) -> bool:
    """Whether the interval of the mean reaches at most ``precision`` of the mean to each side; the
    sequential stopping rule.
    """
    if len(values) < 2:
        return False
    found = estimate(values, confidence)
    return (found.mean_high - found.mean_low) / 2 <= precision * abs(found.mean) + 1e-12
