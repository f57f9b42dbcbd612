"""The sender's side of a connection in virtual time: the round trips of SMTP around the commands of
a Session. Main entry point: :meth:`WorldConnection.connect`.

A command is judged half a round trip after it is sent. There are two ways to get there:

- A limit that other connections share (connections, logins) is judged when the clock is at that
  moment, because the order of the requests decides which of them passes.
- Everything else depends on this connection only. It is judged ahead of the clock, each command
  with its own time, and the sender then waits once, for the last answer of a transaction.

The fast paths go one step further. Where no fault can interrupt the commands and the session allows
it, ``relay.shortcuts`` handles several of them in one call, and the network's sums give the time of
the last answer. ``tests/world/test_shortcuts.py`` compares them with the run command by command.

Knows nothing of strategies.
"""

from __future__ import annotations

from functools import cache
from types import TracebackType
from typing import Self

from greenlet import GreenletExit

from ..relay import Session
from ..relay.shortcuts import QuickSession
from ..smtp.commands import (
    Body,
    Command,
    Connected,
    Credentials,
    Data,
    Ehlo,
    Lost,
    Mail,
    Quit,
    Rcpt,
    Rset,
    StartTls,
    TlsStarted,
)
from ..smtp.replies import Reply
from ..strategies.api import Disconnected, Message, Refused
from .network import NEVER, NetworkPath
from .stage import Stage

SENDER_ADDRESS = "sender@example.com"
NAME = "sender.example.com"
PASSWORD = "right or wrong"
"""The accounts of a simulation ignore it: the scenario decides when passwords are wrong."""

RUN_IS_OVER = (GreenletExit, KeyboardInterrupt)
"""After these exceptions no time is left for a QUIT."""

credentials = cache(lambda username: Credentials(username, PASSWORD))


class WorldConnection:
    """Implements ``api.Connection``."""

    __slots__ = ("_clock", "_dies", "_outbox", "_path", "_quick", "_session", "open")

    def __init__(self, stage: Stage, path: NetworkPath, session: Session, dies: int) -> None:
        self._clock = stage.clock
        self._path = path
        self._outbox = stage.outbox
        self._session = session
        # The session, if the fast paths may be taken. They may not where a command can fail on the
        # way, nor with a session that must see each command, such as one that keeps a transcript.
        self._quick = session if path.faultless and type(session) is QuickSession else None
        self._dies = dies
        self.open = True

    @classmethod
    def connect(cls, stage: Stage, path: NetworkPath, ip: str, username: str) -> Self:
        """TCP, greeting, EHLO, STARTTLS, AUTH, with a round trip each. This is
        ``sender.connect()``.
        """
        clock = stage.clock
        relay = stage.relay
        begun = clock.moment + path.before_connection
        trip = path.rtt if path.steady else path.trip()
        at = begun + trip // 2
        clock.wait_until(at)
        if path.faultless:
            session = relay.connect(ip, at)
            # Fast path: between the connection and the login, which others share, nothing is left
            # to decide.
            if type(session) is QuickSession and session.reach_login():
                connection = cls(stage, path, session, NEVER)
                to_login = path.to_login if path.steady else path.drawn_to_login()
                connection._log_in_faultless(session, username, begun + trip + to_login)
                return connection
        elif path.down(at):
            clock.wait_until(begun + trip)
            raise Disconnected("the relay refused the TCP connection")
        else:
            session = relay.connect(ip, at)
        greeting = session.handle(Connected(), at)
        dies = path.next_death(at)
        connection = cls(stage, path, session, dies)
        if not session.closed and dies < NEVER:
            # Reported now, since nothing may happen on this connection then. An earlier end
            # overwrites it.
            relay.observer.closed(dies, session.number)
        t = begun + trip + (path.trip() if path.tls == "implicit" else 0) + path.trip()
        try:
            connection._heed(greeting, t)
            connection._log_in(username, connection._hello(t))
        except Refused:
            connection._hang_up()
            raise
        return connection

    def _hello(self, t: int) -> int:
        """EHLO, and with starttls STARTTLS, TLS and EHLO again. Returns when the last answer is
        there.
        """
        t = self._command(t, Ehlo(NAME))
        if self._path.tls == "starttls":
            t = self._command(t, StartTls())
            self._session.handle(TlsStarted(), t)
            t = self._command(t + self._path.trip(), Ehlo(NAME))
        return t

    def _log_in(self, username: str, t: int) -> None:
        """AUTH PLAIN with its initial response, in one round trip. Judged at its own moment,
        because other connections log in too.
        """
        trip = self._path.trip()
        at = t + trip // 2
        if at >= self._dies:
            self._die(self._dies, max(t, self._dies + trip // 2))
        self._clock.wait_until(at)
        t = self._command(t, credentials(username), trip)
        self._clock.wait_until(t)

    def _log_in_faultless(self, session: QuickSession, username: str, t: int) -> None:
        """``_log_in`` on a path without faults, where only the relay can refuse."""
        clock = self._clock
        path = self._path
        trip = path.rtt if path.steady else path.trip()
        at = t + trip // 2
        clock.wait_until(at)
        reply = session.log_in(credentials(username), at)
        t += trip + path.relay_time
        clock.wait_until(t)
        if reply is None or reply[0] >= 400:
            self.open = not session.closed
            self._hang_up()
            raise refused_by(reply)

    def send(self, message: Message) -> None:
        outbox = self._outbox
        path = self._path
        clock = self._clock
        index = outbox.index(message)
        if not self.open:
            raise Disconnected("the connection is closed")
        begun = clock.moment
        quick = self._quick
        if quick is not None:
            # Fast paths. Indexing a NamedTuple is faster than its attributes.
            if path.undisturbed:
                at = begun + path.to_body
                if quick.transact(message[0], len(message[2]), at):
                    outbox.accept(index, at)
                    clock.wait_until(begun + path.to_answer)
                    return
            # Asked before the round trips are drawn: a draw for a fast path that is then not taken
            # would shift all later draws.
            elif quick.may_transact(len(message[2])):
                to_body, to_answer = path.drawn_transaction()
                done = quick.transact(message[0], len(message[2]), begun + to_body)
                assert done, "may_transact() returned true"
                outbox.accept(index, begun + to_body)
                clock.wait_until(begun + to_answer)
                return
        clock.wait_until(self._send_by_commands(message, index, begun + path.before_message))

    def _send_by_commands(self, message: Message, index: int, t: int) -> int:
        t = self._command(t, Mail(SENDER_ADDRESS, message=message.id))
        t = self._command(t, Rcpt(message.recipient), reset=True)
        t = self._command(t, Data(), reset=True)
        return self._command(t, Body(len(message.data)), index=index)

    def _handle(self, command: Command, at: int, index: int | None) -> Reply | None:
        """The relay handles ``command``. With a body, ``index`` is the message's number."""
        reply = self._session.handle(command, at)
        if index is not None and reply is not None and reply.ok:
            self._outbox.accept(index, at)
        return reply

    def close(self) -> None:
        """QUIT and its answer. A failure of it closes the connection too."""
        if not self.open:
            return
        clock = self._clock
        path = self._path
        try:
            t = clock.moment
            trip = path.rtt if path.steady else path.trip()
            if self._quick is not None and self._quick.leave(t + trip // 2):
                clock.wait_until(t + trip + path.relay_time)
            else:
                clock.wait_until(self._command(t, Quit(), trip))
        except (Refused, Disconnected):
            pass
        self.open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None or not isinstance(error, RUN_IS_OVER):
            self.close()

    def _command(
        self,
        t: int,
        command: Command,
        trip: int | None = None,
        *,
        index: int | None = None,
        reset: bool = False,
    ) -> int:
        """Sends one command at ``t`` and returns the time of its answer. Raises Refused or
        Disconnected.

        ``reset``: a refusal leaves a transaction open, which needs a RSET.
        """
        path = self._path
        if path.undisturbed:  # fast path: no draws and no faults to look for
            reply = self._handle(command, t + path.rtt // 2, index)
            t += path.rtt + path.relay_time
            if reply is None or reply[0] >= 400:
                self._heed(reply, t, reset=reset)
            return t
        if trip is None:
            trip = path.trip()
        at = t + trip // 2
        if at >= self._dies:
            self._die(self._dies, max(t, self._dies + trip // 2))
        before, after = path.drops()
        if before:
            self._die(at, t + trip)
        reply = self._handle(command, at, index)
        t += trip + path.thinking(at)
        if after:
            self._die(at, t)
        if reply is None or reply.code >= 400:
            self._heed(reply, t, reset=reset)
        return t

    def _heed(self, reply: Reply | None, t: int, *, reset: bool = False) -> None:
        """Waits for an answer at ``t`` and raises the strategy's error if it is a refusal."""
        if reply is not None and reply.code < 400:
            return
        self.open = not self._session.closed
        # 421 is "closing transmission channel": the client closes its side too.
        ends = reply is not None and reply.code == 421
        if reset and self.open and not ends:
            t = self._reset(t)
        self._clock.wait_until(t)
        if ends:
            self._hang_up()
        raise refused_by(reply)

    def _reset(self, t: int) -> int:
        """RSET, because the next MAIL within an open transaction would be out of order. If it
        fails, the connection is closed, and the strategy still gets the refusal.
        """
        try:
            return self._command(t, Rset())
        except (Refused, Disconnected):
            self.open = False
            return self._clock.moment

    def _hang_up(self) -> None:
        """Closes the connection without a QUIT, if a refusal left it open."""
        if self.open:
            at = self._clock.moment + self._path.trip() // 2
            self._session.handle(Lost(), min(self._dies, at))
            self.open = False

    def _die(self, at: int, known: int) -> None:
        """The connection dies at ``at``, and the sender notices at ``known``."""
        self._session.handle(Lost(), at)
        self.open = False
        self._clock.wait_until(known)
        raise Disconnected("the connection died")


def refused_by(reply: Reply | None) -> Refused | Disconnected:
    """The strategy's error for a refusal; None if the relay dropped the connection without one."""
    if reply is None:
        return Disconnected("the relay dropped the connection")
    return Refused(reply.code, reply.text)
