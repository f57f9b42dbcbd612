"""Retry with exponential back-off and jitter, as most careful senders do. No message is lost while
the run lasts.

Each wait is between half and one and a half times a base that doubles with each failure in a row.
M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015) describes the family.
"""

from __future__ import annotations

from .. import units
from .api import Sender
from .sending import send_batch


class Retry:
    """Sends ``size`` messages a connection; after a failure puts the rest back and waits, twice as
    long each time in a row.
    """

    options = {"size": 5, "first": "1s", "longest": "10m"}

    def __init__(self, size: int, first: object, longest: object) -> None:
        if size < 1:
            raise ValueError(f"size = {size} is too small; at least 1")
        self.size = size
        self.first = units.seconds(units.duration(first))
        self.longest = units.seconds(units.duration(longest))

    def run(self, sender: Sender) -> None:
        """Sends until the workload has ended."""
        wait = self.first
        while batch := sender.take(self.size):
            attempt = send_batch(sender, batch)
            if attempt.accepted:
                wait = self.first
            if attempt.stopped is not None:
                sender.sleep(wait * (0.5 + sender.random()))
                wait = min(wait * 2, self.longest)
