"""One connection for everything: the loop that the relay's article warns of. Knows no limits and
never reconnects.
"""

from __future__ import annotations

from .api import Disconnected, Refused, Sender


def one_connection(sender: Sender) -> None:
    """Connects once and sends until something fails; then it ends, and the rest is lost."""
    try:
        with sender.connect() as connection:
            while batch := sender.take():
                connection.send(batch[0])
    except (Refused, Disconnected):
        return
