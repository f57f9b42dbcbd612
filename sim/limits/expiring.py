"""Values that are held for each key until a time, and the base of the windows that hold one.

``Kept`` is the store; ``Keeping`` is what ``fixed``, ``sliding`` and ``gcra`` share.
"""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from .window import Key, State, Window

T = TypeVar("T")

DROPPED_AT_ONCE = 2
"""The most expired keys that one call drops. With 1, a crowd would stay in memory for as long as
new keys arrive, because each call can also add a key.
"""

NEVER = sys.maxsize
"""Later than any expiry, in microseconds."""


class Held(Generic[T]):
    """The ``value`` of a key, valid while now < ``end``."""

    __slots__ = ("end", "value")

    def __init__(self, end: int, value: T) -> None:
        self.end = end
        self.value = value


class Kept(Generic[T]):
    """Values by key, each with the time at which it expires.

    Time does not go backwards, and all values of a store live equally long, so a value that is put
    or renewed expires no earlier than any other. Moving it to the end therefore keeps the keys in
    the order in which they expire, and only the front needs to be looked at. Dropping at most two
    expired keys per call empties the store after any crowd at a constant cost per call.
    """

    __slots__ = ("_held", "_soonest")

    def __init__(self) -> None:
        # Not a dict: after many deletions at its front, finding a dict's first key is slow.
        self._held: OrderedDict[Key, Held[T]] = OrderedDict()
        # No later than the end of the first key, so most calls need not look at that key.
        self._soonest = NEVER

    def __len__(self) -> int:
        return len(self._held)

    def find(self, key: Key, now: int) -> Held[T] | None:
        """The unexpired value of ``key``, or None. Drops up to two expired keys."""
        if now >= self._soonest:
            self._drop(now)
        held = self._held.get(key)
        return held if held is not None and held.end > now else None

    def look(self, key: Key, now: int) -> Held[T] | None:
        """Like ``find``, but changes nothing."""
        held = self._held.get(key)
        return held if held is not None and held.end > now else None

    def put(self, key: Key, end: int, value: T) -> None:
        """Holds ``value`` until ``end``, and replaces an earlier value of ``key``."""
        self._held[key] = Held(end, value)
        self._held.move_to_end(key)
        self._soonest = min(self._soonest, end)

    def renew(self, key: Key, held: Held[T], end: int) -> None:
        """Holds the value that ``find`` returned for ``key`` until ``end``."""
        held.end = end
        self._held.move_to_end(key)

    def forget(self, key: Key) -> None:
        """Drops the value of ``key``, if there is one."""
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


class Keeping(Window, Generic[T]):
    """A window that holds one value for each key. Its state is the end and the value's numbers."""

    def __init__(self, count: int, per: int, *, count_refused: bool) -> None:
        super().__init__(count, per, count_refused=count_refused)
        self._kept: Kept[T] = Kept()

    @abstractmethod
    def _numbers(self, value: T) -> Iterable[int]:
        """``value`` as numbers."""

    @abstractmethod
    def _value(self, numbers: Sequence[int]) -> T:
        """The value that ``_numbers`` turned into ``numbers``."""

    def reset(self, key: Key) -> None:
        self._kept.forget(key)

    def state(self, key: Key, now: int) -> State | None:
        held = self._kept.look(key, now)
        return None if held is None else (held.end, *self._numbers(held.value))

    def restore(self, key: Key, state: State, now: int) -> None:
        end, *numbers = state
        if end > now:
            self._kept.put(key, end, self._value(numbers))

    def __len__(self) -> int:
        return len(self._kept)


class KeepingNumber(Keeping[int]):
    """A Keeping window whose value is one number."""

    def _numbers(self, value: int) -> Iterable[int]:
        return (value,)

    def _value(self, numbers: Sequence[int]) -> int:
        return numbers[0]
