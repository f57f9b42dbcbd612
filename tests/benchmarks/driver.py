"""A sender for benchmarks: many sessions at once over epoll, each with a login and five messages,
one command at a time.

Does as little as it can, so that the relay is what is measured. Knows the codes of success and
nothing else.
"""

from __future__ import annotations

import select
import socket
from base64 import b64encode

PER_CONNECTION = 5
BODY = b"Subject: x\r\n\r\n" + b"x" * 70 * 14 + b"\r\n.\r\n"
OPENING = [b"EHLO me.example\r\n", b"AUTH PLAIN " + b64encode(b"\0user1\0secret") + b"\r\n"]


class _Session:
    """One connection after the other, until nothing is left to send."""

    def __init__(
        self,
        poll: select.epoll,
        port: int,
        left: list[int],
        sessions: dict[int, _Session],
        first: int,
    ) -> None:
        self._poll = poll
        self._port = port
        self._left = left
        self._sessions = sessions
        self._first = first
        self.accepted = 0
        self._connect()

    def _connect(self) -> None:
        number = min(PER_CONNECTION, self._left[0])
        if number == 0:
            return
        self._left[0] -= number
        self._socket = socket.create_connection(("127.0.0.1", self._port))
        self._socket.setblocking(False)
        commands = list(OPENING)
        for each in range(number):
            recipient = self._first + self._left[0] + each
            commands += [
                b"MAIL FROM:<a@example.com>\r\n",
                b"RCPT TO:<b%d@example.com>\r\n" % recipient,
                b"DATA\r\n",
                BODY,
            ]
        self._commands = [*commands, b"QUIT\r\n"]
        self._next = 0
        self._poll.register(self._socket, select.EPOLLIN)
        self._sessions[self._socket.fileno()] = self

    def heard(self) -> None:
        """Something came: an answer, in one piece as short ones do."""
        data = self._socket.recv(4096)
        step = self._next
        if not data or data[:1] in b"45":
            raise SystemExit(f"the relay answered {data!r} to {self._commands[step - 1]!r}")
        if step > len(OPENING) and step % 4 == len(OPENING) % 4:
            self.accepted += 1
        if step < len(self._commands):
            self._next += 1
            self._socket.send(self._commands[step])
            return
        self._poll.unregister(self._socket)
        del self._sessions[self._socket.fileno()]
        self._socket.close()
        self._connect()


def drive(port: int, messages: int, *, sessions: int, first: int = 0) -> int:
    """Sends so many messages to 127.0.0.1 and returns how many were accepted; their recipients are
    numbered from ``first`` on.
    """
    left = [messages]
    open_ones = dict[int, _Session]()
    with select.epoll() as poll:
        made = [_Session(poll, port, left, open_ones, first) for _ in range(sessions)]
        while open_ones:
            for number, _ in poll.poll(30):
                open_ones[number].heard()
    return sum(session.accepted for session in made)
