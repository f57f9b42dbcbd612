"""A gate before one username's logins: shut after a refusal, then one login at a time asks again,
until one has passed.

What the strategies share that stop logging in for a while: without it, every login that waits would
go at once when the wait is over, and each may be one wrong password more. Times are seconds, handed
in. Knows neither why it was shut nor for how long is wise. Has no lock: whoever shares it between
threads holds one.
"""

from __future__ import annotations

POLL_S = 1.0
"""While one login asks, the others look again so often."""

TICK_S = 1e-5
"""A sleep may end so much early by rounding."""


class Gate:
    """``epoch`` tells a login whose turn is from before the gate was last shut or opened from one
    that may count.
    """

    __slots__ = ("_ask_at", "_asking", "epoch", "shut")

    def __init__(self, *, shut: bool) -> None:
        self.shut = shut
        self.epoch = 0
        self._asking = False
        self._ask_at = 0.0

    def when(self, now: float) -> float:
        """While it is shut: when to call :meth:`may_ask`, in seconds."""
        return now + POLL_S if self._asking else max(now, self._ask_at)

    def may_ask(self, epoch: int, now: float) -> bool:
        """While it is shut: whether this login is the one that asks; then nobody else may until it
        is known how it went.
        """
        if epoch != self.epoch or self._asking or now < self._ask_at - TICK_S:
            return False
        self._asking = True
        return True

    def close(self, ask_at: float) -> None:
        """Nobody logs in until ``ask_at``, and then one at a time."""
        if not self.shut:
            self.shut = True
            self.epoch += 1
        self._asking = False
        self._ask_at = ask_at

    def came_to_nothing(self, epoch: int) -> None:
        """A login of ``epoch`` met no answer that says anything: if it was the one that asked,
        somebody else may.
        """
        if epoch == self.epoch:
            self._asking = False

    def open(self) -> None:
        """A login that asked has passed: everybody may log in."""
        self.shut = self._asking = False
        self.epoch += 1
