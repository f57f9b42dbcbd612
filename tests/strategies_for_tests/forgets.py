"""A strategy with the commonest mistake: it catches a refusal and forgets to put back what was not
accepted.
"""

from sim.strategies.api import Disconnected, Refused


def forgets(sender):
    """Six a connection, where the relay takes five: the sixth is refused, and nobody has it any
    more.
    """
    while batch := sender.take(6):
        try:
            with sender.connect() as connection:
                for message in batch:
                    connection.send(message)
        except (Refused, Disconnected):
            pass
        sender.sleep(4)


def raises(sender):
    """No sender at all."""
    raise RuntimeError("no such luck")
