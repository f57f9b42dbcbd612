"""Postfix's delivery agent, which sends one message over a new or a kept connection, and the
cache of kept connections.

Commands are pipelined if the relay allows it (RFC 2920): MAIL, RCPT and DATA together, and the body
with the QUIT after it. Written from smtp(8), scache(8) and the sources of Postfix (smtp_proto.c,
smtp_connect.c, smtp_reuse.c), and tested against version 3.7.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import floor

from ..api import Disconnected, Message, Refused
from ..dialogue import Dialogue, LibrarySender, Reply, Say
from .common import say, taken
from .postfix_destination import Delivery, Outcome

MICROSECOND = 1e-6
"""A shorter rest of time counts as none, because the sum of two floats may be off by this much."""


@dataclass(frozen=True, slots=True)
class Caching:
    """The parameters of main.cf that keep connections; times are seconds."""

    on_demand: bool
    under_tls: bool
    reuses: int
    idle: float
    longest: float


class Session:
    """A connection that is logged in. ``extended`` means that the relay accepted EHLO, ``kept``
    that the connection may go into the cache.
    """

    __slots__ = ("dialogue", "expires", "extended", "kept", "reused")

    def __init__(self, dialogue: Dialogue, expires: float) -> None:
        self.dialogue = dialogue
        self.expires = expires
        self.extended = True
        self.kept = False
        self.reused = 0


class Cache:
    """The unused connections, oldest first. Each is kept for a few seconds."""

    def __init__(self, idle: float) -> None:
        self._idle = idle
        self._sessions = deque[tuple[float, Session]]()
        self._watched = False

    def save(self, sender: LibrarySender, session: Session) -> None:
        """Keeps a connection, and closes it when its time is over."""
        self._sessions.append((sender.now() + self._idle, session))
        if not self._watched:
            self._watched = True
            sender.spawn(self._watch)

    def find(self) -> Session | None:
        """Takes out the oldest connection."""
        return self._sessions.popleft()[1] if self._sessions else None

    def _watch(self, sender: LibrarySender) -> None:
        while self._sessions:
            end, session = self._sessions[0]
            left = end - sender.now()
            if left >= MICROSECOND:
                sender.sleep(left)
            else:
                self._sessions.popleft()
                session.dialogue.leave(quit=False)
        self._watched = False


class Agent:
    """An smtp(8) process."""

    def __init__(self, sender: LibrarySender, spec: Caching, cache: Cache) -> None:
        self._sender = sender
        self._spec = spec
        self._cache = cache

    def deliver(self, message: Message, request: Delivery) -> Outcome:
        """Tries to deliver the message once."""
        caching = self._spec.on_demand and (self._sender.tls == "none" or self._spec.under_tls)
        session = self._reuse() if caching and request.load else None
        if session is None:
            session = self._connect()
            if session is None:
                return Outcome.UNREACHED
            session.kept = caching and request.store
        try:
            return self._transact(session, message)
        except Disconnected:
            session.kept = False
            return Outcome.UNREACHED
        finally:
            if session.kept and session.dialogue.open:
                self._cache.save(self._sender, session)
            else:
                session.dialogue.leave(quit=False)

    def _reuse(self) -> Session | None:
        """A kept connection that accepts RSET, if there is one."""
        session = self._cache.find()
        if session is None:
            return None
        session.reused += 1
        try:
            say(session.dialogue, "RSET")
        except (Refused, Disconnected):
            session.dialogue.leave(quit=False)
            return None
        return session

    def _connect(self) -> Session | None:
        """A new connection, logged in; None if the relay refuses it."""
        begun = floor(self._sender.now())  # like all clocks of Postfix, in whole seconds
        try:
            dialogue = self._sender.dial()
        except Disconnected:
            return None
        session = Session(dialogue, begun + self._spec.longest)
        try:
            taken(dialogue.greeting())
            self._hello(session)
            if session.extended and self._sender.tls == "starttls":
                say(dialogue, "STARTTLS")
                self._hello(session)
            if session.extended:
                taken(dialogue.say(Say("AUTH"))[0])
        except (Refused, Disconnected):
            dialogue.leave(quit=True)
            return None
        if self._sender.tls == "starttls" and not session.extended:
            dialogue.leave(quit=True)
            return None
        return session

    def _hello(self, session: Session) -> None:
        """EHLO, or HELO if that is refused, except by a 421."""
        (reply,) = session.dialogue.say(Say("EHLO"))
        if reply.code == 421:
            raise Refused(reply.code, reply.text)
        if not reply.ok:
            session.extended = False
            say(session.dialogue, "HELO")

    def _transact(self, session: Session, message: Message) -> Outcome:
        dialogue = session.dialogue
        self._expire(session)
        for reply in self._envelope(session, message):
            if not reply.ok:
                return self._give_in(session, reply)
        self._expire(session)
        body = Say("BODY", message)
        (answer, *_) = dialogue.say(body) if session.kept else dialogue.say(body, Say("QUIT"))
        return Outcome.SENT if answer.ok else _refused(answer)

    def _envelope(self, session: Session, message: Message) -> list[Reply]:
        """MAIL, RCPT and DATA, one by one if the relay refused EHLO."""
        commands = [Say("MAIL", message), Say("RCPT", message), Say("DATA")]
        if session.extended:
            replies = session.dialogue.say(*commands)
        else:
            replies = []
            for each in commands:
                replies += session.dialogue.say(each)
                if not replies[-1].ok:
                    break
        if len(replies) < len(commands) and all(reply.ok for reply in replies):
            raise Disconnected("the connection was lost between two answers")
        return replies

    def _give_in(self, session: Session, reply: Reply) -> Outcome:
        """The message was refused: RSET, and QUIT unless the connection is kept."""
        if session.dialogue.open:
            try:
                session.dialogue.say(Say("RSET"), *([] if session.kept else [Say("QUIT")]))
            except Disconnected:
                session.kept = False
        return _refused(reply)

    def _expire(self, session: Session) -> None:
        """Does not keep a connection any longer that was used often or long enough."""
        often = self._spec.reuses and session.reused >= self._spec.reuses
        if often or session.expires < self._sender.now():
            session.kept = False


def _refused(reply: Reply) -> Outcome:
    return Outcome.BOUNCED if reply.code >= 500 else Outcome.DEFERRED
