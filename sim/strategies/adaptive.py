"""Adaptive: learns from the replies how many messages a connection takes and how fast a username
may log in, without reading a policy.

The batch size doubles from one until a connection refuses a message after others; the number that
it accepted is the size from then on. The pace of logins is :class:`sim.strategies.pace.Pace`, one
for each username. No message is lost: those that were not accepted go back to the outbox. It cannot
see which limit refused, so a message that is refused for its content is retried without end, and it
learns nothing from a relay that drops the connection instead of replying.
"""

from __future__ import annotations

from threading import Lock

from .api import Refused, Sender
from .pace import CLEAN_S, Pace
from .sending import Attempt, log_in, send_batch

LONGEST_BATCH = 64
"""Messages. In a longer batch the login is only a small part of the connection's time, and the
worker would hold too many messages that others could send.
"""

FIRST_REST_S = 1.0
LONGEST_REST_S = 60.0
"""Seconds of rest after a failure that has nothing to do with size or pace. The rest doubles with
each one in a row.
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
        """Sends until the workload has ended."""
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
        """The pace that all workers of ``username`` share."""
        with self.lock:
            return self.paces.setdefault(username, Pace())

    def length(self, now: float) -> int:
        """How many messages to take. Once the size is found, one batch an hour tries one more."""
        with self.lock:
            if self.found and now >= self.longer_at and self.size < LONGEST_BATCH:
                self.longer_at = now + CLEAN_S
                return self.size + 1
            return self.size

    def learn(self, attempt: Attempt, asked: int, now: float) -> bool:
        """Adapts the size. Returns False for a failure that neither size nor pace can avoid, after
        which the worker rests.
        """
        if attempt.stopped is None:
            self._took_all(asked, now)
            return True
        if not isinstance(attempt.stopped, Refused):
            return False
        if not attempt.logged_in:
            return True  # the pace makes all workers wait
        if attempt.accepted:
            self._took_only(attempt.accepted, now)
        return attempt.accepted > 0

    def _took_all(self, asked: int, now: float) -> None:
        with self.lock:
            if self.found and asked > self.size:
                self.size = asked
                self.longer_at = now  # the refusal that set the size had another cause
            elif not self.found and asked == self.size:
                self.size = min(2 * self.size, LONGEST_BATCH)

    def _took_only(self, accepted: int, now: float) -> None:
        with self.lock:
            self.size = min(self.size, accepted)
            self.found = True
            self.longer_at = now + CLEAN_S
