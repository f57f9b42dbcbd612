"""Numbers from rows: percentiles, the busiest minute, what was open, what a window held. Knows
nothing of SMTP or results.

Times are int64 arrays of microseconds in ascending order. Everything is integer arithmetic up to
one last division, so that a result is the same bytes on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]

MINUTE = 60_000_000
"""Microseconds in a minute."""

NEVER = 1 << 62
"""A time in microseconds that no run reaches."""

_WIDTHS = [
    1_000_000 * s
    for s in (
        1,
        2,
        5,
        10,
        15,
        30,
        60,
        120,
        300,
        600,
        900,
        1800,
        3600,
        7200,
        14_400,
        21_600,
        43_200,
        86_400,
    )
]
MOST_BINS = 240
"""A series has at most so many bins where a day is wide enough; enough for a figure, small in a
file.
"""


def times(values: Sequence[int]) -> Times:
    """Ascending int64 microseconds."""
    return np.sort(np.array(values, dtype=np.int64))


def percentile(ordered: Times, share: float) -> int:
    """The nearest-rank percentile: the least value that at least ``share`` (0 to 1) of the values
    do not exceed.
    """
    rank = max(1, int(np.ceil(round(share * len(ordered), 9))))
    return int(ordered[rank - 1])


def busiest(ordered: Times, width: int = MINUTE) -> int:
    """The most events in any stretch [t, t + width)."""
    if not len(ordered):
        return 0
    ends = np.searchsorted(ordered, ordered + width, side="left")
    return int((ends - np.arange(len(ordered))).max())


def trailing(ordered: Times, width: int) -> NDArray[np.int64]:
    """For each event, how many lie in (t - width, t], itself included."""
    starts = np.searchsorted(ordered, ordered - width, side="right")
    return np.arange(1, len(ordered) + 1) - starts


def bin_width(span: int) -> int:
    """Microseconds of one bin: the least of the tidy widths that cuts ``span`` into at most
    MOST_BINS bins.
    """
    for width in _WIDTHS:
        if span <= width * MOST_BINS:
            return width
    return -(-span // (MOST_BINS * _WIDTHS[-1])) * _WIDTHS[-1]


def per_bin(ordered: Times, width: int, bins: int) -> list[int]:
    """How many events lie in each bin; one at the very end of the last bin counts in it."""
    places = np.minimum(ordered // width, bins - 1)
    counted: list[int] = np.bincount(places, minlength=bins)[:bins].tolist()
    return counted


def most_per_bin(at: Times, level: NDArray[Any], width: int, bins: int) -> list[int]:
    """The highest level in each bin of a step function that has ``level[i]`` from ``at[i]`` on and
    0 before.
    """
    if not len(at):
        return [0] * bins
    before = np.searchsorted(at, np.arange(bins) * width, side="left") - 1
    result = np.where(before >= 0, level[np.maximum(before, 0)], 0)
    np.maximum.at(result, np.minimum(at // width, bins - 1), level)
    counted: list[int] = result.tolist()
    return counted


def steps(starts: Times, ends: Times) -> tuple[Times, NDArray[np.int64]]:
    """The number of stretches [start, end) that are open, as times and the level from each on; at a
    tie ends come first.
    """
    at = np.concatenate([ends, starts])
    change = np.concatenate(
        [-np.ones(len(ends), dtype=np.int64), np.ones(len(starts), dtype=np.int64)]
    )
    order = np.argsort(at, kind="stable")
    return at[order], np.cumsum(change[order])


def in_window(ordered: Times, width: int) -> tuple[Times, NDArray[np.int64]]:
    """How many events the last ``width`` held, as a step function: up at each event, down ``width``
    later.
    """
    return steps(ordered, ordered + width)
