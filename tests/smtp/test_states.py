"""The table of states: complete, in the order that the RFCs require, and its next states."""

from __future__ import annotations

import pytest

from sim.smtp import replies
from sim.smtp.commands import (
    EVENTS,
    Body,
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
from sim.smtp.states import COMMANDS, IDLE, State, table

ORDERLY = [State.CONNECTED, State.GREETED, State.AUTHENTICATED, State.MAIL, State.RCPT]

ANY_TIME: set[type] = {Noop, Vrfy, Help, Quit, Ehlo, Helo, Rset}

# Written again by hand: the commands in order besides ANY_TIME, on a relay that requires a login
# and on one that does not.
IN_ORDER: dict[State, tuple[set[type], set[type]]] = {
    State.CONNECTED: (set(), set()),
    State.GREETED: ({StartTls, Credentials}, {StartTls, Credentials, Mail}),
    State.AUTHENTICATED: ({Mail}, {Mail}),
    State.MAIL: ({Rcpt}, {Rcpt}),
    State.RCPT: ({Rcpt, Data}, {Rcpt, Data}),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("login_required", [True, False])
def test_what_is_in_order(state, login_required):
    row = table(login_required=login_required)[state]
    assert set(row) == set(COMMANDS)
    allowed = {each for each, entry in row.items() if entry.refusal is None} - set(EVENTS)
    if state in IN_ORDER:
        assert allowed == ANY_TIME | IN_ORDER[state][not login_required]
    else:
        assert allowed == ({Body} if state is State.DATA else set())


@pytest.mark.parametrize(
    ("state", "command", "refusal"),
    [
        (State.CONNECTED, Mail, replies.HELLO_FIRST),
        (State.CONNECTED, Credentials, replies.HELLO_FIRST),
        (State.GREETED, Mail, replies.AUTH_REQUIRED),
        (State.GREETED, Data, replies.AUTH_REQUIRED),
        (State.AUTHENTICATED, Credentials, replies.ALREADY_AUTHENTICATED),
        (State.AUTHENTICATED, Rcpt, replies.NEED_MAIL),
        (State.MAIL, Credentials, replies.AUTH_IN_TRANSACTION),
        (State.MAIL, Mail, replies.NESTED_MAIL),
        (State.MAIL, Data, replies.NEED_RCPT),
        (State.RCPT, Mail, replies.NESTED_MAIL),
        (State.DATA, Quit, replies.BODY_FIRST),
        (State.CLOSED, Noop, replies.CLOSING),
    ],
)
def test_what_refuses(state, command, refusal):
    assert table(login_required=True)[state][command].refusal == refusal


def test_without_a_login_a_missing_mail_is_named():
    assert table(login_required=False)[State.GREETED][Rcpt].refusal == replies.NEED_MAIL


def test_starttls_that_is_not_offered_is_refused_before_its_order():
    rows = table(login_required=True, no_starttls=replies.TLS_ALREADY)
    assert {rows[state][StartTls].refusal for state in ORDERLY} == {replies.TLS_ALREADY}
    assert rows[State.DATA][StartTls].refusal == replies.BODY_FIRST


def test_auth_that_needs_tls_is_refused_after_its_order():
    rows = table(login_required=True, no_auth=replies.TLS_REQUIRED)
    assert rows[State.GREETED][Credentials].refusal == replies.TLS_REQUIRED
    assert rows[State.CONNECTED][Credentials].refusal == replies.HELLO_FIRST


def test_a_transaction_leads_back_to_the_idle_state():
    rows = table(login_required=True)
    assert rows[State.AUTHENTICATED][Mail].after is State.MAIL
    assert rows[State.MAIL][Rcpt].after is State.RCPT
    assert rows[State.RCPT][Rcpt].after is State.RCPT
    assert rows[State.RCPT][Data].after is State.DATA
    assert rows[State.DATA][Body].after is IDLE
    assert rows[State.RCPT][Rset].after is IDLE
    assert rows[State.MAIL][Ehlo].after is IDLE


@pytest.mark.parametrize("state", ORDERLY)
def test_what_changes_nothing(state):
    row = table(login_required=True)[state]
    assert [row[each].after for each in (Noop, Vrfy, Help)] == [state] * 3
    assert row[Quit].after is State.CLOSED
    assert row[Lost].after is State.CLOSED


def test_rset_is_not_a_substitute_for_ehlo():
    assert table(login_required=True)[State.CONNECTED][Rset].after is State.CONNECTED


def test_tls_leads_back_to_before_ehlo_and_never_out_of_the_end():
    rows = table(login_required=True)
    assert rows[State.GREETED][StartTls].after is State.GREETED
    assert rows[State.GREETED][TlsStarted].after is State.CONNECTED
    assert rows[State.CLOSED][TlsStarted].after is State.CLOSED


def test_the_table_is_made_once():
    assert table(login_required=True) is table(login_required=True)
    assert table(login_required=True) is not table(login_required=False)
