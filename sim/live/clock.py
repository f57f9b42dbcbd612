"""The relay's clock: integer microseconds since it started, never backwards. The only module that
reads a clock here.
"""

from __future__ import annotations

import time


class Clock:
    """``origin`` is the time at which it starts: what an earlier relay had reached, where one is
    taken up again.
    """

    __slots__ = ("_last", "_zero", "origin")

    def __init__(self, origin: int = 0) -> None:
        self.origin = self._last = origin
        self._zero = time.monotonic_ns() - origin * 1_000

    def now(self) -> int:
        """Microseconds."""
        return (time.monotonic_ns() - self._zero) // 1_000

    def at_least(self, moment: int) -> int:
        """The time in a call that was due at ``moment``: never before it, as a timer's float could
        have it.

        Also never before what was given out last, so that no session is judged before another that
        came earlier.
        """
        self._last = max(self.now(), moment, self._last)
        return self._last

    def of_loop(self, moment: int) -> float:
        """``moment`` in the seconds of an asyncio loop, whose clock is ``time.monotonic``."""
        return (self._zero + moment * 1_000) / 1e9
