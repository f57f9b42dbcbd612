"""The blocks of one limit: which keys are shut out, and until when. Knows nothing of why.

All times are integer microseconds. ``now`` never goes backwards between calls.
"""

from __future__ import annotations

from .kept import Kept
from .limiter import Key


class Blocks:
    """Blocks of ``duration`` microseconds, 1 or more: one that begins at t is [t, t + duration)."""

    def __init__(self, duration: int) -> None:
        if duration < 1:
            raise ValueError(f"a block is 1 microsecond or longer, not {duration}")
        self.duration = duration
        self._kept: Kept[None] = Kept()

    def start(self, key: Key, now: int) -> int:
        """Begins a block of ``key`` and returns its end; one that is running already is left as it
        is.
        """
        held = self._kept.find(key, now)
        if held is not None:
            return held.end
        self._kept.put(key, now + self.duration, None)
        return now + self.duration

    def until(self, key: Key, now: int) -> int | None:
        """The end of the block that runs at ``now``, else None. Asked at every request, so what is
        over is dropped here.
        """
        held = self._kept.find(key, now)
        return None if held is None else held.end

    def restore(self, key: Key, end: int) -> None:
        """Takes up a block that ends at ``end``, those that end first first, before any other call."""
        self._kept.put(key, end, None)

    def __len__(self) -> int:
        return len(self._kept)
