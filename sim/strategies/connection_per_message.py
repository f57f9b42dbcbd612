"""A connection for every message: what most libraries do when nothing is set. Knows no limits and
learns nothing.
"""

from __future__ import annotations

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
