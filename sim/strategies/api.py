"""The interface of a strategy: everything that a strategy can use, implemented by each door.

A strategy is a function with one parameter named ``sender``, or a class with ``options`` and
``run(sender)``. The same function runs in virtual time (``sim.world``) and in production
(``sim.production``).
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
    """One e-mail to be sent. ``id`` is unique, ``data`` has the headers and the body with CRLF line
    ends.
    """

    id: str
    recipient: str
    data: bytes


class Connection(Protocol):
    """The sender's side of one connection, logged in. A context manager: leaving it sends QUIT and
    closes.
    """

    def send(self, message: Message) -> None:
        """Sends MAIL, RCPT, DATA and the body of one message. Returns when the relay has
        answered 250 to the body.

        Raises Refused for the first 4xx or 5xx, Disconnected if the connection dies.
        """

    def close(self) -> None:
        """Sends QUIT and closes. Does nothing if the connection is already closed; never raises."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Sender(Protocol):
    """The interface of one worker. Times are seconds."""

    username: str
    """The username this worker logs in with."""
    ip: str
    """The address that this worker's connections come from."""

    def take(self, most: int = 1) -> list[Message]:
        """Waits until a message is in the outbox and returns at most ``most``. Returns an empty
        list when the workload has ended.

        The workload has ended when no more messages come and every message is settled. A worker
        with nothing to do waits while another one still holds messages, because those may be put
        back. This call gives up the messages that this worker took earlier and that were neither
        accepted nor put back.
        """

    def put_back(self, message: Message) -> None:
        """Puts a message that was taken back at the front of the outbox. StrategyError if it is
        already there or never came from it.
        """

    def connect(self) -> Connection:
        """Connects and logs in: TCP, greeting, EHLO, STARTTLS, AUTH. Raises Refused (also for 535)
        or Disconnected; then no connection is open.
        """

    def sleep(self, seconds: float) -> None:
        """Sleeps for ``seconds``, a finite number of 0 or more."""

    def now(self) -> float:
        """Seconds since the run began."""

    def random(self) -> float:
        """A number in [0, 1) from this worker's own stream, the same in every run with the same
        seed.
        """

    def spawn(self, function: Callable[..., Any], *args: Any) -> None:
        """Starts another worker, which calls ``function(sender, *args)`` with a separate sender.

        It has this worker's username and IP. It takes over the messages among ``args``, also those
        in lists and tuples.
        """


def messages_among(args: Iterable[Any]) -> Iterator[Message]:
    """The messages among the arguments of ``spawn``, also in lists and tuples; for the doors."""
    for arg in args:
        if isinstance(arg, Message):
            yield arg
        elif isinstance(arg, list | tuple):
            yield from messages_among(arg)
