"""Counters for a relay that runs for days: each uses constant time per event and bounded memory.

``SlidingCount`` counts events in a trailing window, ``SlidingCounts`` does so for each key,
``RunningCounts`` counts events for each key without a window, ``TimeBins`` keeps a series in bins
that widen as the run gets longer, and ``SeenNames`` tells whether a name is new.
Times are integer microseconds and never go backwards.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Sequence

from .statistics import MOST_BINS, NESTED_WIDTHS

TICKS = 6_000
"""The resolution of a sliding window: 10 ms for a window of a minute."""
MOST_KEYS = 256
"""Keys with a sliding window each. While all of them are in use, further keys are not counted."""
FINEST = 5 * MOST_BINS
"""The most bins of ``TimeBins``. No two neighbours in ``NESTED_WIDTHS`` differ by more than a
factor of 5, so these bins are never wider than those of a result for a run of the same length.
"""


class SlidingCount:
    """The number of events in the last ``per`` microseconds, and its peak.

    Events are counted in ticks instead of being kept one by one, so that memory stays bounded at
    any rate. The window is ``per`` rounded up to whole ticks.
    """

    __slots__ = ("_counts", "_ticks", "peak", "tick", "total", "width")

    def __init__(self, per: int) -> None:
        self.tick = max(1, per // TICKS)
        self.width = -(-per // self.tick)
        self._ticks: deque[int] = deque()
        self._counts: deque[int] = deque()
        self.total = 0
        self.peak = 0

    def add(self, at: int) -> int:
        """Counts an event and returns the number of events in the window that ends with it."""
        now = at // self.tick
        ticks = self._ticks
        counts = self._counts
        if ticks and ticks[-1] == now:
            counts[-1] += 1
        else:
            self._drop(now)
            ticks.append(now)
            counts.append(1)
        self.total = total = self.total + 1
        if total > self.peak:
            self.peak = total
        return total

    def level(self, at: int) -> int:
        """The number of events in the window that ends at ``at``, which is not before the latest
        event.
        """
        self._drop(at // self.tick)
        return self.total

    def empty(self) -> None:
        """Sets the count back to 0; the peak stays."""
        self._ticks.clear()
        self._counts.clear()
        self.total = 0

    def _drop(self, now: int) -> None:
        # Each event is added to a tick once and dropped with it once, so adding an event takes
        # constant time on average.
        first = now - self.width
        ticks = self._ticks
        while ticks and ticks[0] <= first:
            ticks.popleft()
            self.total -= self._counts.popleft()


class SlidingCounts:
    """A :class:`SlidingCount` for each key."""

    __slots__ = ("_keys", "_per", "_purged")

    def __init__(self, per: int) -> None:
        self._per = per
        self._keys: dict[object, SlidingCount] = {}
        self._purged = 0

    def add(self, key: object, at: int) -> int:
        """Counts an event of ``key`` and returns the number in its window."""
        found = self._keys.get(key)
        if found is None:
            if len(self._keys) >= MOST_KEYS and not self._purge(at):
                return 1
            found = self._keys[key] = SlidingCount(self._per)
        return found.add(at)

    def highest(self, at: int) -> int:
        """The highest number of events of any key in its window that ends at ``at``."""
        return max((count.level(at) for count in self._keys.values()), default=0)

    def level(self, key: object, at: int) -> int:
        """The number of events of ``key`` in its window that ends at ``at``."""
        found = self._keys.get(key)
        return 0 if found is None else found.level(at)

    def peak(self, key: object) -> int:
        """The peak of ``key`` since it was first counted."""
        found = self._keys.get(key)
        return 0 if found is None else found.peak

    def empty(self, key: object) -> None:
        """Sets the count of ``key`` back to 0."""
        found = self._keys.get(key)
        if found is not None:
            found.empty()

    def _purge(self, at: int) -> bool:
        """Removes keys without events and returns whether there is room for one more.

        It goes through all keys, so it runs at most ten times per window: a crowd of new keys must
        not make every event expensive.
        """
        if at - self._purged < self._per // 10:
            return False
        self._purged = at
        self._keys = {key: count for key, count in self._keys.items() if count.level(at)}
        return len(self._keys) < MOST_KEYS


class RunningCounts:
    """The number of events of each key since it was last emptied, for at most ``most`` keys."""

    __slots__ = ("_counts", "_most")

    def __init__(self, most: int) -> None:
        self._counts: dict[object, int] = {}
        self._most = most

    def add(self, key: object, at: int) -> int:
        """Counts an event of ``key`` and returns how many it has."""
        counts = self._counts
        count = counts.get(key, 0) + 1
        if count > 1 or len(counts) < self._most:
            counts[key] = count
        return count

    def highest(self, at: int) -> int:
        """The highest count of any key."""
        return max(self._counts.values(), default=0)

    def empty(self, key: object) -> None:
        """Forgets ``key``."""
        self._counts.pop(key, None)


class TimeBins:
    """Series of a run whose end is not known yet: bins of one width, which grows with the run.

    In ``counts`` the values of a bin add up, in ``levels`` the highest value counts; all lists have
    ``size`` values. The widths are those of ``NESTED_WIDTHS``, so the bins of a result can always
    be merged from these.
    """

    def __init__(self, counts: Sequence[str], levels: Sequence[str]) -> None:
        self.counts: dict[str, list[int]] = {name: [0] for name in counts}
        self.levels: dict[str, list[int]] = {name: [0] for name in levels}
        self.width = NESTED_WIDTHS[0]
        self.size = 1
        self.end = self.width
        """The end of the last bin, in microseconds."""

    def add_series(self, counts: Sequence[str], levels: Sequence[str]) -> None:
        """Adds the series that are missing, with zeros in the bins so far."""
        for name in counts:
            self.counts.setdefault(name, [0] * self.size)
        for name in levels:
            self.levels.setdefault(name, [0] * self.size)

    def add_bin(self) -> None:
        """Begins the next bin, with zeros in it."""
        if self.size == FINEST and self.width < NESTED_WIDTHS[-1]:
            self._widen()
        for series in (*self.counts.values(), *self.levels.values()):
            series.append(0)
        self.size += 1
        self.end = self.size * self.width

    def merged(self, width: int, bins: int) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
        """The counts and levels in ``bins`` bins of ``width``, which is a multiple of this width.

        The last bin includes events after its end.
        """
        step = width // self.width
        assert step * self.width == width, "the widths of results are multiples"
        counts = {
            name: _fit(_merge(series, step, sum), bins, sum) for name, series in self.counts.items()
        }
        levels = {
            name: _fit(_merge(series, step, max), bins, max) for name, series in self.levels.items()
        }
        return counts, levels

    def _widen(self) -> None:
        wider = NESTED_WIDTHS[NESTED_WIDTHS.index(self.width) + 1]
        step = wider // self.width
        for name, series in self.counts.items():
            self.counts[name] = _merge(series, step, sum)
        for name, series in self.levels.items():
            self.levels[name] = _merge(series, step, max)
        self.width = wider
        self.size = -(-self.size // step)


def _merge(series: list[int], step: int, join: Callable[[list[int]], int]) -> list[int]:
    """Joins each ``step`` values into one."""
    return [join(series[start : start + step]) for start in range(0, len(series), step)]


def _fit(series: list[int], bins: int, join: Callable[[list[int]], int]) -> list[int]:
    """``series`` with exactly ``bins`` values; the rest is joined into the last."""
    if len(series) <= bins:
        return series + [0] * (bins - len(series))
    return [*series[: bins - 1], join(series[bins - 1 :])]


GENERATION = 300_000
"""A repeated name is recognised among at least this many of the latest names, and among at most
twice as many.
"""
SLOTS = 1 << 19
_WHOLE = (1 << 64) - 1


class SeenNames:
    """Tells which names have come before, in 4 MB, or 8 MB from the 300,001st name on.

    A name that comes again usually follows soon, and the oldest may be forgotten. An 8-byte hash of
    each name is kept in an open-addressing table of fixed size. When the table is full, a new one
    replaces it, and the full one is kept until the new one is full too. Two different names share
    a hash with a probability of 1 in 2**64.
    """

    __slots__ = ("_count", "_generation", "_mask", "_new", "_old", "_slots")

    def __init__(self, generation: int = GENERATION, slots: int = SLOTS) -> None:
        assert slots & (slots - 1) == 0, "a power of two"
        assert generation < slots * 3 // 4, "a table that is nearly full is slow"
        self._generation = generation
        self._slots = slots
        self._mask = slots - 1
        self._new = self._table()
        self._count = 0
        self._old: array[int] | None = None

    def add(self, name: str) -> bool:
        """Adds ``name`` and returns whether it is new."""
        value = hash(name) & _WHOLE or 1  # 0 marks an empty slot
        old = self._old
        if old is not None and old[_place(old, value, self._mask)]:
            return False
        place = _place(self._new, value, self._mask)
        if self._new[place]:
            return False
        if self._count == self._generation:
            self._old = self._new
            self._new = self._table()
            self._count = 0
            place = value & self._mask
        self._new[place] = value
        self._count += 1
        return True

    def seen(self, name: str) -> bool:
        """Whether ``name`` has been added; does not add it."""
        value = hash(name) & _WHOLE or 1
        tables = (self._new,) if self._old is None else (self._new, self._old)
        return any(table[_place(table, value, self._mask)] for table in tables)

    def _table(self) -> array[int]:
        return array("Q", bytes(8 * self._slots))


def _place(table: array[int], value: int, mask: int) -> int:
    """The slot of ``value``, or the empty slot where it belongs."""
    place = value & mask
    while (found := table[place]) and found != value:
        place = (place + 1) & mask
    return place
