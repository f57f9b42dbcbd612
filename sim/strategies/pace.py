"""The pace of one username's logins, found only from their outcomes. :class:`Pace` is the part of
`adaptive` that finds a limit on logins.

It is additive increase and multiplicative decrease with a slow start (V. Jacobson, "Congestion
Avoidance and Control", 1988), applied to logins per second instead of packets in flight. A cycle
goes from an accepted login to the first accepted login after a refusal. While logins wait, the
number accepted in a cycle, divided by the time to its last refusal, is at least the relay's true
rate. So the pace comes down to the rate from above and stays just below it.

It cannot see one case: after a burst that follows quiet minutes, a sliding window allows logins
unevenly, and the pace found then may be far too low. Only hours without a refusal raise it again.
Times are seconds, passed as arguments.
"""

from __future__ import annotations

from threading import Lock

from .sending import POLL_S, Gate

FIRST_RATE = 5.0
GROWTH = 0.1
"""Logins per second after the first one, which no other login accompanies. Each accepted login adds
GROWTH until the first refusal.
"""

MOST_IN_FLIGHT = 6
"""The most logins in flight during the slow start: each may be a wrong password, and about ten in a
row cause a block.
"""

MARGIN = 0.95
"""The share of the measured rate that is used."""

LONG_CYCLE = 20
LONG_CYCLE_S = 50.0
"""The fewest logins and seconds of a cycle that is measured; it must also be about as long as the
first. Shorter cycles are joined at the same pace, because a sliding window frees its first burst as
unevenly as it was sent.
"""

FIRST_PROBE_S = 0.5
PROBE_SHARE = 0.1
"""After a refusal one login at a time tests again: after this many seconds, or after this share of
the time since the first refusal if that is longer.
"""

PASSWORD_REST_S = 60.0
LONGEST_REST_S = 3600.0
"""Rest after a 535, doubled with each one in a row: trying a wrong password again cannot work, and
each try counts as a failed login.
"""

IDLE_S = 5.0
"""If no worker wanted a turn for longer than this, there was nothing to send."""

NO_EPOCH = -1
"""The epoch of a login that has no turn yet."""

CLEAN_S = 3600.0
FIRST_RAISE = 0.02
"""After an hour without a refusal the pace rises by a fiftieth, after the next one by twice as
much, and so on.
"""


class Pace:
    """Gives turns to logins and adapts to their outcomes. Shared by the workers of a username,
    which may be threads. Implements :class:`sim.strategies.sending.Turns`.
    """

    def __init__(self) -> None:
        self.rate = FIRST_RATE
        self._lock = Lock()
        # Shut, so that no other login accompanies the first. A login whose turn is of an earlier
        # epoch neither shuts nor opens it.
        self.gate = Gate(shut=True)
        self._starting = True
        self._wrong = False
        self._turn = 0.0
        self._shut_at = 0.0
        self._begun = 0.0
        self._last_refused = 0.0
        self._passed = 0  # logins accepted in the cycle
        self._long = 0.0  # seconds that a cycle must last to be measured
        self._rest = PASSWORD_REST_S
        self._raise_at = CLEAN_S
        self._raise = FIRST_RAISE

    def book(self, now: float) -> tuple[float, int]:
        """See :class:`sim.strategies.sending.Turns`."""
        with self._lock:
            if self.gate.shut:
                return self.gate.when(now), self.gate.epoch
            if self._turn < now - IDLE_S:
                self._begun = now
                self._passed = 0  # no login waited for a turn, so this time measures nothing
            elif self._turn > now >= self._raise_at:
                self._rise(now)
            turn = max(now, self._turn)
            if turn > now + POLL_S:
                # The pace may change before a turn that is far ahead, so ask again later.
                return now + POLL_S, NO_EPOCH
            self._turn = turn + 1 / self.rate
            return turn, self.gate.epoch

    def may_go(self, epoch: int, now: float) -> bool:
        """Whether a login may start: its turn is valid or, after a refusal, it is the test."""
        with self._lock:
            return self.gate.may_ask(epoch, now) if self.gate.shut else epoch == self.gate.epoch

    def passed(self, epoch: int, now: float, took: float) -> None:
        """Speeds up during the slow start; ends the stop after a refusal if this was the test."""
        with self._lock:
            self._rest = PASSWORD_REST_S
            self._passed += 1
            if self.gate.shut and epoch == self.gate.epoch:
                self._open(now)
            if self._starting and not self.gate.shut:
                self.rate = min(self.rate + GROWTH, MOST_IN_FLIGHT / max(took, 0.001))

    def refused(self, epoch: int, now: float, *, wrong: bool) -> None:
        """Stops all logins, unless the login's turn is of an earlier epoch."""
        with self._lock:
            if epoch == self.gate.epoch:
                self._close(now, wrong)
            elif not wrong:
                self._last_refused = now

    def failed(self, epoch: int) -> None:
        """A login got no answer, which shows nothing of limits: another one may be the test."""
        with self._lock:
            self.gate.came_to_nothing(epoch)

    def _close(self, now: float, wrong: bool) -> None:
        """Stops all logins until a single one, after a wait, is accepted."""
        if not self.gate.shut:
            self._shut_at = now
        if wrong:
            self._wrong = True
            self.gate.close(now + self._rest)
            self._rest = min(self._rest * 2, LONGEST_REST_S)
        else:
            self._last_refused = now
            self.gate.close(now + max(FIRST_PROBE_S, PROBE_SHARE * (now - self._shut_at)))

    def _open(self, now: float) -> None:
        """The test was accepted: logins continue at the pace, after a moment that leaves room for
        logins that come early.
        """
        if self._wrong or not self._last_refused:
            self._begun = now
            self._passed = 1
        else:
            self._measure(now)
            self._starting = False
        self.gate.open()
        self._wrong = False
        self._turn = now + 2 / self.rate
        self._raise_at = now + CLEAN_S
        self._raise = FIRST_RAISE

    def _measure(self, now: float) -> None:
        """Ends the cycle at its last refusal and lowers the pace, unless the cycle is too short to
        be measured.
        """
        passed = self._passed - 1  # the login just accepted belongs to the next cycle
        lasted = self._last_refused - self._begun
        if self._starting:
            self._long = max(LONG_CYCLE_S, 0.9 * lasted)
        elif passed < LONG_CYCLE or lasted < self._long:
            return
        if passed and lasted > 0:
            self.rate = MARGIN * min(self.rate, passed / lasted)
        self._begun = now
        self._passed = 1

    def _rise(self, now: float) -> None:
        self.rate *= 1 + self._raise
        self._raise_at = now + CLEAN_S
        self._raise = min(2 * self._raise, 1.0)
