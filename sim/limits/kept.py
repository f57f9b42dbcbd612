"""What is remembered of each key until a time, and dropped soon after it. Knows nothing of limits.

The keys stand in the order in which they end, because each is given an end that no other's exceeds;
that holds as long as time does not go backwards and the ends of one store lie equally far ahead. So
what is over stands at the front, and dropping at most two at a call - of which each adds one at
most - empties the store again after any crowd, at a constant cost.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import Generic, TypeVar

from .limiter import Key

T = TypeVar("T")

DROPPED_AT_ONCE = 2
"""Most keys that one call drops. One would keep a crowd in memory for as long as further keys come.
"""

NEVER = sys.maxsize
"""The end of nothing, in microseconds. A time beyond it costs a needless look at the front, no
mistake.
"""


class Held(Generic[T]):
    """The ``value`` of a key, valid while now < ``end``."""

    __slots__ = ("end", "value")

    def __init__(self, end: int, value: T) -> None:
        self.end = end
        self.value = value


class Kept(Generic[T]):
    """Values by key, each with its end. An OrderedDict, since the first key of a dict with a worn
    front is slow to find.
    """

    __slots__ = ("_held", "_soonest")

    def __init__(self) -> None:
        self._held: OrderedDict[Key, Held[T]] = OrderedDict()
        self._soonest = (
            NEVER  # not after the end of the first key, so that most calls need not look at it
        )

    def __len__(self) -> int:
        return len(self._held)

    def find(self, key: Key, now: int) -> Held[T] | None:
        """What is held of ``key``, or None if that is nothing or over. Drops at most two that are
        over.
        """
        if now >= self._soonest:
            self._drop(now)
        held = self._held.get(key)
        return held if held is not None and held.end > now else None

    def look(self, key: Key, now: int) -> Held[T] | None:
        """As ``find``, but changes nothing."""
        held = self._held.get(key)
        return held if held is not None and held.end > now else None

    def put(self, key: Key, end: int, value: T) -> None:
        """Holds ``value`` until ``end``, in place of what was held of ``key``."""
        self._held[key] = Held(end, value)
        self._held.move_to_end(key)
        self._soonest = min(self._soonest, end)

    def renew(self, key: Key, held: Held[T], end: int) -> None:
        """Holds on to what was found of ``key`` until ``end``."""
        held.end = end
        self._held.move_to_end(key)

    def forget(self, key: Key) -> None:
        """Holds nothing of ``key``."""
        self._held.pop(key, None)

    def _drop(self, now: int) -> None:
        for _ in range(DROPPED_AT_ONCE):
            if not self._held or self._first_end() > now:
                break
            self._held.popitem(last=False)
        self._soonest = self._first_end()

    def _first_end(self) -> int:
        first = next(iter(self._held.values()), None)
        return NEVER if first is None else first.end
