"""A peer of the live relay on a plain socket. It can send anything, slowly or not at all.

Asserts nothing about limits.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Callable
from typing import Self

PATIENCE = 600.0
"""Timeout in seconds for anything that must arrive. No test passes by waiting this long."""

EHLO = b"EHLO me.example\r\n"
LOGIN = b"AUTH PLAIN AHVzZXIxAHNlY3JldA==\r\n"
"""user1 and secret."""
OPEN = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
MESSAGE = OPEN + b"Subject: x\r\n\r\nhi\r\n.\r\n"
QUIT = b"QUIT\r\n"


class Peer:
    """A connection. Reads the greeting, unless ``greeted`` is false."""

    def __init__(self, port: int, *, source: str = "", greeted: bool = True) -> None:
        self.sock = socket.create_connection(
            ("127.0.0.1", port), PATIENCE, (source, 0) if source else None
        )
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""
        if greeted:
            self.codes(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *what: object) -> None:
        self.sock.close()

    def say(self, octets: bytes) -> Self:
        """Sends all ``octets``."""
        self.sock.sendall(octets)
        return self

    def line(self) -> bytes:
        """The next line with its end. If the relay has closed, the incomplete rest."""
        while b"\n" not in self._unread:
            piece = self.piece()
            if not piece:
                rest = self._unread
                self._unread = b""
                return rest
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        return line + b"\n"

    def codes(self, number: int) -> list[int]:
        """The codes of the next ``number`` replies; fewer if the relay has closed."""
        found: list[int] = []
        while len(found) < number:
            line = self.line()
            if not line:
                break
            if line[3:4] != b"-":
                found.append(int(line[:3]))
        return found

    def ask(self, octets: bytes, number: int = 1) -> list[int]:
        """Sends ``octets`` and reads ``number`` codes."""
        return self.say(octets).codes(number)

    def exactly(self, octets: int) -> bytes:
        """The next ``octets`` octets; fewer if the relay has closed."""
        while len(self._unread) < octets and (piece := self.piece()):
            self._unread += piece
        found = self._unread[:octets]
        self._unread = self._unread[octets:]
        return found

    def rest(self) -> bytes:
        """Everything until the relay closes."""
        found = self._unread
        while piece := self.piece():
            found += piece
        self._unread = b""
        return found

    def logged_in(self) -> Self:
        """Sends EHLO and AUTH."""
        codes = self.ask(EHLO, 1) + self.ask(LOGIN, 1)
        assert codes == [250, 235], codes
        return self

    def wrap(self, context: ssl.SSLContext) -> Self:
        """Begins TLS."""
        self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        self._unread = b""
        return self

    def half_close(self) -> Self:
        """Ends the sending side."""
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def reset(self) -> None:
        """Resets the connection (TCP's RST)."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def piece(self) -> bytes:
        """The next octets; empty if the relay has closed."""
        try:
            return self.sock.recv(65_536)
        except ConnectionError:
            return b""


def until(true: Callable[[], object], what: str) -> None:
    """Waits until ``true()`` holds. Raises AssertionError with ``what`` after PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"still not: {what}"
        time.sleep(0.01)
