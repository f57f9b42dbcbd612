"""The simple strategies, which learn nothing: a connection for each message, one connection for all
messages, and batches with a pause.
"""

from __future__ import annotations

from .. import units
from .api import Disconnected, Refused, Sender


def connection_per_message(sender: Sender) -> None:
    """Connects, logs in and quits for each message; gives a message up when that fails and goes on
    with the next.
    """
    while batch := sender.take():
        try:
            with sender.connect() as connection:
                connection.send(batch[0])
        except (Refused, Disconnected):
            continue


def one_connection(sender: Sender) -> None:
    """Connects once and sends until something fails; then it ends, and the rest is lost."""
    try:
        with sender.connect() as connection:
            while batch := sender.take():
                connection.send(batch[0])
    except (Refused, Disconnected):
        return


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
        """Sends until the workload has ended."""
        while batch := sender.take(self.size):
            try:
                with sender.connect() as connection:
                    for message in batch:
                        connection.send(message)
            except (Refused, Disconnected):
                pass
            sender.sleep(self.pause)
