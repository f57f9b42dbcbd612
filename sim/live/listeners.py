"""The ports of a live relay: opened, closed for good, or shut for a while as a relay that is down shuts them. Knows no SMTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ..errors import ScenarioError
from .settings import ALL_LOOPBACK

BACKLOG = 4096
"""Connections that may wait to be accepted; the kernel has a limit of its own."""

Make = Callable[[], asyncio.Protocol]


class Port(NamedTuple):
    """A bound socket, what makes its connections' protocols, and what listens, while something does."""

    bound: socket.socket
    make: Make
    listening: asyncio.Server | None


class Listeners:
    """All ports of one relay, in one loop."""

    def __init__(self) -> None:
        self._ports: list[Port] = []
        self.is_down = False
        self._task: asyncio.Task[None] | None = None

    async def open(self, addresses: tuple[str, ...], port: int, make: Make) -> int:
        """Listens on ``port`` of each address, 0 is any free one; returns it. ScenarioError where that cannot be."""
        for address in addresses:
            bound = _bound(address, port)
            port = bound.getsockname()[1]
            self._ports.append(Port(bound, make, await _serve(bound, make)))
        return port

    def close(self) -> None:
        """Accepts nothing more."""
        for port in self._ports:
            if port.listening is not None:
                port.listening.close()
            else:
                port.bound.close()
        self._ports.clear()

    def go_down(self) -> None:
        """TCP is refused: a socket that is bound and does not listen keeps the port, and nobody can connect."""
        if self.is_down:
            return
        self.is_down = True
        shut = []
        for port in self._ports:
            address, number = port.bound.getsockname()[:2]
            if port.listening is not None:
                port.listening.close()
            shut.append(Port(_bound(address, number), port.make, None))
        self._ports = shut

    def come_back(self) -> None:
        """TCP is accepted again."""
        if self.is_down:
            self.is_down = False
            self._task = asyncio.get_running_loop().create_task(self._listen_again())

    async def _listen_again(self) -> None:
        self._ports = [Port(port.bound, port.make, await _serve(port.bound, port.make)) for port in self._ports]


async def _serve(bound: socket.socket, make: Make) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(make, sock=bound, backlog=BACKLOG)


def _bound(address: str, port: int) -> socket.socket:
    """A socket bound to ``address`` that does not listen yet."""
    host = "0.0.0.0" if address == ALL_LOOPBACK else address
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, where = found[0]
        bound = socket.socket(family, kind, protocol)
        with _closed_on_error(bound):
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bound.bind(where)
    except (OSError, OverflowError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        problem = f"cannot listen on {address} port {port}: {why}; --port 0 takes a free one"
        raise ScenarioError("command line", "", problem) from None
    bound.setblocking(False)  # noqa: FBT003 - its only parameter
    return bound


@contextmanager
def _closed_on_error(bound: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        bound.close()
        raise
