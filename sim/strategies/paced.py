"""Five a connection, logins spaced: the setting under which this kind of relay never refuses. Its numbers are its options.

The spacing is a promise over all workers of a username, so they share one time of the next login. It is never read from a
policy: in production nobody could.
"""

from __future__ import annotations

from threading import Lock

from .. import units
from .api import Refused, Sender
from .sending import send_batch

PASSWORD_REST_S = 60.0
"""Seconds without a login of a username after a 535: a wrong password does not get right by trying, and each try counts."""

FIRST_REST_S, LONGEST_REST_S = 1.0, 60.0
"""Seconds of rest after any other failure, doubled while failures follow each other, so that a relay that is away costs little."""


class Paced:
    """``size`` messages a connection, logins of a username at least ``spacing`` apart over all workers; loses nothing."""

    options = {"size": 5, "spacing": "0.505s"}

    def __init__(self, size: int, spacing: object) -> None:
        if size < 1:
            raise ValueError(f"size = {size} is too small; at least 1")
        self.size, self.spacing = size, units.seconds(units.duration(spacing))
        self.turns: dict[str, float] = {}
        self.rests: dict[str, float] = {}
        self.lock = Lock()  # in production the workers are threads

    def run(self, sender: Sender) -> None:
        """Until the workload has ended."""
        rest = FIRST_REST_S
        while batch := sender.take(self.size):
            self.wait_for_turn(sender)
            attempt = send_batch(sender, batch)
            if attempt.stopped is None:
                rest = FIRST_REST_S
            elif isinstance(attempt.stopped, Refused) and attempt.stopped.code == 535:
                self.rests[sender.username] = sender.now() + PASSWORD_REST_S
            else:
                sender.sleep(rest * (0.5 + sender.random()))
                rest = min(rest * 2, LONGEST_REST_S)

    def wait_for_turn(self, sender: Sender) -> None:
        """Waits for a turn of this username: no two are nearer than ``spacing``, and none lies in a rest after a 535."""
        while True:
            turn = self.book(sender.username, sender.now())
            sender.sleep(max(0.0, turn - sender.now()))
            if sender.now() >= self.rests.get(sender.username, 0.0):
                return  # else a 535 came while this worker slept: its turn is void

    def book(self, username: str, now: float) -> float:
        """The next free turn, in seconds, which nobody else gets."""
        with self.lock:
            turn = max(now, self.turns.get(username, 0.0), self.rests.get(username, 0.0))
            self.turns[username] = turn + self.spacing
        return turn
