"""The sender's side of a connection in virtual time: the round trips of SMTP over the typed calls
of a Session.

What only this connection's own limit decides is judged ahead, each command at its own time, with
one wait for a whole transaction; what is shared with others (a connection, a login) is judged at
its own moment. Knows nothing of strategies.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from greenlet import GreenletExit

from ..relay import Relay, Session
from ..smtp.replies import Reply
from ..strategies.api import Disconnected, Message, Refused
from .clock import Clock
from .network import NEVER, Way
from .outbox import Outbox

SENDER_ADDRESS = "sender@example.com"
NAME = "sender.example.com"


class WorldConnection:
    """Implements ``api.Connection``. ``connect`` is what ``sender.connect()`` does."""

    __slots__ = ("_clock", "_dies", "_outbox", "_session", "_way", "open")

    def __init__(self, clock: Clock, way: Way, outbox: Outbox, session: Session, dies: int) -> None:
        self._clock = clock
        self._way = way
        self._outbox = outbox
        self._session = session
        self._dies = dies
        self.open = True

    @classmethod
    def connect(
        cls, clock: Clock, way: Way, outbox: Outbox, relay: Relay, ip: str, username: str
    ) -> Self:
        """TCP, greeting, EHLO, STARTTLS, AUTH, with a round trip each."""
        begun = clock.moment + way.before_connection
        trip = way.rtt if way.steady else way.trip()
        at = begun + trip // 2
        clock.wait_until(at)
        if way.faultless:
            session = relay.connect(ip, at)
            if session.reach_login():
                connection = cls(clock, way, outbox, session, NEVER)
                connection._log_in_faultless(
                    username, begun + trip + (way.to_login if way.steady else way.drawn_to_login())
                )
                return connection
        elif way.down(at):
            clock.wait_until(begun + trip)
            raise Disconnected("the relay refused the TCP connection")
        else:
            session = relay.connect(ip, at)
        greeting = session.greeting(at)
        dies = way.next_death(at)
        connection = cls(clock, way, outbox, session, dies)
        if not session.closed and dies < 1 << 62:
            relay.observer.closed(dies, session.number)  # an earlier end overwrites it
        t = begun + trip + (way.trip() if way.tls == "implicit" else 0) + way.trip()
        try:
            connection._heed(greeting, t)
            connection._log_in(username, connection._hello(t))
        except Refused:
            connection._hang_up()
            raise
        return connection

    def _hello(self, t: int) -> int:
        """EHLO, and STARTTLS, TLS and EHLO again where the way has them; returns when the last
        answer is there.
        """
        session = self._session
        t = self._command(t, lambda at: session.hello(NAME, at))
        if self._way.tls == "starttls":
            t = self._command(t, session.starttls)
            session.tls_started()
            t = self._command(t + self._way.trip(), lambda at: session.hello(NAME, at))
        return t

    def _log_in(self, username: str, t: int) -> None:
        """AUTH PLAIN with its initial response: one round trip, judged at its own moment since
        others log in too.
        """
        trip = self._way.trip()
        at = t + trip // 2
        if at >= self._dies:
            self._die(self._dies, max(t, self._dies + trip // 2))
        self._clock.wait_until(at)
        t = self._command(t, lambda at: self._session.auth(username, "right or wrong", at), trip)
        self._clock.wait_until(t)

    def _log_in_faultless(self, username: str, t: int) -> None:
        """As ``_log_in``, where nothing goes wrong but what the relay refuses."""
        clock = self._clock
        way = self._way
        trip = way.rtt if way.steady else way.trip()
        at = t + trip // 2
        clock.wait_until(at)
        reply = self._session.auth(username, "right or wrong", at)
        t += trip + way.relay_time
        clock.wait_until(t)
        if reply is None or reply[0] >= 400:
            self.open = not self._session.closed
            self._hang_up()
            raise refused_by(reply)

    def send(self, message: Message) -> None:
        """MAIL, RCPT, DATA and the body; returns when the answer to the body is there."""
        outbox = self._outbox
        way = self._way
        clock = self._clock
        index = outbox.index(message)
        if not self.open:
            raise Disconnected("the connection is closed")
        t = clock.moment + way.before_message
        if way.undisturbed:
            at = t + way.to_body
            if self._session.transact(message[0], len(message[2]), at):
                outbox.accept(index, at)
                clock.wait_until(t + way.transaction)
                return
        elif way.faultless and self._session.may_transact(len(message[2])):
            to_body, to_answer = way.drawn_transaction()
            done = self._session.transact(message[0], len(message[2]), t + to_body)
            assert done, "the session said that nothing stands in the way"
            outbox.accept(index, t + to_body)
            clock.wait_until(t + to_answer)
            return
        clock.wait_until(self._send_by_commands(message, index, t))

    def _send_by_commands(self, message: Message, index: int, t: int) -> int:
        session = self._session
        t = self._command(t, lambda at: session.mail(SENDER_ADDRESS, at, message=message.id))
        t = self._command(t, lambda at: session.rcpt(message.recipient, at), reset=True)
        t = self._command(t, session.data, reset=True)
        return self._command(t, lambda at: self._body(message, index, at))

    def _body(self, message: Message, index: int, at: int) -> Reply | None:
        reply = self._session.body(len(message.data), at)
        if reply is not None and reply.ok:
            self._outbox.accept(index, at)
        return reply

    def close(self) -> None:
        """QUIT and its answer; whatever goes wrong with it, the connection is closed."""
        if not self.open:
            return
        clock = self._clock
        way = self._way
        try:
            t = clock.moment
            trip = way.rtt if way.steady else way.trip()
            if way.faultless and self._session.leave(t + trip // 2):
                clock.wait_until(t + trip + way.relay_time)
            else:
                clock.wait_until(self._command(t, self._session.quit, trip))
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
        if not isinstance(
            error, GreenletExit | KeyboardInterrupt
        ):  # the run is over: no time is left for a QUIT
            self.close()

    def _command(
        self,
        t: int,
        call: Callable[[int], Reply | None],
        trip: int | None = None,
        *,
        reset: bool = False,
    ) -> int:
        """Sends one command at ``t``; returns when its answer is there. Raises for a refusal and
        for a connection that dies.
        """
        way = self._way
        if way.undisturbed:
            reply = call(t + way.rtt // 2)
            t += way.rtt + way.relay_time
            if reply is None or reply[0] >= 400:
                self._heed(reply, t, reset=reset)
            return t
        trip = way.trip() if trip is None else trip
        at = t + trip // 2
        if at >= self._dies:
            self._die(self._dies, max(t, self._dies + trip // 2))
        before, after = way.drops()
        if before:
            self._die(at, t + trip)
        reply = call(at)
        t += trip + way.thinking(at)
        if after:
            self._die(at, t)
        if reply is None or reply.code >= 400:
            self._heed(reply, t, reset=reset)
        return t

    def _heed(self, reply: Reply | None, t: int, *, reset: bool = False) -> None:
        """Waits for an answer that is there at ``t``, and raises what a client makes of it."""
        if reply is not None and reply.code < 400:
            return
        self.open = not self._session.closed
        ends = (
            reply is not None and reply.code == 421
        )  # "closing transmission channel": who hears it closes too
        if reset and self.open and not ends:
            t = self._reset(t)
        self._clock.wait_until(t)
        if ends:
            self._hang_up()
        raise refused_by(reply)

    def _reset(self, t: int) -> int:
        """RSET, since an open transaction must end before the next MAIL. If it fails, the refusal
        is what counts.
        """
        try:
            return self._command(t, self._session.rset)
        except (Refused, Disconnected):
            self.open = False
            return self._clock.moment

    def _hang_up(self) -> None:
        """Closes without a QUIT what a refusal left open, where nobody has the connection or nobody
        may use it any more.
        """
        if self.open:
            self._session.lost(min(self._dies, self._clock.moment + self._way.trip() // 2))
            self.open = False

    def _die(self, at: int, known: int) -> None:
        """The connection dies at ``at``; the sender learns of it at ``known``."""
        self._session.lost(at)
        self.open = False
        self._clock.wait_until(known)
        raise Disconnected("the connection died")


def refused_by(reply: Reply | None) -> Refused | Disconnected:
    """What a strategy is told of a reply that refuses; None where the connection was dropped
    without one.
    """
    return (
        Disconnected("the relay dropped the connection")
        if reply is None
        else Refused(reply.code, reply.text)
    )
