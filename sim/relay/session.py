"""The relay's side of one connection. ``Session.handle`` is its only entry: one command in, one
reply out.

The states are the table in ``smtp.states``; this module adds limits, credentials and sizes, which
the table cannot know. Each command has a handler that runs if the command is in order; the
table decides the state after it. Time is an argument, in integer microseconds, and does not go
backwards between the calls of one session. Sessions only share what ``Terms.judge`` counts, so
between two logins a caller may run one session ahead of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ..smtp import replies
from ..smtp.commands import (
    Body,
    Command,
    Connected,
    Credentials,
    Data,
    Ehlo,
    Helo,
    Help,
    Lost,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    StartTls,
    TlsStarted,
    Vrfy,
)
from ..smtp.replies import Reply
from ..smtp.states import IDLE, State
from .kinds import Moment
from .terms import Refusal, Terms

MOST_RECIPIENTS = 100
"""Recipients per transaction: the fewest that RFC 5321 section 4.5.3.1.8 lets a relay accept."""

# Module constants, because a look-up in the enum costs more than the rest of a handler.
CONNECTED = State.CONNECTED
GREETED = State.GREETED
AUTHENTICATED = State.AUTHENTICATED
CLOSED = State.CLOSED


class AnySession(Protocol):
    """A Session, or a wrapper of one."""

    @property
    def state(self) -> State:
        """The current state."""

    @property
    def closed(self) -> bool:
        """Whether the connection has ended."""

    def refusal(self, command: type[Command]) -> Reply | None:
        """The reply that refuses ``command`` for its order now, or None if it is in order."""

    def handle(self, command: Command, now: int) -> Reply | None:
        """Handles ``command`` and returns the reply. None means that the relay has dropped the
        connection without a reply, or that the command is an event that needs none.
        """


class Session:
    """One connection at a relay with ``terms``. ``secure`` is whether it is encrypted from the
    start; None means as the terms have it. ``left`` is the number of transactions that it has left.
    """

    __slots__ = (
        "_idle",
        "_observer",
        "_pending",
        "_phase",
        "_size",
        "_state",
        "_terms",
        "closed",
        "ip",
        "left",
        "message",
        "number",
        "recipients",
        "username",
    )

    def __init__(self, terms: Terms, number: int, ip: str, secure: bool | None = None) -> None:
        self._terms = terms
        self._observer = terms.observer
        self._phase = terms.first
        if secure is not None:
            self._phase = terms.encrypted if secure else terms.clear
        self._size = terms.size
        self.left = terms.transactions
        self._state = CONNECTED
        self._idle = GREETED
        # Over a limit already, but its refusal is for a later stage of the session.
        self._pending: Refusal | None = None
        self.recipients = 0
        self.number = number
        self.ip = ip
        self.username: str | None = None
        self.message: str | None = None
        self.closed = False

    @property
    def state(self) -> State:
        """The current state."""
        return self._state

    def refuse_later(self, refusal: Refusal) -> None:
        """Refuses the connection with ``refusal`` when the session reaches its stage."""
        self._pending = refusal

    def exhaust(self) -> None:
        """Uses up the transactions of this connection before its first."""
        self.left = 0

    def refusal(self, command: type[Command]) -> Reply | None:
        """The reply that refuses ``command`` for its order now, or None if it is in order.

        A limit, a size or a password can still refuse a command that is in order.
        """
        return self._phase.table[self._state][command].refusal

    def handle(self, command: Command, now: int) -> Reply | None:
        """Handles ``command`` and returns the reply. None means that the relay has dropped the
        connection without a reply, or that the command is an event that needs none.
        """
        kind = type(command)
        transition = self._phase.table[self._state][kind]
        if transition.refusal is not None:
            return transition.refusal
        reply = _HANDLERS[kind](self, command, now)
        if reply is None:
            succeeded = not self.closed
        else:
            succeeded = reply.code < 400
        if succeeded:
            after = transition.after
            if after is IDLE:
                self._end_transaction()
            else:
                self._state = after
        return reply

    # One handler per command, for a command that is in order. A handler changes the state only if
    # the command fails: after success the table does.

    def _connected(self, command: Connected, now: int) -> Reply | None:
        if self._pending is not None and self._pending.stage == "greeting":
            return self._refuse_pending(now)
        return replies.READY

    def _ehlo(self, command: Ehlo, now: int) -> Reply | None:
        if self._pending is not None and self._pending.stage == "ehlo":
            return self._refuse_pending(now)
        return self._phase.offers

    def _helo(self, command: Helo, now: int) -> Reply | None:
        if self._pending is not None and self._pending.stage == "ehlo":
            return self._refuse_pending(now)
        return Reply(250, "", (f"{replies.NAME} greets {command.name}",))

    def _starttls(self, command: StartTls, now: int) -> Reply:
        return replies.START_TLS

    def _tls_started(self, command: TlsStarted, now: int) -> None:
        # RFC 3207 4.2: nothing that came in the clear counts, because anyone on the way could have
        # sent it.
        self._phase = self._terms.encrypted
        self._idle = GREETED
        self.username = None

    def _credentials(self, command: Credentials, now: int) -> Reply | None:
        self.username = command.username
        outcome = self._terms.judge(self, command, now)
        if outcome is None:
            self._idle = AUTHENTICATED
            return replies.LOGGED_IN
        return outcome if isinstance(outcome, Reply) else self._refuse(outcome, now)

    def _mail(self, command: Mail, now: int) -> Reply | None:
        if command.size is not None and command.size > self._size:
            return replies.TOO_LARGE
        self.message = command.message
        if self.left <= 0:
            self._pending = self._terms.refusals["transactions_per_connection"]
            if self._pending.stage == "mail":
                return self._refuse_pending(now)
        elif not self._terms.at_acceptance:
            self.left -= 1
        return self._refuse_pending(now) if self._is_over("mail", now) else replies.SENDER_OK

    def _rcpt(self, command: Rcpt, now: int) -> Reply | None:
        if self.message is None:
            self.message = command.recipient  # its name until the body names it
        if self._pending is not None and self._pending.stage == "rcpt":
            return self._refuse_pending(now)
        if self.recipients >= MOST_RECIPIENTS:
            return replies.TOO_MANY_RECIPIENTS
        self.recipients += 1
        return self._refuse_pending(now) if self._is_over("rcpt", now) else replies.RECIPIENT_OK

    def _data(self, command: Data, now: int) -> Reply | None:
        if self._pending is not None and self._pending.stage == "data":
            return self._refuse_pending(now)
        return self._refuse_pending(now) if self._is_over("data", now) else replies.START_INPUT

    def _body(self, command: Body, now: int) -> Reply | None:
        if command.message is not None:
            self.message = command.message
        if self._pending is not None and self._pending.stage == "body":
            return self._refuse_pending(now)
        if command.size > self._size:
            self._end_transaction()
            return replies.TOO_LARGE
        if self._is_over("body", now):
            return self._refuse_pending(now)
        self.left -= self._terms.at_acceptance
        self._observer.accepted(now, self.number, self.message)
        return replies.ACCEPTED

    def _rset(self, command: Rset, now: int) -> Reply:
        # A transaction that counts from MAIL stays counted.
        return replies.OK

    def _noop(self, command: Noop, now: int) -> Reply:
        return replies.OK

    def _vrfy(self, command: Vrfy, now: int) -> Reply:
        return replies.CANNOT_VERIFY

    def _help(self, command: Help, now: int) -> Reply:
        return replies.HELP

    def _quit(self, command: Quit, now: int) -> Reply:
        self._close(now)
        return replies.GOODBYE

    def _lost(self, command: Lost, now: int) -> None:
        self._close(now)

    def _is_over(self, moment: Moment, now: int) -> bool:
        """Counts a request of the further limits; whether one of them refuses it at this stage."""
        further = self._terms.further
        if further is None or self._pending is not None:
            return False
        self._pending = further.refusal(moment, self.number, self.ip, self.username, now)
        return self._pending is not None and self._pending.stage == moment

    def _end_transaction(self) -> None:
        self._state = self._idle
        self.message = None
        self.recipients = 0
        self._pending = None

    def _refuse_pending(self, now: int) -> Reply | None:
        refusal = self._pending
        self._pending = None
        assert refusal is not None, "only called when a refusal is due"
        reply = self._refuse(refusal, now)
        if not refusal.closes and self._state is not CONNECTED:
            # The client must begin again with MAIL, and must not send a body.
            self._end_transaction()
        return reply

    def _refuse(self, refusal: Refusal, now: int) -> Reply | None:
        """Reports the incident, and closes unless the policy keeps the connection open."""
        self._observer.incident(
            now,
            refusal.limit,
            refusal.code,
            refusal.text,
            self.ip,
            self.username,
            self.number,
            self.message,
        )
        if refusal.closes:
            self._close(now)
        return refusal.reply

    def _close(self, now: int) -> None:
        if not self.closed:
            self.closed = True
            self._state = CLOSED
            if self._terms.further is not None:
                self._terms.further.forget(self.number)
            self._observer.closed(now, self.number)


_HANDLERS: dict[type[Command], Callable[[Session, Any, int], Reply | None]] = {
    Connected: Session._connected,
    Ehlo: Session._ehlo,
    Helo: Session._helo,
    StartTls: Session._starttls,
    TlsStarted: Session._tls_started,
    Credentials: Session._credentials,
    Mail: Session._mail,
    Rcpt: Session._rcpt,
    Data: Session._data,
    Body: Session._body,
    Rset: Session._rset,
    Noop: Session._noop,
    Vrfy: Session._vrfy,
    Help: Session._help,
    Quit: Session._quit,
    Lost: Session._lost,
}


class WrappedSession:
    """The base of sessions that change what another one answers: override ``handle``."""

    def __init__(self, session: AnySession) -> None:
        self._session = session

    @property
    def state(self) -> State:
        """The current state."""
        return self._session.state

    @property
    def closed(self) -> bool:
        """Whether the connection has ended."""
        return self._session.closed

    def refusal(self, command: type[Command]) -> Reply | None:
        """The reply that refuses ``command`` for its order now, or None if it is in order."""
        return self._session.refusal(command)

    def handle(self, command: Command, now: int) -> Reply | None:
        """Passes ``command`` on."""
        return self._session.handle(command, now)
