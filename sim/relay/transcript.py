"""A session that writes down what was said: one line a command with the codes that answered it, for
comparing two senders.

``AUTH LOGIN 334 235`` is a login with one challenge; ``EOF`` a connection that the peer ended
without QUIT. What never reaches the session (a verb that is unknown, an AUTH exchange that is
broken off) is not in it. Knows nothing of who compares.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..smtp.replies import Reply
from .session import Session


@dataclass(slots=True)
class Transcript:
    """What was said on one connection; ``times`` are the microseconds at which each of ``lines``
    was judged.
    """

    lines: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)


class TranscribedSession(Session):
    """A Session that keeps its ``transcript``. Costs a string a command; ``Relay(transcribe=True)``
    makes them.
    """

    __slots__ = ("transcript",)

    transcript: Transcript

    def greeting(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted(now, "GREETING", super().greeting(now))

    def hello(self, name: str, now: int, *, extended: bool = True) -> Reply | None:
        """As in Session."""
        return self._noted(
            now, "EHLO" if extended else "HELO", super().hello(name, now, extended=extended)
        )

    def reach_login(self) -> bool:
        """False: command by command, so that each has its line."""
        return False

    def starttls(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted(now, "STARTTLS", super().starttls(now))

    def auth(
        self,
        username: str,
        password: str,
        now: int,
        *,
        mechanism: str = "PLAIN",
        challenges: int = 0,
    ) -> Reply | None:
        """As in Session."""
        return self._noted(
            now, f"AUTH {mechanism}" + " 334" * challenges, super().auth(username, password, now)
        )

    def mail(
        self, sender: str, now: int, *, size: int | None = None, message: str | None = None
    ) -> Reply | None:
        """As in Session."""
        return self._noted(now, "MAIL", super().mail(sender, now, size=size, message=message))

    def rcpt(self, recipient: str, now: int) -> Reply | None:
        """As in Session."""
        return self._noted(now, "RCPT", super().rcpt(recipient, now))

    def data(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted(now, "DATA", super().data(now))

    def body(self, size: int, now: int, *, message: str | None = None) -> Reply | None:
        """As in Session."""
        return self._noted(now, "BODY", super().body(size, now, message=message))

    def may_transact(self, size: int) -> bool:
        """As ``transact``."""
        return False

    def transact(self, message: str, size: int, accepted_at: int) -> bool:
        """Never in one go: each command is asked for by itself, so that its line has its time."""
        return False

    def rset(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted(now, "RSET", super().rset(now))

    def noop(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted(now, "NOOP", super().noop(now))

    def vrfy(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted(now, "VRFY", super().vrfy(now))

    def help(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted(now, "HELP", super().help(now))

    def quit(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted(now, "QUIT", super().quit(now))

    def leave(self, now: int) -> bool:
        """False: by ``quit``, which has its line."""
        return False

    def lost(self, now: int) -> None:
        """As in Session."""
        if not self.closed:
            self._note(now, "EOF")
        super().lost(now)

    def _note(self, now: int, line: str) -> None:
        self.transcript.lines.append(line)
        self.transcript.times.append(now)

    def _noted(self, now: int, said: str, reply: Reply | None) -> Reply | None:
        self._note(now, f"{said} {'dropped' if reply is None else reply.code}")
        return reply
