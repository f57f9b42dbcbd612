"""A peer of the live relay made of a bare socket: it can say anything, slowly or not at all.
Asserts nothing of limits.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Callable
from typing import Self

PATIENCE = 600.0
"""Seconds for anything that must come; no test passes by waiting so long."""

EHLO = b"EHLO me.example\r\n"
LOGIN = b"AUTH PLAIN AHVzZXIxAHNlY3JldA==\r\n"
"""user1 and secret."""
OPEN = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
MESSAGE = OPEN + b"Subject: x\r\n\r\nhi\r\n.\r\n"
QUIT = b"QUIT\r\n"


class Peer:
    """A connection, through the greeting unless told otherwise."""

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
        """Sends them all."""
        self.sock.sendall(octets)
        return self

    def line(self) -> bytes:
        """The next line with its end; what is left where the relay has closed."""
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
        """The codes of the next ``number`` replies; fewer where the relay has closed."""
        found: list[int] = []
        while len(found) < number:
            line = self.line()
            if not line:
                break
            if line[3:4] != b"-":
                found.append(int(line[:3]))
        return found

    def ask(self, octets: bytes, number: int = 1) -> list[int]:
        """Says it and reads ``number`` codes."""
        return self.say(octets).codes(number)

    def exactly(self, octets: int) -> bytes:
        """So many octets; fewer where the relay has closed."""
        while len(self._unread) < octets and (piece := self.piece()):
            self._unread += piece
        found = self._unread[:octets]
        self._unread = self._unread[octets:]
        return found

    def rest(self) -> bytes:
        """All that comes until the relay closes."""
        found = self._unread
        while piece := self.piece():
            found += piece
        self._unread = b""
        return found

    def logged_in(self) -> Self:
        """Through EHLO and AUTH."""
        codes = self.ask(EHLO, 1) + self.ask(LOGIN, 1)
        assert codes == [250, 235], codes
        return self

    def wrap(self, context: ssl.SSLContext) -> Self:
        """TLS begins."""
        self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        self._unread = b""
        return self

    def half_close(self) -> Self:
        """Says no more."""
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def reset(self) -> None:
        """Goes without a word: TCP's RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def piece(self) -> bytes:
        """The next octets; none where the relay has closed."""
        try:
            return self.sock.recv(65_536)
        except ConnectionError:
            return b""


def until(true: Callable[[], object], what: str) -> None:
    """Waits for it; AssertionError with ``what`` after PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"still not: {what}"
        time.sleep(0.01)
