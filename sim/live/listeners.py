"""The ports of a live relay, and the limit of open files that they share.

``Listeners`` opens ports, closes them, and shuts them for a while when the relay is down. Each
connection is an open file: ``raise_limit`` raises the limit of this process, and ``Shortage``
reports that no more connections can be accepted. Knows no SMTP.
"""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..errors import ScenarioError
from .settings import ALL_LOOPBACK
from .transport import SocketTransport

BACKLOG = 4096
"""Connections that can wait to be accepted; the kernel's limit can be lower."""

AT_ONCE = 64
"""Connections that are accepted before the open ones get their turn."""
RETRY = 1.0
"""Seconds until the next attempt after a connection could not be accepted."""

FILES_WANTED = 16_384
FILES_ENOUGH = 2_500
"""For two thousand idle connections and the other files of a process."""

SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

Make = Callable[[], asyncio.Protocol]


class Port(NamedTuple):
    """A bound socket, and the factory of its connections' protocols."""

    bound: socket.socket
    make: Make


class Listeners:
    """All ports of one relay, in one loop."""

    def __init__(self) -> None:
        self._ports: list[Port] = []
        self._retries: set[asyncio.TimerHandle] = set()
        self.is_down = False

    def open(self, addresses: tuple[str, ...], port: int, make: Make) -> int:
        """Listens on ``port`` of each address, or on any free port for 0; returns the port. Raises
        ScenarioError if that is not possible.
        """
        for address in addresses:
            bound = _bound(address, port)
            port = bound.getsockname()[1]
            self._ports.append(Port(bound, make))
            self._listen(self._ports[-1])
        return port

    def close(self) -> None:
        """Accepts no more connections."""
        for port in self._ports:
            self._shut(port)
        self._ports.clear()
        for retry in self._retries:
            retry.cancel()

    def go_down(self) -> None:
        """Refuses TCP connections: a socket that is bound but does not listen keeps the port."""
        if self.is_down:
            return
        self.is_down = True
        for place, port in enumerate(self._ports):
            address, number = port.bound.getsockname()[:2]
            self._shut(port)
            self._ports[place] = Port(_bound(address, number), port.make)

    def come_back(self) -> None:
        """Accepts TCP connections again."""
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
        """No file or memory is left for another connection: the open ones continue, and the next
        attempt is in a while.
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
            # Accepted sockets inherit this.
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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
    """Whether another port would help. For a port above 65,535 the error is an OverflowError."""
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


def raise_limit() -> str | None:
    """Raises this process's soft limit of open files; returns a warning if it stays too low.

    The usual soft limit of 1,024 exists for programs that call select(); a program that does not
    can raise it (systemd's advice, "Process Exec/Runtime Properties", LimitNOFILE).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
        except (OSError, ValueError):  # the system allows less than its hard limit
            pass
    if soft == resource.RLIM_INFINITY or soft >= FILES_ENOUGH:
        return None
    return (
        f"at most {soft:,} files may be open at once, each connection is one, and those "
        "beyond wait; "
        "ulimit -n in the shell, or the system's own limit, allows more"
    )


class Shortage:
    """An asyncio loop's exception handler that prints one line, once, when no more connections can
    be accepted.
    """

    def __init__(self) -> None:
        self._reported = False

    def __call__(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        """Handles ``context``; passes every other error on to asyncio."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in SHORTAGES:
            loop.default_exception_handler(dict(context))
        elif not self._reported:
            self._reported = True
            print(
                f"relaysim: no more connections for now: {error.strerror}; others wait",
                file=sys.stderr,
                flush=True,
            )
