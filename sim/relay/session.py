"""One connection of the relay's side, by typed calls: order, credentials and the limits, in the
table's and the relay's words.

Every call takes the time in integer microseconds and returns the Reply, or None where the relay
drops the connection without a word. The calls of one session come in order of time; the transaction
limit is the connection's alone, so a caller may run ahead of other sessions between two logins.
Knows nothing of bytes, sockets, virtual time or what the client will do next.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ..smtp import replies
from ..smtp.replies import Reply
from ..smtp.states import State, Verb, table

if TYPE_CHECKING:
    from .relay import Refusal, Relay

MOST_RECIPIENTS = 100
"""Recipients a transaction; the least that RFC 5321 section 4.5.3.1.8 lets a relay have."""


# Looking a member up in its enum costs more than a whole call; every session asks for these.
CONNECTED = State.CONNECTED
GREETED = State.GREETED
AUTHENTICATED = State.AUTHENTICATED
CLOSED = State.CLOSED
EHLO = Verb.EHLO
AUTH = Verb.AUTH
MAIL = Verb.MAIL
RCPT = Verb.RCPT
DATA = Verb.DATA
BODY = Verb.BODY
QUIT = Verb.QUIT


class Terms:
    """What every session of one relay has from the start. ``count`` is None without a limit on
    transactions.
    """

    __slots__ = ("at_acceptance", "count", "refusal", "secure", "size", "tls", "transactions")

    def __init__(self, relay: Relay) -> None:
        spec = relay.policy.transactions_per_connection
        self.refusal = table(relay.login_required).refusal
        self.count = spec.count if spec else None
        self.at_acceptance = spec is not None and spec.counted_at == "acceptance"
        self.transactions = relay.refusals.get("transactions_per_connection")
        self.size = relay.policy.message_size
        self.secure = relay.tls == "implicit"
        self.tls = relay.tls != "none"


class Session:
    """What the relay knows of one connection. Made by ``Relay.connect``."""

    __slots__ = (
        "_count",
        "_doomed",
        "_idle",
        "_observer",
        "_refusal",
        "_relay",
        "_size",
        "_state",
        "_terms",
        "_used",
        "closed",
        "ip",
        "message",
        "number",
        "recipients",
        "secure",
        "username",
    )

    def __init__(self, relay: Relay, number: int, ip: str) -> None:
        terms = relay.terms
        self._relay = relay
        self._observer = relay.observer
        self._terms = terms
        self._refusal = terms.refusal
        self._count = terms.count
        self._size = terms.size
        self._state = CONNECTED
        self._idle = GREETED
        self._doomed: Refusal | None = None
        self._used = self.recipients = 0
        self.number = number
        self.ip = ip
        self.username: str | None = None
        self.message: str | None = None
        self.secure = terms.secure
        self.closed = False

    @property
    def state(self) -> State:
        """Where the session is."""
        return self._state

    @property
    def used(self) -> int:
        """Transactions that count on this connection so far."""
        return self._used

    def in_order(self, verb: Verb) -> bool:
        """Whether ``verb`` is in order now; a limit, a size or a password may refuse it all the
        same.
        """
        return self._refusal[self._state][verb] is None

    def doom(self, refusal: Refusal) -> None:
        """Something is over a limit already: ``refusal`` answers once its stage is reached."""
        self._doomed = refusal

    def exhaust(self) -> None:
        """This connection has used up its transactions, before its first."""
        self._used = self._count or 0

    def greeting(self, now: int) -> Reply | None:
        """220, or the refusal that stands in its place."""
        return (
            self._met(now) if self._doomed and self._doomed.stage == "greeting" else replies.READY
        )

    def hello(self, name: str, now: int, *, extended: bool = True) -> Reply | None:
        """EHLO, or HELO when not ``extended``. Both end a transaction."""
        refused = self._refusal[self._state][EHLO]
        if refused is not None:
            return refused
        if self._doomed and self._doomed.stage == "ehlo":
            return self._met(now)
        self._end_transaction()
        return (
            self._offers()
            if extended
            else Reply(250, "", (f"{replies.READY.lines[0].split()[0]} greets {name}",))
        )

    def reach_login(self) -> bool:
        """The greeting, EHLO and, where it is offered, STARTTLS, TLS and EHLO again, where nothing
        refuses any: then true.

        Does just what those calls would have done, at the cost of one; false, and nothing done, if
        any would be refused.
        """
        if self._doomed or self._state is not CONNECTED or self.secure is not self._terms.secure:
            return False
        self.secure = self._terms.tls
        self._state = GREETED
        return True

    def starttls(self, now: int) -> Reply | None:
        """220 when TLS is offered and not on yet; ``tls_started`` follows once it is."""
        if self._relay.tls != "starttls":
            return replies.NOT_IMPLEMENTED if not self.secure else replies.TLS_ALREADY
        if self.secure:
            return replies.TLS_ALREADY
        return self._refusal[self._state][Verb.STARTTLS] or replies.START_TLS

    def tls_started(self) -> None:
        """TLS is on: what the client said in the clear is forgotten (RFC 3207 section 4.2)."""
        self.secure = True
        self._state = CONNECTED
        self._idle = GREETED
        self.username = None

    def may_auth(self) -> Reply | None:
        """The refusal if AUTH is out of order now; asked before a challenge is sent."""
        refused = self._refusal[self._state][AUTH]
        if refused is None and not self.secure and not self._relay.plain_auth:
            return replies.TLS_REQUIRED
        return refused

    def auth(
        self,
        username: str,
        password: str,
        now: int,
        *,
        mechanism: str = "PLAIN",
        challenges: int = 0,
    ) -> Reply | None:
        """Complete credentials: the limits and the password are judged, whatever ``mechanism`` and
        ``challenges`` brought them.
        """
        if self._refusal[self._state][AUTH] is not None or not (
            self.secure or self._relay.plain_auth
        ):
            return self.may_auth()
        self.username = username
        outcome = self._relay.judge_login(self, username, password, now)
        if outcome is None:
            self._state = self._idle = AUTHENTICATED
            return replies.LOGGED_IN
        return outcome if isinstance(outcome, Reply) else self._give(outcome, now)

    def mail(
        self, sender: str, now: int, *, size: int | None = None, message: str | None = None
    ) -> Reply | None:
        """MAIL. A transaction that counts from here on, unless the policy counts acceptances."""
        refused = self._refusal[self._state][MAIL]
        if refused is not None:
            return refused
        if size is not None and size > self._size:
            return replies.TOO_LARGE
        self.message = message
        if self._count is not None and self._used >= self._count:
            self._doomed = self._terms.transactions
            if self._doomed and self._doomed.stage == "mail":
                return self._met(now)
        elif not self._terms.at_acceptance:
            self._used += 1
        self._state = State.MAIL
        return replies.SENDER_OK

    def rcpt(self, recipient: str, now: int) -> Reply | None:
        """RCPT."""
        refused = self._refusal[self._state][RCPT]
        if refused is not None:
            return refused
        if self.message is None:
            self.message = recipient  # by which it is known until it says more
        if self._doomed and self._doomed.stage == "rcpt":
            return self._met(now)
        if self.recipients >= MOST_RECIPIENTS:
            return replies.TOO_MANY_RECIPIENTS
        self.recipients += 1
        self._state = State.RCPT
        return replies.RECIPIENT_OK

    def data(self, now: int) -> Reply | None:
        """DATA: 354, and a body is due."""
        refused = self._refusal[self._state][DATA]
        if refused is not None:
            return refused
        if self._doomed and self._doomed.stage == "data":
            return self._met(now)
        self._state = State.DATA
        return replies.START_INPUT

    def body(self, size: int, now: int, *, message: str | None = None) -> Reply | None:
        """The whole body, ``size`` bytes of it: 250 and accepted, or what refuses it; the
        transaction is over either way.
        """
        refused = self._refusal[self._state][BODY]
        if refused is not None:
            return refused
        if message is not None:
            self.message = message
        if self._doomed and self._doomed.stage == "body":
            return self._met(now)
        accepted = self.message
        self._end_transaction()
        if size > self._size:
            return replies.TOO_LARGE
        self._used += self._terms.at_acceptance
        self._observer.accepted(now, self.number, accepted)
        return replies.ACCEPTED

    def may_transact(self, size: int) -> bool:
        """Whether ``transact`` would do it."""
        if self._state is not AUTHENTICATED or self._doomed or size > self._size:
            return False
        return self._count is None or self._used < self._count

    def transact(self, message: str, size: int, accepted_at: int) -> bool:
        """MAIL, RCPT, DATA and a body in a row, where nothing stands in their way: then true, and
        the body came at ``accepted_at``.

        Does just what the four calls would have done, at the cost of one; false, and nothing done,
        if any would be refused.
        """
        if self._state is not AUTHENTICATED or self._doomed or size > self._size:
            return False
        if self._count is not None and self._used >= self._count:
            return False
        self._used += 1
        self._observer.accepted(accepted_at, self.number, message)
        return True

    def rset(self, now: int) -> Reply | None:
        """RSET: the transaction is dropped; one that counts from MAIL on stays counted."""
        refused = self._refusal[self._state][Verb.RSET]
        if refused is None and self._state is not CONNECTED:
            self._end_transaction()
        return refused or replies.OK

    def noop(self, now: int) -> Reply | None:
        """NOOP."""
        return self._refusal[self._state][Verb.NOOP] or replies.OK

    def vrfy(self, now: int) -> Reply | None:
        """VRFY: 252, this relay knows no mailboxes."""
        return self._refusal[self._state][Verb.VRFY] or replies.CANNOT_VERIFY

    def help(self, now: int) -> Reply | None:
        """HELP."""
        return self._refusal[self._state][Verb.HELP] or replies.HELP

    def quit(self, now: int) -> Reply | None:
        """QUIT: 221, and the connection ends."""
        refused = self._refusal[self._state][QUIT]
        if refused is None:
            self._close(now)
        return refused or replies.GOODBYE

    def leave(self, now: int) -> bool:
        """As ``quit``, where nothing stands in its way: then true. False, and nothing done, where
        QUIT would be refused.
        """
        if self._refusal[self._state][QUIT] is not None:
            return False
        self.closed = True
        self._state = CLOSED
        self._observer.closed(now, self.number)
        return True

    def lost(self, now: int) -> None:
        """The peer or the network ended the connection."""
        self._close(now)

    def _offers(self) -> Reply:
        relay = self._relay
        login = relay.login_required and (self.secure or relay.plain_auth)
        return _offers(self._size, relay.tls == "starttls" and not self.secure, login)

    def _end_transaction(self) -> None:
        self._state = self._idle
        self.message = None
        self.recipients = 0
        self._doomed = None

    def _met(self, now: int) -> Reply | None:
        """The stage at which what is over its limit is answered."""
        refusal = self._doomed
        self._doomed = None
        assert refusal is not None, "asked for a refusal that is not due"
        reply = self._give(refusal, now)
        if not refusal.closes and self._state is not CONNECTED:
            # what was refused cannot be taken up again, and no body is due any more
            self._end_transaction()
        return reply

    def _give(self, refusal: Refusal, now: int) -> Reply | None:
        """The incident, written down, and its reply; the relay closes unless the policy says that
        it stays.
        """
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
            self._observer.closed(now, self.number)


@cache
def _offers(size: int, starttls: bool, login: bool) -> Reply:
    """The answer to EHLO."""
    lines = [
        replies.READY.lines[0].split()[0],
        "PIPELINING",
        f"SIZE {size}",
        "8BITMIME",
        "ENHANCEDSTATUSCODES",
    ]
    return Reply(
        250,
        "",
        (*lines, *(["STARTTLS"] if starttls else []), *(["AUTH PLAIN LOGIN"] if login else [])),
    )
