"""What the strategies that lose nothing share: one batch over one connection, and whatever was not
accepted put back.

Knows no limits; tells its caller how far it came and what stopped it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .api import Connection, Disconnected, Message, Refused, Sender


class Attempt(NamedTuple):
    """How a batch went. ``logged_in`` says whether the connection came about; ``stopped`` is what
    ended it early.
    """

    logged_in: bool
    accepted: int
    stopped: Refused | Disconnected | None


def send_batch(
    sender: Sender, batch: Sequence[Message], connect: Callable[[], Connection] | None = None
) -> Attempt:
    """Sends ``batch`` over one connection; what was not accepted goes back first into the outbox,
    in its order.

    ``connect`` stands in for the sender's own, for a strategy that does more about it.
    """
    accepted = 0
    logged_in = False
    stopped: Refused | Disconnected | None = None
    try:
        with (connect or sender.connect)() as connection:
            logged_in = True
            for message in batch:
                connection.send(message)
                accepted += 1
    except (Refused, Disconnected) as error:
        stopped = error
    for message in reversed(batch[accepted:]):
        sender.put_back(message)
    return Attempt(logged_in, accepted, stopped)
