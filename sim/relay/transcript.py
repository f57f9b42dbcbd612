"""A session that keeps a transcript: one line per command with the codes that answered it, to
compare two senders.

``AUTH LOGIN 334 334 235`` is a login with two challenges; ``EOF`` a connection that the peer ended
without QUIT. Commands that never reach the session, such as an unknown verb or an AUTH exchange
that is broken off, have no line.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..smtp.commands import Command, Connected, Credentials, Lost, TlsStarted
from ..smtp.replies import Reply
from .session import Session
from .terms import Terms


@dataclass(slots=True)
class Transcript:
    """The lines of one connection; ``times`` are the microseconds at which each was handled."""

    lines: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)

    def add(self, now: int, line: str) -> None:
        """Appends a line."""
        self.lines.append(line)
        self.times.append(now)


class TranscribedSession(Session):
    """A Session that appends to ``transcript``. ``Relay(transcribe=True)`` makes them."""

    __slots__ = ("transcript",)

    def __init__(self, terms: Terms, number: int, ip: str, secure: bool | None = None) -> None:
        super().__init__(terms, number, ip, secure)
        self.transcript = Transcript()

    def handle(self, command: Command, now: int) -> Reply | None:
        """Handles ``command`` and appends its line."""
        closed = self.closed
        reply = super().handle(command, now)
        if isinstance(command, Lost):
            if not closed:
                self.transcript.add(now, "EOF")
        elif not isinstance(command, TlsStarted):
            answer = "dropped" if reply is None else reply.code
            self.transcript.add(now, f"{_name(command)} {answer}")
        return reply


def _name(command: Command) -> str:
    match command:
        case Connected():
            return "GREETING"
        case Credentials(mechanism=mechanism, challenges=challenges):
            return f"AUTH {mechanism}" + " 334" * challenges
    return type(command).__name__.upper()
