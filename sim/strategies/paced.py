"""Five a connection, logins spaced: the setting under which this kind of relay never refuses. Its
numbers are its options.

The spacing is a promise over all workers of a username, so they share one time of the next login.
It is never read from a policy: in production nobody could.
"""

from __future__ import annotations

from threading import Lock

from .. import units
from .api import Connection, Disconnected, Refused, Sender
from .gate import Gate
from .sending import send_batch

PASSWORD_REST_S = 60.0
"""Seconds without a login of a username after a 535: a wrong password does not get right by trying,
and each try counts.
"""

FIRST_REST_S = 1.0
LONGEST_REST_S = 60.0
"""Seconds of rest after any other failure, doubled while failures follow each other, so that a
relay that is away costs little.
"""


class Turns:
    """The logins of one username over all workers, which may be threads: each at least ``spacing``
    seconds after the last one.

    After a wrong password nobody logs in for PASSWORD_REST_S, and then one alone, until one has
    passed: of several in flight each would be one wrong password more, and about ten in a row
    block. The logins that are in flight when the first wrong password is answered cannot be called
    back: as many as have a turn within the time that a login takes.
    """

    def __init__(self, spacing: float) -> None:
        self.spacing = spacing
        self._gate = Gate(shut=False)
        self._lock = Lock()
        self._next = self._free = (
            0.0  # the next turn; the first moment that is not too near to the last login
        )

    def book(self, now: float) -> tuple[float, int]:
        """When to ask :meth:`may_go`, in seconds, and the epoch to ask it with; nobody else gets
        that turn.
        """
        with self._lock:
            if self._gate.shut:
                return max(self._gate.when(now), self._free), self._gate.epoch
            turn = max(now, self._next)
            self._next = turn + self.spacing
            return turn, self._gate.epoch

    def may_go(self, epoch: int, now: float) -> bool:
        """Whether the login may go; else a wrong password came while its worker slept, and its turn
        is void.
        """
        with self._lock:
            gate = self._gate
            if not (gate.may_ask(epoch, now) if gate.shut else epoch == gate.epoch):
                return False
            self._free = now + self.spacing
            if gate.shut:
                self._next = self._free
            return True

    def passed(self, epoch: int) -> None:
        """A login was accepted."""
        with self._lock:
            if self._gate.shut and epoch == self._gate.epoch:
                self._gate.open()

    def failed(self, epoch: int, now: float, *, wrong: bool) -> None:
        """A login came to nothing; ``wrong`` for its password (535)."""
        with self._lock:
            if wrong:
                self._gate.close(now + PASSWORD_REST_S)
                self._next = self._free  # the turns that were booked are void
            else:
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
        self.turns: dict[str, Turns] = {}
        self.lock = Lock()  # in production the workers are threads

    def run(self, sender: Sender) -> None:
        """Until the workload has ended."""
        with self.lock:
            turns = self.turns.setdefault(sender.username, Turns(self.spacing))
        rest = FIRST_REST_S
        while batch := sender.take(self.size):
            attempt = send_batch(sender, batch, lambda: log_in(sender, turns))
            if attempt.stopped is None:
                rest = FIRST_REST_S
            elif not (isinstance(attempt.stopped, Refused) and attempt.stopped.code == 535):
                sender.sleep(rest * (0.5 + sender.random()))
                rest = min(rest * 2, LONGEST_REST_S)


def log_in(sender: Sender, turns: Turns) -> Connection:
    """Waits for a turn, connects, and tells how it went."""
    epoch = wait_for_turn(sender, turns)
    try:
        connection = sender.connect()
    except (Refused, Disconnected) as error:
        turns.failed(epoch, sender.now(), wrong=isinstance(error, Refused) and error.code == 535)
        raise
    turns.passed(epoch)
    return connection


def wait_for_turn(sender: Sender, turns: Turns) -> int:
    """Sleeps until this worker may log in; the epoch that the outcome is told with."""
    while True:
        at, epoch = turns.book(sender.now())
        sender.sleep(max(0.0, at - sender.now()))
        if turns.may_go(epoch, sender.now()):
            return epoch
