"""A small SMTP receiver on loopback, made from the standard library, with scripted answers at each
stage.

Writes down which messages came over which connection, and every line. Knows no limits.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sim.production import Account

PATIENCE = 600.0
"""Seconds to wait for anything that must come. No test passes by waiting this long."""

ACCOUNT: dict[str, Any] = {
    "sender_address": "me@example.com",
    "tls": "none",
    "timeout": PATIENCE,
    "usernames": [("user1", "secret")],
}

USUAL = {
    "CONNECT": "220 receiver",
    "EHLO": "250-receiver\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
    "AUTH": "235 in",
    "DATA": "354 go on",
    "QUIT": "221 bye",
}


class Receiver(socketserver.ThreadingTCPServer):
    """``says`` maps (verb, how often it was heard over all connections) to an answer, "drop" or
    "hold" (no answer at all).

    CONNECT and BODY are verbs here; a verb that SMTP does not have is the answer to a challenge.
    """

    daemon_threads = False
    block_on_close = True
    allow_reuse_address = True

    def __init__(self, says: dict[tuple[str, int], str]) -> None:
        self.says = says
        self.heard: dict[str, int] = {}
        self.batches: list[list[str]] = []
        self.lines: list[list[str]] = []
        self.bodies: list[bytes] = []
        self.lock = threading.Lock()
        self.freed = threading.Event()  # ends every "hold"
        super().__init__(("127.0.0.1", 0), Talk)

    @property
    def verbs(self) -> list[list[str]]:
        """The verbs of each connection."""
        return [[line.split()[0].upper() for line in lines] for lines in self.lines]

    def answer(self, verb: str) -> str:
        """The scripted answer, or the usual one."""
        with self.lock:
            self.heard[verb] = self.heard.get(verb, 0) + 1
            return self.says.get((verb, self.heard[verb]), USUAL.get(verb, "250 fine"))


class Talk(socketserver.StreamRequestHandler):
    """One connection."""

    server: Receiver

    def say(self, verb: str) -> str:
        """Answers; "" where the connection is to end."""
        text = self.server.answer(verb)
        if text == "hold":
            self.server.freed.wait()
        if text in ("drop", "hold"):
            return ""
        self.wfile.write(text.encode() + b"\r\n")
        if text.startswith("421"):
            # Records commands that still come after the 421.
            self.lines += [line.decode().strip() for line in self.rfile]
        return "" if text.startswith(("421", "221")) else text

    def handle(self) -> None:
        self.batch: list[str] = []
        self.lines: list[str] = []
        with self.server.lock:
            self.server.batches.append(self.batch)
            self.server.lines.append(self.lines)
        with suppress(ConnectionError):  # the sender may hang up
            self.talk()

    def talk(self) -> None:
        said = self.say("CONNECT")
        lines = self.lines
        while said and (line := self.rfile.readline()):
            lines.append(line.decode().strip())
            said = self.say(lines[-1].split()[0].upper())
            if lines[-1].upper() == "DATA" and said.startswith("354"):
                body = list(iter(self.rfile.readline, b".\r\n"))
                said = self.say("BODY")
                if said.startswith("250"):
                    self.server.bodies.append(b"".join(body))
                    self.batch += [
                        line.split()[1].decode()
                        for line in body
                        if line.startswith(b"X-Relaysim-Id:")
                    ]


@contextmanager
def receiver(
    says: dict[tuple[str, int], str] | None = None, **account: Any
) -> Iterator[tuple[Receiver, Account]]:
    """A receiver that runs, and how to reach it."""
    with Receiver(says or {}) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield (
                server,
                Account(
                    relay="127.0.0.1", port=int(server.server_address[1]), **{**ACCOUNT, **account}
                ),
            )
        finally:
            server.freed.set()
            server.shutdown()
            thread.join()


def workload(number: int) -> list[tuple[str, bytes]]:
    """So many small messages."""
    return [
        (f"m{index}@example.com", b"Subject: x\r\n\r\nhello\r\n") for index in range(1, number + 1)
    ]
