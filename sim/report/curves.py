"""What stands in each figure of a run, as numbers and words: the one source of `figures`
(matplotlib) and `charts` (the page).

Knows a Result and, for the counts, its policy. Knows nothing of how anything is drawn. Rates are in
messages a minute, times in the unit of the figure's bins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..measure import statistics as st
from ..measure.formatting import lasting
from ..measure.result import Result
from ..relay.kinds import KINDS, WindowSpec
from ..relay.policy import Policy
from ..units import MICRO

PALETTE = (
    ("v", "#D55E00"),
    ("s", "#0072B2"),
    ("^", "#E69F00"),
    ("D", "#CC79A7"),
    ("X", "#009E73"),
    ("P", "#56B4E9"),
    ("<", "#7F6000"),
    (">", "#555555"),
)
"""The marker and the colour of each limit, in the order of ``KINDS``. The first are Okabe and Ito's
colours, which remain distinct with any common kind of colour blindness.
"""
FAR_BELOW = 20
"""A run that stays below a twentieth of its ceiling would be a flat line under it: then the ceiling
is told, not shown.
"""
_UNITS = ((3 * 86_400, 86_400, "d"), (2 * 3_600, 3_600, "h"), (120, 60, "min"), (0, 1, "s"))

Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins of a result on its time axis: ``edges`` in ``unit``, one more than there are bins;
    ``width`` in seconds.
    """

    edges: Numbers
    width: float
    unit: str
    scale: float

    @property
    def middles(self) -> Numbers:
        """The middle of each bin, in ``unit``."""
        return np.asarray((self.edges[:-1] + self.edges[1:]) / 2)

    @property
    def each(self) -> str:
        """The width in words."""
        return lasting(round(self.width * MICRO))


def look_of(limit: str) -> tuple[str, str]:
    """The marker and the colour of a limit."""
    return PALETTE[list(KINDS).index(limit) % len(PALETTE)]


def bins_of(result: Result) -> Bins:
    """Seconds for a short run, days for a long one."""
    starts = result.series.t_s
    width = (
        starts[1] - starts[0]
        if len(starts) > 1
        else st.bin_width(max(1, round(result.duration_s * MICRO))) / MICRO
    )
    _, scale, unit = next(row for row in _UNITS if result.duration_s >= row[0])
    return Bins(np.array([*starts, starts[-1] + width]) / scale, width, unit, scale)


@dataclass(frozen=True, slots=True)
class Marks:
    """When one limit refused: the middles of the bins and how many in each."""

    limit: str
    at: Numbers
    counts: Numbers
    total: int


@dataclass(frozen=True, slots=True)
class Throughput:
    """``rates`` in each bin; ``trailing`` over the last 60 s at each bin's end, None where a bin is
    as long as that.

    ``ceiling`` is None where the policy has none, and ``shown`` False where it is far above all
    that was reached. ``blocks`` are the stretches in which somebody is shut out.
    """

    bins: Bins
    rates: Numbers
    trailing: Numbers | None
    ceiling: float | None
    shown: bool
    blocks: tuple[tuple[float, float], ...]
    marks: tuple[Marks, ...]

    @property
    def top(self) -> float:
        """The highest value that is drawn."""
        highest = [
            float(self.rates.max()),
            *([float(self.trailing.max())] if self.trailing is not None else []),
        ]
        return max(*highest, self.ceiling if self.ceiling is not None and self.shown else 0.0)

    @property
    def ceiling_said(self) -> str:
        """The ceiling in words."""
        assert self.ceiling is not None, "asked only where there is one"
        return f"ceiling of this policy, {self.ceiling:,.0f}/min" + (
            "" if self.shown else " (far above this figure)"
        )


def throughput(result: Result) -> Throughput:
    """Accepted a minute in each bin against the ceiling, when which limit refused, and while a
    block runs.
    """
    bins = bins_of(result)
    rates = np.array(result.series.accepted) * 60 / bins.width
    trailing = _trailing_minute(result, bins)
    highest = max(float(rates.max()), *([float(trailing.max())] if trailing is not None else [0.0]))
    ceiling = result.throughput.ceiling_per_min
    low = ceiling is not None and highest * FAR_BELOW < ceiling and highest > 0
    end = result.duration_s
    blocks = (
        (one.from_s / bins.scale, min(one.until_s, end) / bins.scale)
        for one in result.blocks
        if one.from_s < end
    )
    return Throughput(
        bins, rates, trailing, ceiling, not low, tuple(blocks), tuple(marks(result, bins))
    )


def marks(result: Result, bins: Bins) -> list[Marks]:
    """The refusals of each limit that refused something, the one first met first."""
    found = []
    for name, each in result.series.incidents.items():
        counts = np.array(each, dtype=float)
        if counts.any():
            found.append(
                Marks(name, bins.middles[counts > 0], counts[counts > 0], int(counts.sum()))
            )
    return sorted(found, key=lambda one: float(one.at[0]))


def _trailing_minute(result: Result, bins: Bins) -> Numbers | None:
    """The mean of the last 60 s, where bins are short and a run is not."""
    if bins.width >= 60 or result.duration_s <= 60:
        return None
    total = np.concatenate([[0], np.cumsum(result.series.accepted)])
    back = np.maximum(np.arange(1, len(total)) - round(60 / bins.width), 0)
    return np.asarray((total[1:] - total[back]).astype(float))


@dataclass(frozen=True, slots=True)
class Use:
    """How much of one limit the busiest key had used in each bin; ``count`` is the limit's own."""

    limit: str
    values: tuple[int, ...]
    count: int
    title: str

    @property
    def most(self) -> int:
        """The most that was used."""
        return max(self.values)

    @property
    def share(self) -> str:
        """Limit and use in words."""
        return f"limit {self.count:,}, most used {self.most:,} ({self.most / self.count:.0%})"


def uses(result: Result, policy: Policy) -> list[Use]:
    """Each limit that saw any use."""
    found = []
    for kind, spec in policy.by_kind():
        values = result.series.in_window.get(kind.name, [])
        if any(values):
            title = kind.use
            if isinstance(spec, WindowSpec) and not kind.consecutive:
                title += f" in {lasting(spec.per)}"
            found.append(Use(kind.name, tuple(values), spec.count, title))
    return found
