"""Something that strands of one worker's process wait for: implements
``strategies.dialogue.Signal``. Knows the clock alone.
"""

from __future__ import annotations

from greenlet import getcurrent, greenlet

from ..units import MICRO
from .clock import Clock


class Waiter:
    """One that waits; ``told`` once the signal was set."""

    __slots__ = ("sleeper", "told")

    def __init__(self, sleeper: greenlet) -> None:
        self.sleeper = sleeper
        self.told = False


class WorldSignal:
    """As in Signal. Whoever waited first goes on first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[Waiter, None] = {}

    def wait(self, seconds: float | None = None) -> bool:
        """As in Signal."""
        clock = self._clock
        waiter = Waiter(getcurrent())
        clock.tick()
        self._waiting[waiter] = None
        if seconds is not None:
            clock.at(clock.moment + round(seconds * MICRO), lambda: self._time_out(waiter))
        clock.park()
        return waiter.told

    def set(self) -> None:
        """As in Signal."""
        self._clock.tick()
        waiting = self._waiting
        self._waiting = {}
        for waiter in waiting:
            waiter.told = True
            self._clock.wake(waiter.sleeper)

    def _time_out(self, waiter: Waiter) -> None:
        if waiter in self._waiting:
            del self._waiting[waiter]
            self._clock.wake(waiter.sleeper)
