"""What a strategy sees, and all it sees: the words that each door implements.

A strategy is a function with one parameter named ``sender``, or a class with ``options`` and
``run(sender)``. The same function runs in virtual time (``sim.world``) and in production
(``sim.production``). Nothing here knows of a relay's limits, of virtual time or of sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from ..errors import Disconnected, Refused, StrategyError

__all__ = [
    "Connection",
    "Disconnected",
    "Message",
    "Refused",
    "Sender",
    "StrategyError",
    "messages_among",
]


class Message(NamedTuple):
    """One e-mail to be sent: ``id`` tells it from all others, ``data`` is its headers and body with
    CRLF line ends.
    """

    id: str
    recipient: str
    data: bytes


class Connection(Protocol):
    """The sender's side of one connection, logged in. A context manager: leaving it says QUIT and
    closes.
    """

    def send(self, message: Message) -> None:
        """MAIL, RCPT, DATA and body of one message. Returns once the relay has answered 250 to the
        body.

        Raises Refused for the first 4xx or 5xx, Disconnected when the connection dies.
        """

    def close(self) -> None:
        """QUIT and close; does nothing on a connection that is closed already, and never raises."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Sender(Protocol):
    """What one worker has of the world. Times are seconds."""

    username: str
    """The username this worker logs in with."""
    ip: str
    """The address that this worker's connections come from."""

    def take(self, most: int = 1) -> list[Message]:
        """Waits until a message is in the outbox and returns at most ``most``; empty when the
        workload has ended.

        The workload has ended when nothing more comes in and every message is settled: a worker
        with nothing to do waits while another still has messages in its hands, since those may be
        put back. Messages that this worker took before, and neither got accepted nor put back, are
        given up by this call.
        """

    def put_back(self, message: Message) -> None:
        """Puts a taken message first in the outbox. StrategyError if it is there already or never
        came from it.
        """

    def connect(self) -> Connection:
        """TCP, greeting, EHLO, STARTTLS, AUTH. Raises Refused (535 too) or Disconnected; then
        nothing is open.
        """

    def sleep(self, seconds: float) -> None:
        """Does nothing for ``seconds``, a finite number of 0 or more."""

    def now(self) -> float:
        """Seconds since the run began."""

    def random(self) -> float:
        """A number in [0, 1) from this worker's own stream, the same in every run with the same
        seed.
        """

    def spawn(self, function: Callable[..., Any], *args: Any) -> None:
        """Starts a further worker, which calls ``function(sender, *args)`` with a sender of its
        own.

        It has this worker's username and IP. Messages among ``args``, also in lists and tuples,
        pass into its hands.
        """


def messages_among(args: Iterable[Any]) -> Iterator[Message]:
    """The messages among the arguments of ``spawn``, also in lists and tuples; for the doors."""
    for arg in args:
        if isinstance(arg, Message):
            yield arg
        elif isinstance(arg, list | tuple):
            yield from messages_among(arg)
