"""A session that writes down what was said: one line a command with the codes that answered it, for comparing two senders.

``AUTH LOGIN 334 235`` is a login with one challenge; ``EOF`` a connection that the peer ended without QUIT. What never
reaches the session (a verb that is unknown, an AUTH exchange that is broken off) is not in it. Knows nothing of who compares.
"""

from __future__ import annotations

from ..smtp.replies import Reply
from .session import Session


class TranscribedSession(Session):
    """A Session whose ``lines`` hold its transcript. Costs a string a command; ``Relay(transcribe=True)`` makes them."""

    __slots__ = ("lines",)

    lines: list[str]

    def greeting(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted("GREETING", super().greeting(now))

    def hello(self, name: str, now: int, *, extended: bool = True) -> Reply | None:
        """As in Session."""
        return self._noted("EHLO" if extended else "HELO", super().hello(name, now, extended=extended))

    def starttls(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted("STARTTLS", super().starttls(now))

    def auth(self, username: str, password: str, now: int, *, mechanism: str = "PLAIN", challenges: int = 0) -> Reply | None:
        """As in Session."""
        return self._noted(f"AUTH {mechanism}" + " 334" * challenges, super().auth(username, password, now))

    def mail(self, sender: str, now: int, *, size: int | None = None, message: str | None = None) -> Reply | None:
        """As in Session."""
        return self._noted("MAIL", super().mail(sender, now, size=size, message=message))

    def rcpt(self, recipient: str, now: int) -> Reply | None:
        """As in Session."""
        return self._noted("RCPT", super().rcpt(recipient, now))

    def data(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted("DATA", super().data(now))

    def body(self, size: int, now: int, *, message: str | None = None) -> Reply | None:
        """As in Session."""
        return self._noted("BODY", super().body(size, now, message=message))

    def transact(self, message: str, size: int, accepted_at: int) -> bool:
        """As in Session."""
        done = super().transact(message, size, accepted_at)
        if done:
            self.lines += ["MAIL 250", "RCPT 250", "DATA 354", "BODY 250"]
        return done

    def rset(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted("RSET", super().rset(now))

    def noop(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted("NOOP", super().noop(now))

    def vrfy(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted("VRFY", super().vrfy(now))

    def help(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted("HELP", super().help(now))

    def quit(self, now: int) -> Reply | None:
        """As in Session."""
        return self._noted("QUIT", super().quit(now))

    def lost(self, now: int) -> None:
        """As in Session."""
        if not self.closed:
            self.lines.append("EOF")
        super().lost(now)

    def _noted(self, said: str, reply: Reply | None) -> Reply | None:
        self.lines.append(f"{said} {'dropped' if reply is None else reply.code}")
        return reply
