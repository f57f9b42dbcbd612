"""Which messages have been seen before, in a few octets each and never more than so many. Knows
names, not messages.

A message that comes again does so soon, so the latest are known exactly and the oldest are
forgotten: of each name eight octets are kept in a table of fixed size, and when it is full a second
one takes over, until that is full too and replaces it.
"""

from __future__ import annotations

from array import array

GENERATION = 300_000
"""A repetition is known for one among at least so many of the latest names; beyond twice as many it
counts as new.
"""
SLOTS = 1 << 19
_WHOLE = (1 << 64) - 1


class Distinct:
    """``add`` says whether a name is new. 4 MB, 8 MB from the 300,001st name on; two names in 10^7
    million are taken for one.
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
        """True if ``name`` has not been added before."""
        value = hash(name) & _WHOLE or 1
        old = self._old
        if old is not None and old[_place(old, value, self._mask)]:
            return False
        place = _place(self._new, value, self._mask)
        if self._new[place]:
            return False
        if self._count == self._generation:
            self._old, self._new, self._count = self._new, self._table(), 0
            place = value & self._mask
        self._new[place] = value
        self._count += 1
        return True

    def seen(self, name: str) -> bool:
        """Whether ``name`` has been added; adds nothing."""
        value = hash(name) & _WHOLE or 1
        tables = (self._new,) if self._old is None else (self._new, self._old)
        return any(table[_place(table, value, self._mask)] for table in tables)

    def _table(self) -> array[int]:
        return array("Q", bytes(8 * self._slots))


def _place(table: array[int], value: int, mask: int) -> int:
    """Where ``value`` stands, or the empty slot where it would."""
    place = value & mask
    while (found := table[place]) and found != value:
        place = (place + 1) & mask
    return place
