"""Finds the limits from the replies alone: how many messages a connection takes, and how fast a
username may log in.

The length of a batch doubles from one until a connection refuses a message after others; what it
took is the length from then on. The pace of logins is :class:`sim.strategies.pace.Pace`, one for
each username. Loses nothing: what was not accepted goes back. Does not know the policy, which limit
a refusal is of, or whether a message would be refused for its own sake: such a one is tried again
for ever. A relay that drops the connection without a word in place of a reply teaches it nothing.
"""

from __future__ import annotations

from threading import Lock

from .api import Connection, Disconnected, Refused, Sender
from .pace import CLEAN_S, Pace
from .sending import Attempt, send_batch

LONGEST_BATCH = 64
"""Messages; beyond it the login is a small part of a connection's time, and a worker would keep too
many from the others.
"""

FIRST_REST_S = 1.0
LONGEST_REST_S = 60.0
"""Seconds of rest after a failure that teaches nothing, doubled while such failures follow each
other.
"""


class Adaptive:
    """Finds messages a connection and logins a second from replies alone, and stays just below
    both; loses nothing.
    """

    options: dict[str, object] = {}

    def __init__(self) -> None:
        self.lock = Lock()  # in production the workers are threads
        self.paces: dict[str, Pace] = {}
        self.size = 1
        self.found = False
        self.longer_at = 0.0

    def run(self, sender: Sender) -> None:
        """Until the workload has ended."""
        pace = self.pace_of(sender.username)
        rest = FIRST_REST_S
        while batch := sender.take(self.length(sender.now())):
            attempt = send_batch(sender, batch, lambda: log_in(sender, pace))
            if self.learn(attempt, len(batch), sender.now()):
                rest = FIRST_REST_S
            else:
                sender.sleep(rest * (0.5 + sender.random()))
                rest = min(rest * 2, LONGEST_REST_S)

    def pace_of(self, username: str) -> Pace:
        """The one pace of all workers of ``username``."""
        with self.lock:
            return self.paces.setdefault(username, Pace())

    def length(self, now: float) -> int:
        """How many messages to take; once the size is found, one batch an hour tries one more."""
        with self.lock:
            if self.found and now >= self.longer_at and self.size < LONGEST_BATCH:
                self.longer_at = now + CLEAN_S
                return self.size + 1
            return self.size

    def learn(self, attempt: Attempt, asked: int, now: float) -> bool:
        """Adapts the size; False for a failure that neither the size nor the pace answers, after
        which to rest.
        """
        if attempt.stopped is None:
            self._took_all(asked, now)
            return True
        if not isinstance(attempt.stopped, Refused):
            return False
        if not attempt.logged_in:
            return True  # the pace makes everybody wait
        if attempt.accepted:
            self._took_only(attempt.accepted, now)
        return attempt.accepted > 0

    def _took_all(self, asked: int, now: float) -> None:
        with self.lock:
            if self.found and asked > self.size:
                self.size = asked
                self.longer_at = now  # the refusal that set it was of something else
            elif not self.found and asked == self.size:
                self.size = min(2 * self.size, LONGEST_BATCH)

    def _took_only(self, accepted: int, now: float) -> None:
        with self.lock:
            self.size = min(self.size, accepted)
            self.found = True
            self.longer_at = now + CLEAN_S


def log_in(sender: Sender, pace: Pace) -> Connection:
    """Waits for a turn, connects, and tells the pace how it went."""
    epoch = wait_for_turn(sender, pace)
    begun = sender.now()
    try:
        connection = sender.connect()
    except Refused as refused:
        pace.refused(epoch, sender.now(), wrong=refused.code == 535)
        raise
    except Disconnected:
        pace.failed(epoch)
        raise
    pace.passed(epoch, sender.now(), sender.now() - begun)
    return connection


def wait_for_turn(sender: Sender, pace: Pace) -> int:
    """Sleeps until a login may go; the epoch that its outcome is told with."""
    while True:
        at, epoch = pace.book(sender.now())
        sender.sleep(max(0.0, at - sender.now()))
        if pace.may_go(epoch, sender.now()):
            return epoch
