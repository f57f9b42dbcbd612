"""Paced: a fixed number of messages on each connection, and logins a fixed time apart. With the
default options this kind of relay never refuses it.

The spacing holds for all workers of a username together, so they share one :class:`PacedTurns`. The
numbers are options and never read from a policy, because production code cannot read one either.
"""

from __future__ import annotations

from threading import Lock

from .. import units
from .api import Refused, Sender
from .sending import WRONG_PASSWORD, Gate, log_in, send_batch

PASSWORD_REST_S = 60.0
"""Seconds without a login after a 535: trying a wrong password again cannot work, and each try
counts as a failed login.
"""

FIRST_REST_S = 1.0
LONGEST_REST_S = 60.0
"""Seconds of rest after any other failure. The rest doubles with each failure in a row, so that an
unreachable relay costs little.
"""


class PacedTurns:
    """The logins of one username over all workers, which may be threads, each at least ``spacing``
    seconds after the last one. Implements :class:`sim.strategies.sending.Turns`.

    After a wrong password all logins stop for PASSWORD_REST_S. Then one at a time is tried until
    one is accepted, because several in flight would each be one more wrong password, and about ten
    in a row cause a block. Logins that are already in flight cannot be stopped: there are as many
    as have a turn within the time that a login takes.
    """

    def __init__(self, spacing: float) -> None:
        self.spacing = spacing
        self._gate = Gate(shut=False)
        self._lock = Lock()
        self._next = 0.0
        """The next turn."""
        self._free = 0.0
        """The first moment that is far enough from the last login."""

    def book(self, now: float) -> tuple[float, int]:
        """See :class:`sim.strategies.sending.Turns`. Each turn is given to one worker only."""
        with self._lock:
            if self._gate.shut:
                return max(self._gate.when(now), self._free), self._gate.epoch
            turn = max(now, self._next)
            self._next = turn + self.spacing
            return turn, self._gate.epoch

    def may_go(self, epoch: int, now: float) -> bool:
        """False if a wrong password came while the worker slept: its turn is void."""
        with self._lock:
            gate = self._gate
            allowed = gate.may_ask(epoch, now) if gate.shut else epoch == gate.epoch
            if not allowed:
                return False
            self._free = now + self.spacing
            if gate.shut:
                self._next = self._free
            return True

    def passed(self, epoch: int, now: float, took: float) -> None:
        """A login was accepted: after a wrong password, all may log in again."""
        with self._lock:
            if self._gate.shut and epoch == self._gate.epoch:
                self._gate.open()

    def refused(self, epoch: int, now: float, *, wrong: bool) -> None:
        """A wrong password stops all logins; any other refusal does not."""
        with self._lock:
            if wrong:
                self._gate.close(now + PASSWORD_REST_S)
                self._next = self._free  # the turns that were booked are void
            else:
                self._gate.came_to_nothing(epoch)

    def failed(self, epoch: int) -> None:
        """A login got no answer; the next one may go."""
        with self._lock:
            self._gate.came_to_nothing(epoch)


class Paced:
    """``size`` messages a connection, logins of a username at least ``spacing`` apart over all
    workers; loses nothing.
    """

    options = {"size": 5, "spacing": "0.505s"}

    def __init__(self, size: int, spacing: object) -> None:
        if size < 1:
            raise ValueError(f"size = {size} is too small; at least 1")
        self.size = size
        self.spacing = units.seconds(units.duration(spacing))
        self.turns: dict[str, PacedTurns] = {}
        self.lock = Lock()  # in production the workers are threads

    def run(self, sender: Sender) -> None:
        """Sends until the workload has ended."""
        with self.lock:
            turns = self.turns.setdefault(sender.username, PacedTurns(self.spacing))
        rest = FIRST_REST_S
        while batch := sender.take(self.size):
            stopped = send_batch(sender, batch, lambda: log_in(sender, turns)).stopped
            if stopped is None:
                rest = FIRST_REST_S
            elif not (isinstance(stopped, Refused) and stopped.code == WRONG_PASSWORD):
                sender.sleep(rest * (0.5 + sender.random()))
                rest = min(rest * 2, LONGEST_REST_S)
