"""Series of a run whose end is not known yet: bins of one width, which grows as the run does. Knows
nothing of what is counted.

There are never more than :data:`MOST`, and each width is a multiple of the one before; the widths
are such that whatever width a run of that length has in its result is a multiple of them, so that
the result's bins can be made from these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..units import MICRO

WIDTHS = [MICRO * seconds for seconds in (1, 5, 30, 300, 1_800, 7_200, 86_400)]
MOST = 1_200


class Bins:
    """``counts`` add up, ``levels`` keep their highest; all lists are ``size`` long. Names are
    whatever the caller likes.
    """

    def __init__(self, counts: Sequence[str], levels: Sequence[str]) -> None:
        self.counts: dict[str, list[int]] = {name: [0] for name in counts}
        self.levels: dict[str, list[int]] = {name: [0] for name in levels}
        self.width = WIDTHS[0]
        self.size = 1
        self.end = self.width
        """Where the last bin ends, in microseconds."""

    def add_bin(self) -> None:
        """Begins the next bin, with zeros in it."""
        if self.size == MOST and self.width < WIDTHS[-1]:
            self._widen()
        for series in (*self.counts.values(), *self.levels.values()):
            series.append(0)
        self.size += 1
        self.end = self.size * self.width

    def merged(self, width: int, bins: int) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
        """The same in ``bins`` bins of ``width``, a multiple of this width; what lies beyond the
        last counts in it.
        """
        step = width // self.width
        assert step * self.width == width, "the widths of results are multiples"
        counts = {
            name: _fit([sum(part) for part in _parts(series, step)], bins, sum)
            for name, series in self.counts.items()
        }
        levels = {
            name: _fit([max(part) for part in _parts(series, step)], bins, max)
            for name, series in self.levels.items()
        }
        return counts, levels

    def _widen(self) -> None:
        wider = WIDTHS[WIDTHS.index(self.width) + 1]
        step = wider // self.width
        for name, series in self.counts.items():
            self.counts[name] = [sum(part) for part in _parts(series, step)]
        for name, series in self.levels.items():
            self.levels[name] = [max(part) for part in _parts(series, step)]
        self.width, self.size = wider, -(-self.size // step)


def _parts(series: list[int], step: int) -> list[list[int]]:
    return [series[start : start + step] for start in range(0, len(series), step)]


def _fit(series: list[int], bins: int, joined: Callable[[list[int]], int]) -> list[int]:
    if len(series) <= bins:
        return series + [0] * (bins - len(series))
    return [*series[: bins - 1], joined(series[bins - 1 :])]
