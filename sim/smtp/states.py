"""The one table of a session's states: which verb is in order in which state, what refuses it, and
where it leads.

Pure data. Knows nothing of limits, credentials, sizes or TLS being on: a verb that is in order here
may still be refused for such a reason, and then the state stays as it was (except after a body,
whose transaction is over whatever the answer).

    rows = table(login_required=True) refusal = rows.refusal[state][verb]         # None: in order
    after = rows.after[state][verb]             # the state after success; None: back to the idle
    state

The idle state is where a session is between transactions: GREETED until a login, AUTHENTICATED from
then on. Who drives the table remembers which, because on a relay that needs no login both are
possible. STARTTLS leads to CONNECTED, as before EHLO, and forgets a login (RFC 3207 section 4.2).
Only states and verbs that are in order have a row in ``after``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from sim.smtp import replies
from sim.smtp.replies import Reply


# StrEnum and not Enum: its members hash like strings, in C; Enum's own hash is a Python call at
# every look-up.
class State(StrEnum):
    """Where a session is."""

    CONNECTED = "connected"  # greeted by the relay, before EHLO
    GREETED = "greeted"  # EHLO or HELO said, nobody logged in
    AUTHENTICATED = "authenticated"
    MAIL = "mail"  # a transaction has begun
    RCPT = "rcpt"  # and has a recipient
    DATA = "data"  # a body is due
    CLOSED = "closed"


class Verb(StrEnum):
    """What can be asked of a session. BODY is the whole body behind DATA, which has no verb on the
    wire.
    """

    EHLO = "EHLO"
    HELO = "HELO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BODY = "BODY"
    RSET = "RSET"
    NOOP = "NOOP"
    VRFY = "VRFY"
    HELP = "HELP"
    QUIT = "QUIT"


class Table(NamedTuple):
    """``refusal[state][verb]``: a Reply, or None where in order; ``after[state][verb]``: the next
    state, None for idle.
    """

    refusal: Mapping[State, Mapping[Verb, Reply | None]]
    after: Mapping[State, Mapping[Verb, State | None]]


ANY_TIME = (Verb.NOOP, Verb.VRFY, Verb.HELP, Verb.QUIT, Verb.EHLO, Verb.HELO, Verb.RSET)
"""In order in every state in which commands are read, before EHLO too (RFC 5321 4.1.4; for VRFY and
HELP without a login, RFC 4954 section 6 would permit a 530).
"""

REFUSED: dict[State, dict[Verb, Reply]] = {
    State.CONNECTED: dict.fromkeys(
        (Verb.STARTTLS, Verb.AUTH, Verb.MAIL, Verb.RCPT, Verb.DATA), replies.HELLO_FIRST
    )
    | {Verb.BODY: replies.NEED_DATA},
    State.GREETED: {
        Verb.RCPT: replies.NEED_MAIL,
        Verb.DATA: replies.NEED_MAIL,
        Verb.BODY: replies.NEED_DATA,
    },
    State.AUTHENTICATED: {
        Verb.STARTTLS: replies.TLS_OUT_OF_ORDER,
        Verb.AUTH: replies.ALREADY_AUTHENTICATED,
        Verb.RCPT: replies.NEED_MAIL,
        Verb.DATA: replies.NEED_MAIL,
        Verb.BODY: replies.NEED_DATA,
    },
    State.MAIL: {
        Verb.STARTTLS: replies.TLS_OUT_OF_ORDER,
        Verb.AUTH: replies.AUTH_IN_TRANSACTION,
        Verb.MAIL: replies.NESTED_MAIL,
        Verb.DATA: replies.NEED_RCPT,
        Verb.BODY: replies.NEED_DATA,
    },
    State.RCPT: {
        Verb.STARTTLS: replies.TLS_OUT_OF_ORDER,
        Verb.AUTH: replies.AUTH_IN_TRANSACTION,
        Verb.MAIL: replies.NESTED_MAIL,
        Verb.BODY: replies.NEED_DATA,
    },
    State.DATA: {verb: replies.BODY_FIRST for verb in Verb if verb is not Verb.BODY},
    State.CLOSED: dict.fromkeys(Verb, replies.CLOSING),
}
"""Every refusal for order, on a relay that needs no login; what is not named is in order."""

NEEDS_LOGIN = dict.fromkeys((Verb.MAIL, Verb.RCPT, Verb.DATA), replies.AUTH_REQUIRED)
"""What a relay that needs a login refuses in GREETED: the missing login is named before a missing
MAIL.
"""

LEADS_TO: dict[Verb, State | None] = {
    Verb.EHLO: None,  # also ends a transaction, as RSET does (RFC 5321 4.1.4), and keeps a login
    Verb.HELO: None,
    Verb.STARTTLS: State.CONNECTED,
    Verb.AUTH: State.AUTHENTICATED,
    Verb.MAIL: State.MAIL,
    Verb.RCPT: State.RCPT,
    Verb.DATA: State.DATA,
    Verb.BODY: None,
    Verb.RSET: None,
    Verb.QUIT: State.CLOSED,
}
"""The state after success, None for the idle one; a verb that is not named leaves the state as it
is.
"""


@cache
def table(login_required: bool) -> Table:
    """The table of a relay that needs a login, or of one that does not; the same object at every
    call.
    """
    refusal = {
        state: {verb: _refusal(state, verb, login_required) for verb in Verb} for state in State
    }
    after = {
        state: {verb: _after(state, verb) for verb in Verb if refusal[state][verb] is None}
        for state in State
    }
    return Table(refusal, after)


def _refusal(state: State, verb: Verb, login_required: bool) -> Reply | None:
    if login_required and state is State.GREETED and verb in NEEDS_LOGIN:
        return NEEDS_LOGIN[verb]
    return REFUSED[state].get(verb)


def _after(state: State, verb: Verb) -> State | None:
    if state is State.CONNECTED and verb is Verb.RSET:
        return state  # nothing to reset, and no EHLO was said
    return LEADS_TO.get(verb, state)
