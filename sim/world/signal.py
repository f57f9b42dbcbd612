"""``strategies.dialogue.Signal`` in virtual time: strands of one worker's process wait for it.

Knows the clock only.
"""

from __future__ import annotations

from greenlet import getcurrent, greenlet

from ..units import MICRO
from .clock import Clock


class PendingWait:
    """A strand that waits; ``was_set`` once the signal was set, and not only its time over."""

    __slots__ = ("sleeper", "was_set")

    def __init__(self, sleeper: greenlet) -> None:
        self.sleeper = sleeper
        self.was_set = False


class WorldSignal:
    """A signal in virtual time. Strands continue in the order in which they began to wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[PendingWait, None] = {}

    def wait(self, seconds: float | None = None) -> bool:
        clock = self._clock
        pending = PendingWait(getcurrent())
        clock.tick()
        self._waiting[pending] = None
        if seconds is not None:
            clock.at(clock.moment + round(seconds * MICRO), lambda: self._time_out(pending))
        clock.park()
        return pending.was_set

    def set(self) -> None:
        self._clock.tick()
        waiting = self._waiting
        self._waiting = {}
        for pending in waiting:
            pending.was_set = True
            self._clock.wake(pending.sleeper)

    def _time_out(self, pending: PendingWait) -> None:
        if pending in self._waiting:
            del self._waiting[pending]
            self._clock.wake(pending.sleeper)
