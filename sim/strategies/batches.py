"""A connection for every batch, with a pause behind it: the article's fix. Gives up what a refusal
leaves of a batch.
"""

from __future__ import annotations

from .. import units
from .api import Disconnected, Refused, Sender


class Batches:
    """Sends ``size`` messages a connection and pauses; gives up the rest of a batch that fails and
    goes on with the next.
    """

    options = {"size": 5, "pause": "0.5s"}

    def __init__(self, size: int, pause: object) -> None:
        if size < 1:
            raise ValueError(f"size = {size} is too small; at least 1")
        self.size = size
        self.pause = units.seconds(units.duration(pause))

    def run(self, sender: Sender) -> None:
        """Until the workload has ended."""
        while batch := sender.take(self.size):
            try:
                with sender.connect() as connection:
                    for message in batch:
                        connection.send(message)
            except (Refused, Disconnected):
                pass
            sender.sleep(self.pause)
