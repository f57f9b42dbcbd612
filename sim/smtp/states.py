"""The table of a session's states: for each state and command, the reply that refuses the command,
or the state to which it leads.

A session is a state machine over the commands of ``commands``. The protocol itself is only this
table: ``Session.handle`` looks up the command's type in the row of the current state, answers with
the refusal if there is one, and enters the transition's next state if the command succeeds. Limits,
passwords and sizes are not in the table. A command that is in order can still be refused for such a
reason, and then the state does not change (except after a body, which ends its transaction with any
answer).

Two things vary between relays and during a session, and are therefore arguments of ``table``:

- whether the relay requires a login before MAIL;
- how the connection is encrypted: STARTTLS may not be offered or TLS may be on already, and AUTH
  may need TLS first. When TLS starts, the session changes to another table.

Between transactions a session is *idle*, which is GREETED before a login and AUTHENTICATED after
it. Both occur as the idle state on a relay that requires no login, so the table only has ``IDLE``
as the target and the session remembers which of the two it is. Entering the idle state is the end
of a transaction. TLS leads back to CONNECTED, as before EHLO, and the session forgets the login
(RFC 3207 section 4.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from . import replies
from .commands import (
    EVENTS,
    Body,
    Command,
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
from .replies import Reply


# StrEnum because its members hash like strings, in C. Enum's own hash is a Python call at every
# look-up.
class State(StrEnum):
    """Where a session is."""

    CONNECTED = "connected"  # TCP is open; EHLO has not come, or must come again after TLS
    GREETED = "greeted"  # after EHLO or HELO, without a login
    AUTHENTICATED = "authenticated"
    MAIL = "mail"  # a transaction has begun
    RCPT = "rcpt"  # and has a recipient
    DATA = "data"  # a body is due
    CLOSED = "closed"


IN_TRANSACTION = (State.MAIL, State.RCPT, State.DATA)

IDLE = None
"""As the next state: GREETED or AUTHENTICATED, as the session was before the transaction."""


# A dataclass and not a NamedTuple, here and in ``relay.terms``: its attributes are faster to read.
@dataclass(frozen=True, slots=True)
class Transition:
    """What a command does in a state. ``refusal`` is None if the command is in order, and then
    ``after`` is the state that it leads to.
    """

    refusal: Reply | None
    after: State | None


Table = Mapping[State, Mapping[type[Command], Transition]]

COMMANDS: tuple[type[Command], ...] = (
    *EVENTS,
    *(Ehlo, Helo, StartTls, Credentials, Mail, Rcpt, Data, Body),
    *(Rset, Noop, Vrfy, Help, Quit),
)

REFUSED: dict[State, dict[type[Command], Reply]] = {
    State.CONNECTED: {
        StartTls: replies.HELLO_FIRST,
        Credentials: replies.HELLO_FIRST,
        Mail: replies.HELLO_FIRST,
        Rcpt: replies.HELLO_FIRST,
        Data: replies.HELLO_FIRST,
        Body: replies.NEED_DATA,
    },
    State.GREETED: {
        Rcpt: replies.NEED_MAIL,
        Data: replies.NEED_MAIL,
        Body: replies.NEED_DATA,
    },
    State.AUTHENTICATED: {
        StartTls: replies.TLS_OUT_OF_ORDER,
        Credentials: replies.ALREADY_AUTHENTICATED,
        Rcpt: replies.NEED_MAIL,
        Data: replies.NEED_MAIL,
        Body: replies.NEED_DATA,
    },
    State.MAIL: {
        StartTls: replies.TLS_OUT_OF_ORDER,
        Credentials: replies.AUTH_IN_TRANSACTION,
        Mail: replies.NESTED_MAIL,
        Data: replies.NEED_RCPT,
        Body: replies.NEED_DATA,
    },
    State.RCPT: {
        StartTls: replies.TLS_OUT_OF_ORDER,
        Credentials: replies.AUTH_IN_TRANSACTION,
        Mail: replies.NESTED_MAIL,
        Body: replies.NEED_DATA,
    },
    State.DATA: {each: replies.BODY_FIRST for each in COMMANDS if each is not Body},
    State.CLOSED: dict.fromkeys(COMMANDS, replies.CLOSING),
}
"""The refusals for order on a relay that requires no login. A command without an entry is in order.

NOOP, VRFY, HELP, QUIT, EHLO, HELO and RSET are in order in every state in which commands are read,
also before EHLO (RFC 5321 4.1.4; RFC 4954 section 6 would permit a 530 for VRFY and HELP).
"""

NEEDS_LOGIN = (Mail, Rcpt, Data)
"""The commands that a relay with logins refuses in GREETED. They are refused for the missing login,
not for a missing MAIL.
"""

LEADS_TO: dict[type[Command], State | None] = {
    # EHLO also ends a transaction, as RSET does, and keeps the login (RFC 5321 4.1.4).
    Ehlo: IDLE,
    Helo: IDLE,
    TlsStarted: State.CONNECTED,
    Credentials: State.AUTHENTICATED,
    Mail: State.MAIL,
    Rcpt: State.RCPT,
    Data: State.DATA,
    Body: IDLE,
    Rset: IDLE,
    Quit: State.CLOSED,
    Lost: State.CLOSED,
}
"""The state after success. A command without an entry leaves the state as it is."""

STAYS = {(State.CONNECTED, Rset), (State.CLOSED, TlsStarted)}
"""Exceptions to LEADS_TO: RSET is not a substitute for EHLO, and nothing reopens a session."""


@cache
def table(
    *, login_required: bool, no_starttls: Reply | None = None, no_auth: Reply | None = None
) -> Table:
    """The table of a relay that requires a login or not. Equal arguments give the same object.

    ``no_starttls`` refuses STARTTLS in every state in which commands are read, because the relay
    does not offer it or because TLS is on. ``no_auth`` refuses AUTH where it is otherwise in order.
    """

    def refusal(state: State, command: type[Command]) -> Reply | None:
        if command in EVENTS:
            return None
        if command is StartTls and no_starttls is not None and state not in _NOT_READ:
            return no_starttls
        if login_required and state is State.GREETED and command in NEEDS_LOGIN:
            return replies.AUTH_REQUIRED
        refused = REFUSED[state].get(command)
        return no_auth if refused is None and command is Credentials else refused

    def after(state: State, command: type[Command]) -> State | None:
        return state if (state, command) in STAYS else LEADS_TO.get(command, state)

    return {
        state: {each: Transition(refusal(state, each), after(state, each)) for each in COMMANDS}
        for state in State
    }


_NOT_READ = (State.DATA, State.CLOSED)
"""States in which no command is read."""
