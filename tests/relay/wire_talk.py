"""A conversation with a real relay through the byte door, held in several cuts of its octets that
must come to the same.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from sim.relay import Relay, load
from sim.relay.wire import Wire

IP = "198.18.0.1"
LINE = re.compile(rb"([2-5][0-5][0-9])([ -])([ -~]{0,506})\r\n")
"""A reply's line as RFC 5321 4.2 and 4.5.3.1.5 have it."""

EHLO = b"EHLO me.example\r\n"
PLAIN = b"AUTH PLAIN " + b64encode(b"\0user1\0secret") + b"\r\n"
LOGGED_IN = EHLO + PLAIN
OPEN = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"
MESSAGE = OPEN + b"Subject: x\r\n\r\nHello\r\n.\r\n"


class Seen:
    """An observer that keeps every call, so that these tests need no package above the relay."""

    def __init__(self) -> None:
        self.opened_at: dict[int, int] = {}
        self.closed_at: dict[int, int] = {}
        self.logins: list[tuple[str, str]] = []  # username and outcome
        self.acceptances: list[str | None] = []  # the messages
        self.incidents: list[str] = []  # the limits
        self.blocks: list[str] = []

    def opened(self, at: int, connection: int, ip: str, refused: str | None) -> None:
        self.opened_at[connection] = at

    def closed(self, at: int, connection: int) -> None:
        self.closed_at[connection] = at

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        self.logins.append((username, outcome))

    def accepted(self, at: int, connection: int, message: str | None) -> None:
        self.acceptances.append(message)

    def incident(
        self,
        at: int,
        limit: str,
        code: int | None,
        text: str,
        ip: str,
        username: str | None,
        connection: int,
        message: str | None,
    ) -> None:
        self.incidents.append(limit)

    def block(
        self, limit: str, ip: str | None, username: str | None, from_: int, until: int
    ) -> None:
        self.blocks.append(limit)


class Answer(NamedTuple):
    """One reply as read back from the wire."""

    code: int
    lines: tuple[str, ...]


class Talk(NamedTuple):
    """What came of a conversation. ``answers`` without the greeting."""

    answers: list[Answer]
    wire: Wire
    seen: Seen

    @property
    def codes(self) -> list[int]:
        """The codes alone."""
        return [answer.code for answer in self.answers]

    @property
    def last(self) -> str:
        """Code and text of the last answer's first line."""
        return f"{self.answers[-1].code} {self.answers[-1].lines[0]}"


def relay(
    seen: Seen, *, policy: dict[str, Any] | None = None, wrong: bool = False, **options: Any
) -> Relay:
    """The shipped policy at work, with ``policy`` laid over it; every password is right unless
    ``wrong``.
    """
    return Relay(
        load("mailersend", policy or {}, "test", Path()),
        seen,
        lambda username, password, now: not wrong,
        **options,
    )


def answers(octets: bytes) -> list[Answer]:
    """Every reply in ``octets``, which must be whole and well formed."""
    found: list[Answer] = []
    at = 0
    lines = []
    while at < len(octets):
        line = LINE.match(octets, at)
        assert line, f"not a reply's line: {octets[at : at + 80]!r}"
        lines.append((int(line[1]), line[3].decode("ascii")))
        at = line.end()
        if line[2] == b" ":
            assert len({code for code, _ in lines}) == 1, f"one reply with several codes: {lines}"
            found.append(Answer(lines[0][0], tuple(text for _, text in lines)))
            lines = []
    assert not lines, f"a reply without its last line: {lines}"
    return found


def held(pieces: Iterable[bytes], **options: Any) -> tuple[bytes, Wire, Seen]:
    """Sends ``pieces`` on a new connection; returns the relay's octets after the greeting."""
    seen = Seen()
    wire = Wire(relay(seen, **options).connect(IP, 0))
    wire.greeting(0)
    return b"".join([wire.receive(piece, 1) for piece in pieces]), wire, seen


def cuts(data: bytes) -> dict[str, list[bytes]]:
    """The same octets cut in several ways; the last with the beginning of a further line behind
    them.
    """
    lines = data.splitlines(keepends=True)
    whole = data if data.endswith(b"\r\n") else data + b"\r"
    return {
        "byte by byte": [data[i : i + 1] for i in range(len(data))],
        "line by line": lines,
        "in sevens": [data[i : i + 7] for i in range(0, len(data), 7)],
        "with trailing bytes": [whole + b"NOOP"],
    }


def talk(data: bytes, **options: Any) -> Talk:
    """Holds the conversation whole and in every other cut; they must come to the same replies, rows
    and state.
    """
    written, wire, seen = held([data], **options)
    for name, pieces in cuts(data).items():
        other, otherwise, saw = held(pieces, **options)
        assert other == written, f"{name}: {other!r} and not {written!r}"
        assert vars(saw) == vars(seen), name
        assert (otherwise.closed, otherwise.dropped, otherwise.starttls) == (
            wire.closed,
            wire.dropped,
            wire.starttls,
        ), name
    return Talk(answers(written), wire, seen)
