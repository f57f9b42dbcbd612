"""Numbers from columns of times: percentiles, peaks, levels over time, and all of that in bins.

Times are int64 arrays of microseconds in ascending order. A step function (``Levels``) is a pair of
arrays: the times at which it changes and the level from each time on; before the first it is 0.
All arithmetic is on integers up to one last division, so a result has the same bytes on every
machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Levels = tuple[Times, NDArray[np.int64]]

MINUTE = 60_000_000
"""Microseconds in a minute."""

NEVER = 1 << 62
"""A time in microseconds that no run reaches."""

WIDTHS = [
    1_000_000 * width
    for width in (
        *(1, 2, 5, 10, 15, 30),
        *(60, 120, 300, 600, 900, 1_800),
        *(3_600, 7_200, 14_400, 21_600, 43_200, 86_400),
    )
]
"""The widths that the bins of a result can have, up to a day; wider ones are multiples of a day."""
NESTED_WIDTHS = [
    width
    for place, width in enumerate(WIDTHS)
    if all(wider % width == 0 for wider in WIDTHS[place:])
]
"""The widths that divide all wider ones. A series whose bins have one of these widths can be merged
into any wider bins, which is how a run of unknown length is counted.
"""
MOST_BINS = 240
"""The most bins of a series in a result: enough for a figure, small in a file."""


def times(values: Sequence[int]) -> Times:
    """``values`` as ascending int64 microseconds."""
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


# Bins.


def bin_width(span: int) -> int:
    """The width of the bins of a run: the least that cuts ``span`` into at most MOST_BINS bins."""
    for width in WIDTHS:
        if span <= width * MOST_BINS:
            return width
    return -(-span // (MOST_BINS * WIDTHS[-1])) * WIDTHS[-1]


def bin_layout(end: int) -> tuple[int, int]:
    """The width and the number of bins of a run that ends at ``end``."""
    width = bin_width(max(end, 1))
    return width, max(1, -(-end // width))


def per_bin(ordered: Times, width: int, bins: int) -> list[int]:
    """The number of events in each bin. The last bin includes an event at its very end."""
    places = np.minimum(ordered // width, bins - 1)
    counted: list[int] = np.bincount(places, minlength=bins)[:bins].tolist()
    return counted


def most_per_bin(levels: Levels, width: int, bins: int) -> list[int]:
    """The highest level of a step function in each bin."""
    found: list[int] = _most_per_bin(levels, width, bins).tolist()
    return found


def _most_per_bin(levels: Levels, width: int, bins: int) -> NDArray[np.int64]:
    at, level = levels
    if not len(at):
        return np.zeros(bins, dtype=np.int64)
    # A bin starts with the level that was reached before it. side="left", because a change exactly
    # at the start belongs to the bin and may lower the level.
    before = np.searchsorted(at, np.arange(bins) * width, side="left") - 1
    result = np.where(before >= 0, level[np.maximum(before, 0)], 0)
    np.maximum.at(result, np.minimum(at // width, bins - 1), level)
    return result


def highest_per_bin(functions: Iterable[Levels], width: int, bins: int) -> list[int]:
    """The highest level that any of the step functions has in each bin."""
    most = np.zeros(bins, dtype=np.int64)
    end = bins * width
    for at, level in functions:
        inside = at < end
        # What happens at the very end of the last bin belongs to the run, but a step down there
        # does not: it only ends a window that held its events until then.
        at_end = at == end
        if at_end.any() and level[at_end].max() > 0:
            inside |= at_end
        most = np.maximum(most, _most_per_bin((at[inside], level[inside]), width, bins))
    counted: list[int] = most.tolist()
    return counted


def moments_per_bin(at: Times, level: NDArray[np.int64], width: int, bins: int) -> list[int]:
    """The highest level in each bin of levels that each last for one microsecond, from ``at`` on.

    This is what ``most_per_bin`` would return for the step functions, of which there would be one
    for each connection. Here the levels of each bin are consecutive, so one ``reduceat`` over the
    places where the bins start finds the maximum of each.
    """
    edges = np.arange(bins + 1) * width
    edges[-1] = NEVER  # the last bin includes what happens at its very end
    most = _highest_between(level, np.searchsorted(at, edges))
    # A level in the last microsecond of a bin lasts until the start of the next bin and is its
    # level there. Each pair of edges cuts out that microsecond, and what lies between two pairs is
    # skipped by [::2].
    pairs = np.stack([edges[1:-1] - 1, edges[1:-1]]).T.ravel()
    late = _highest_between(level, np.searchsorted(at, pairs))[::2]
    most[1:] = np.maximum(most[1:], late)
    counted: list[int] = most.tolist()
    return counted


def _highest_between(level: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The highest level between each two neighbours of ``starts``, which are ascending places; 0
    between equal ones.
    """
    if len(starts) < 2:
        return np.zeros(0, dtype=np.int64)
    # The 0 at the end makes a start at len(level) a valid index for reduceat.
    found: NDArray[np.int64] = np.maximum.reduceat(np.append(level, 0), starts[:-1])
    # The result of reduceat needs two corrections: its last stretch runs to the end of the
    # array, and for an empty stretch it returns the value that follows.
    found[-1] = level[starts[-2] : starts[-1]].max(initial=0)
    found[starts[:-1] == starts[1:]] = 0
    return found


# Levels.


def steps(starts: Times, ends: Times) -> Levels:
    """The number of stretches [start, end) that are open at each time."""
    at = np.concatenate([ends, starts])
    change = np.concatenate(
        [-np.ones(len(ends), dtype=np.int64), np.ones(len(starts), dtype=np.int64)]
    )
    # The sort is stable, so at equal times the ends come first: [start, end) is half-open.
    order = np.argsort(at, kind="stable")
    return at[order], np.cumsum(change[order])


def in_window(ordered: Times, width: int) -> Levels:
    """The number of events in the last ``width``: each adds 1 for that long."""
    return steps(ordered, ordered + width)


def in_window_since(ordered: Times, width: int, resets: Sequence[int]) -> list[Levels]:
    """The number of events in the last ``width`` and since the last reset, as a step function for
    each stretch between resets.

    An event at the time of a reset comes before it. ``resets`` are in ascending order.
    """
    stretches = np.searchsorted(times(resets), ordered, side="left")
    return [
        _cut(in_window(ordered[stretches == stretch], width), resets[stretch : stretch + 1])
        for stretch in np.unique(stretches).tolist()
    ]


def _cut(levels: Levels, reset: Sequence[int]) -> Levels:
    """``levels``, but 0 from the reset on, if there is one."""
    if not reset:
        return levels
    at, level = levels
    inside = at < reset[0]
    return np.append(at[inside], reset[0]), np.append(level[inside], 0)


def running_counts(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each element, the number of equal elements up to and including it."""
    # A stable sort makes equal keys neighbours and keeps their order, so an element's count is its
    # distance from the first of its group.
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1)) if len(keys) else order
    runs = np.diff(np.append(starts, len(keys)))
    counts = np.empty(len(keys), dtype=np.int64)
    counts[order] = np.arange(1, len(keys) + 1) - np.repeat(starts, runs)
    return counts
