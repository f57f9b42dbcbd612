"""A sliding window approximated by two counters, for the current and the previous window of the
clock.

A request passes when floor(previous x share + current) + 1 <= N, where share is the part of ``per``
that the current window has left. In whole numbers, so the edge is exact. Each key has two counts
and no times.
"""

from __future__ import annotations

from .expiring import NEVER
from .window import Key, State, Window


class SlidingCounter(Window):
    """Close to the sliding window with two numbers per key. The counts of a window are dropped for
    all keys at once.
    """

    def __init__(self, count: int, per: int, *, count_refused: bool = False) -> None:
        super().__init__(count, per, count_refused=count_refused)
        self._end = -NEVER  # of the window that runs
        self._previous: dict[Key, int] = {}
        self._current: dict[Key, int] = {}

    def request(self, key: Key, now: int) -> bool:
        if now >= self._end:
            self._turn(now)
        current = self._current.get(key, 0)
        passes = self._previous.get(key, 0) * (self._end - now) // self.per + current < self.count
        if passes or self.count_refused:
            self._current[key] = current + 1
        return passes

    def used(self, key: Key, now: int) -> int:
        previous, current = self._counts(key, now)
        return min(self.count, previous * (self.per - now % self.per) // self.per + current)

    def next_pass(self, key: Key, now: int) -> int:
        previous, current = self._counts(key, now)
        begin = now - now % self.per
        while (
            offset := self._first_offset(previous, current)
        ) == self.per:  # at most twice: then nothing is left
            begin = begin + self.per
            previous = current
            current = 0
        return max(now, begin + offset)

    def reset(self, key: Key) -> None:
        self._previous.pop(key, None)
        self._current.pop(key, None)

    def state(self, key: Key, now: int) -> State | None:
        previous, current = self._counts(key, now)
        end = now - now % self.per + self.per
        if not previous and not current:
            return None
        return (end + self.per if current else end, end, previous, current)

    def restore(self, key: Key, state: State, now: int) -> None:
        until, end, previous, current = state
        if until <= now:
            return
        self._end = now - now % self.per + self.per
        if end < self._end:  # a window has begun since
            previous = current
            current = 0
        self._previous.update({key: previous} if previous else {})
        self._current.update({key: current} if current else {})

    def __len__(self) -> int:
        return len(self._previous.keys() | self._current.keys())

    def _turn(self, now: int) -> None:
        begin = now - now % self.per
        self._previous = self._current if begin == self._end else {}
        self._current = {}
        self._end = begin + self.per

    def _counts(self, key: Key, now: int) -> tuple[int, int]:
        """The previous and the current window's count as they are at ``now``, which may lie in a
        later window.
        """
        current = self._current.get(key, 0)
        if now < self._end:
            return self._previous.get(key, 0), current
        return (current, 0) if now < self._end + self.per else (0, 0)

    def _first_offset(self, previous: int, current: int) -> int:
        """The first microsecond of a window from which on a request passes in it; ``per`` if none
        does.
        """
        room = (self.count - current) * self.per  # passes when previous x (per - offset) < room
        if room <= 0:
            return self.per
        return max(0, self.per - (room - 1) // previous) if previous else 0
