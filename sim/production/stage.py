"""The parts of a run that its workers share. Senders and connections take a Stage, so that they
need not know the run that starts and ends them.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable

from ..outbox import Claim
from .account import Account, Outcome
from .outbox import ProductionOutbox

PATIENT_STOPS = 1_000
"""How often a worker may swallow its own end before its thread is left where it is."""


class Stopped(BaseException):
    """Raised in the workers' calls once the run is stopped. Not an Exception, so that a strategy
    does not catch it.
    """


class Stage:
    """The account, the outbox, and whether the run is stopped. One lock, ``changed``, guards it.

    ``start`` starts a worker, given its name, its claim and its function. ``context`` is None
    where there is no TLS. Connections write refusals and disconnections into ``seen``.
    """

    def __init__(
        self,
        account: Account,
        seed: int,
        start: Callable[[str, Claim, Callable[[], object]], None],
    ) -> None:
        self.account = account
        self.seed = seed
        self.start = start
        self.context: ssl.SSLContext | None = None
        if account.tls != "none":
            self.context = account.context or ssl.create_default_context()
        self.changed = threading.Condition()
        self.outbox = ProductionOutbox(self.changed, self.check)
        self.seen = Outcome()
        self.alive: set[Claim] = set()
        self.survivors = 0  # workers that were alive when the run was stopped
        self.stopped = False
        self.stops: Counter[threading.Thread] = Counter()
        self._begun = time.monotonic()

    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._begun

    def check(self) -> None:
        """Raises Stopped when the run is stopped. A worker that swallows it too often is held here
        for good: it must not send any more, and nothing can end a thread from outside.
        """
        if not self.stopped:
            return
        thread = threading.current_thread()
        self.stops[thread] += 1
        if self.stops[thread] <= PATIENT_STOPS:
            raise Stopped
        with self.changed:
            self.seen.error = (
                self.seen.error or "a worker swallows BaseException and would not be stopped"
            )
            self.changed.wait_for(lambda: False)

    def stop(self, ended: str, error: str | None = None) -> None:
        """Stops each worker at its next call. The first stop counts."""
        with self.changed:
            if not self.stopped:
                self.stopped = True
                self.survivors = len(self.alive)
                self.seen.ended = ended
                self.seen.error = error
            self.changed.notify_all()
