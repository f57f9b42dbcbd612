"""The ports of a live relay: opened, closed for good, or shut for a while as a relay that is down
shuts them. Knows no SMTP.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ..errors import ScenarioError
from .settings import ALL_LOOPBACK
from .transport import SocketTransport

BACKLOG = 4096
"""Connections that may wait to be accepted; the kernel has a limit of its own."""

AT_ONCE = 64
"""Connections that are accepted before those that are open have their turn."""
RETRY = 1.0
"""Seconds before the next is tried where one cannot be accepted."""

Make = Callable[[], asyncio.Protocol]


class Port(NamedTuple):
    """A bound socket, and what makes the protocols of its connections."""

    bound: socket.socket
    make: Make


class Listeners:
    """All ports of one relay, in one loop."""

    def __init__(self) -> None:
        self._ports: list[Port] = []
        self._retries: set[asyncio.TimerHandle] = set()
        self.is_down = False

    def open(self, addresses: tuple[str, ...], port: int, make: Make) -> int:
        """Listens on ``port`` of each address, 0 is any free one; returns it. ScenarioError where
        that cannot be.
        """
        for address in addresses:
            bound = _bound(address, port)
            port = bound.getsockname()[1]
            self._ports.append(Port(bound, make))
            self._listen(self._ports[-1])
        return port

    def close(self) -> None:
        """Accepts nothing more."""
        for port in self._ports:
            self._shut(port)
        self._ports.clear()
        for retry in self._retries:
            retry.cancel()

    def go_down(self) -> None:
        """TCP is refused: a socket that is bound and does not listen keeps the port, and nobody can
        connect.
        """
        if self.is_down:
            return
        self.is_down = True
        for place, port in enumerate(self._ports):
            address, number = port.bound.getsockname()[:2]
            self._shut(port)
            self._ports[place] = Port(_bound(address, number), port.make)

    def come_back(self) -> None:
        """TCP is accepted again."""
        if self.is_down:
            self.is_down = False
            for port in self._ports:
                self._listen(port)

    def _listen(self, port: Port) -> None:
        port.bound.listen(BACKLOG)
        asyncio.get_running_loop().add_reader(port.bound, self._accept, port)

    def _shut(self, port: Port) -> None:
        asyncio.get_running_loop().remove_reader(port.bound)
        port.bound.close()

    def _accept(self, port: Port) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(AT_ONCE):
            try:
                connected, peer = port.bound.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._wait(port, error)
                return
            connected.setblocking(False)  # noqa: FBT003 - its only parameter
            SocketTransport(loop, connected, peer, port.make()).start()

    def _wait(self, port: Port, error: OSError) -> None:
        """No file or memory is left for another connection: those that are open go on, and the next
        is tried in a while.
        """
        loop = asyncio.get_running_loop()
        loop.call_exception_handler(
            {"message": "a connection cannot be accepted", "exception": error}
        )
        loop.remove_reader(port.bound)

        def again() -> None:
            self._retries.discard(retry)
            if port in self._ports and not self.is_down:
                loop.add_reader(port.bound, self._accept, port)

        retry = loop.call_later(RETRY, again)
        self._retries.add(retry)


def _bound(address: str, port: int) -> socket.socket:
    """A socket bound to ``address`` that does not listen yet."""
    host = "0.0.0.0" if address == ALL_LOOPBACK else address
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, where = found[0]
        bound = socket.socket(family, kind, protocol)
        with _closed_on_error(bound):
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
            )  # what it accepts has it from here
            if family == socket.AF_INET6:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bound.bind(where)
    except (OSError, OverflowError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        remedy = (
            "take another port, or 0 for a free one"
            if _of_port(error)
            else "--bind takes an address of this machine"
        )
        problem = f"cannot listen on {address or 'nothing'} port {port}: {why}; {remedy}"
        raise ScenarioError("command line", "", problem) from None
    bound.setblocking(False)  # noqa: FBT003 - its only parameter
    return bound


def _of_port(error: Exception) -> bool:
    """Whether another port would do; a port of which there is none is an OverflowError."""
    return isinstance(error, OverflowError) or getattr(error, "errno", None) in (
        errno.EADDRINUSE,
        errno.EACCES,
    )


@contextmanager
def _closed_on_error(bound: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        bound.close()
        raise
