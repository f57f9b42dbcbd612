"""The pace of one username's logins, found from their outcomes alone: what `adaptive` knows of a
limit on logins.

It is additive increase and multiplicative decrease with a slow start (V. Jacobson, "Congestion
Avoidance and Control", 1988), on logins a second in place of packets in flight. A cycle goes from a
login that passed to the next one that passes after a refusal; what passed in it, over its time up
to the last refusal, is not less than the relay's true rate while logins wait, so the pace comes
down to the rate from above and stays just below it.

Times are seconds, handed in. Does not know which limit refused, how the relay counts, or how long
its window is. What it cannot see: a burst after quiet minutes makes a sliding window release
unevenly, and the pace found then may be far too low; only the clean hours bring it up again.
"""

from __future__ import annotations

from threading import Lock

from .gate import POLL_S, Gate

FIRST_RATE = 5.0
GROWTH = 0.1
"""Logins a second after the first one, which goes alone; each that passes adds GROWTH until the
first refusal.
"""

MOST_IN_FLIGHT = 6
"""The slow start goes no faster than keeps so many logins in flight: each may be a wrong password,
and about ten in a row block.
"""

MARGIN = 0.95
"""Share of what was measured that is used, and what is left of a pace that was refused after a long
cycle.
"""

LONG_CYCLE = 20
LONG_CYCLE_S = 50.0
"""A cycle measures from so many logins and seconds on, and never one much shorter than the first;
shorter ones are counted as one, at the same pace, because a sliding window gives back its first
burst as unevenly as it was sent.
"""

FIRST_PROBE_S = 0.5
PROBE_SHARE = 0.1
"""While shut out one login at a time asks again: after so many seconds, and a tenth of the time
shut out, if that is more.
"""

PASSWORD_REST_S = 60.0
LONGEST_REST_S = 3600.0
"""Rest after a 535, doubled with each in a row: a wrong password does not get right by trying, and
each try counts.
"""

IDLE_S = 5.0
"""Turns that nobody wanted for longer mean that there was nothing to send."""

NO_EPOCH = -1
"""Of a login that has no turn yet."""

CLEAN_S = 3600.0
FIRST_RAISE = 0.02
"""A pace that nobody refused for an hour rises by a fiftieth, by twice as much at the next clean
hour, and so on.
"""


class Pace:
    """Books turns, is told how each login went, and adapts. Shared by the workers of a username,
    which may be threads.
    """

    def __init__(self) -> None:
        self.rate = FIRST_RATE
        self._lock = Lock()
        self.gate = Gate(
            shut=True
            # the first login goes alone; one whose turn is of an earlier epoch neither shuts nor opens
        )
        self._starting = True
        self._wrong = False
        self._turn = self._shut_at = 0.0
        self._begun = 0.0
        self._last_refused = 0.0
        self._passed = 0  # of the cycle
        self._long = 0.0  # seconds that a cycle must last to be measured
        self._rest = PASSWORD_REST_S
        self._raise_at = CLEAN_S
        self._raise = FIRST_RAISE

    def book(self, now: float) -> tuple[float, int]:
        """When to ask :meth:`may_go`, in seconds, and the epoch to ask it with."""
        with self._lock:
            if self.gate.shut:
                return self.gate.when(now), self.gate.epoch
            if self._turn < now - IDLE_S:
                self._begun = now
                self._passed = 0  # nobody waited for a turn: this stretch measures nothing
            elif self._turn > now >= self._raise_at:
                self._rise(now)
            turn = max(now, self._turn)
            if turn > now + POLL_S:
                return (
                    now + POLL_S,
                    NO_EPOCH,
                )  # a turn given away far ahead would be of a pace that is not this one any more
            self._turn = turn + 1 / self.rate
            return turn, self.gate.epoch

    def may_go(self, epoch: int, now: float) -> bool:
        """Whether a login may go: its turn still stands or, while shut out, it is the one that asks
        again.
        """
        with self._lock:
            return self.gate.may_ask(epoch, now) if self.gate.shut else epoch == self.gate.epoch

    def passed(self, epoch: int, now: float, took: float) -> None:
        """A login that took ``took`` seconds was accepted."""
        with self._lock:
            self._rest = PASSWORD_REST_S
            self._passed += 1
            if self.gate.shut and epoch == self.gate.epoch:
                self._open(now)
            if self._starting and not self.gate.shut:
                self.rate = min(self.rate + GROWTH, MOST_IN_FLIGHT / max(took, 0.001))

    def refused(self, epoch: int, now: float, *, wrong: bool) -> None:
        """A login was refused; ``wrong`` for its password (535)."""
        with self._lock:
            if epoch == self.gate.epoch:
                self._close(now, wrong)
            elif not wrong:
                self._last_refused = now

    def failed(self, epoch: int) -> None:
        """A login came to nothing: no connection. It says nothing of limits, but somebody else may
        ask.
        """
        with self._lock:
            self.gate.came_to_nothing(epoch)

    def _close(self, now: float, wrong: bool) -> None:
        """Nobody logs in until one login at a time, after a wait, finds it open again."""
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
        """A login passed again: the pace goes on, after a moment that leaves room for logins to
        come early.
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
        tell.
        """
        passed = self._passed - 1
        lasted = self._last_refused - self._begun  # the one that passed now is the next cycle's
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
        self._raise_at, self._raise = now + CLEAN_S, min(2 * self._raise, 1.0)
