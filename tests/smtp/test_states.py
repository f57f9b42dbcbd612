"""The table of states: complete, as the RFCs have it, and leading where it says."""

from __future__ import annotations

import pytest

from sim.smtp import replies
from sim.smtp.states import ANY_TIME, State, Verb, table

ORDERLY = [State.CONNECTED, State.GREETED, State.AUTHENTICATED, State.MAIL, State.RCPT]

# Written down again by hand, a row a state: what is in order beside ANY_TIME, where a login is
# needed and where not.
IN_ORDER = {
    State.CONNECTED: (set(), set()),
    State.GREETED: ({Verb.STARTTLS, Verb.AUTH}, {Verb.STARTTLS, Verb.AUTH, Verb.MAIL}),
    State.AUTHENTICATED: ({Verb.MAIL}, {Verb.MAIL}),
    State.MAIL: ({Verb.RCPT}, {Verb.RCPT}),
    State.RCPT: ({Verb.RCPT, Verb.DATA}, {Verb.RCPT, Verb.DATA}),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("login_required", [True, False])
def test_what_is_in_order(state, login_required):
    row = table(login_required).refusal[state]
    assert set(row) == set(Verb)
    allowed = {verb for verb, refusal in row.items() if refusal is None}
    if state in IN_ORDER:
        assert allowed == set(ANY_TIME) | IN_ORDER[state][not login_required]
    else:
        assert allowed == ({Verb.BODY} if state is State.DATA else set())


@pytest.mark.parametrize(
    ("state", "verb", "refusal"),
    [
        (State.CONNECTED, Verb.MAIL, replies.HELLO_FIRST),
        (State.CONNECTED, Verb.AUTH, replies.HELLO_FIRST),
        (State.GREETED, Verb.MAIL, replies.AUTH_REQUIRED),
        (State.GREETED, Verb.DATA, replies.AUTH_REQUIRED),
        (State.AUTHENTICATED, Verb.AUTH, replies.ALREADY_AUTHENTICATED),
        (State.AUTHENTICATED, Verb.RCPT, replies.NEED_MAIL),
        (State.MAIL, Verb.AUTH, replies.AUTH_IN_TRANSACTION),
        (State.MAIL, Verb.MAIL, replies.NESTED_MAIL),
        (State.MAIL, Verb.DATA, replies.NEED_RCPT),
        (State.RCPT, Verb.MAIL, replies.NESTED_MAIL),
        (State.DATA, Verb.QUIT, replies.BODY_FIRST),
        (State.CLOSED, Verb.NOOP, replies.CLOSING),
    ],
)
def test_what_refuses(state, verb, refusal):
    assert table(True).refusal[state][verb] == refusal


def test_without_a_login_a_missing_mail_is_named():
    assert table(False).refusal[State.GREETED][Verb.RCPT] == replies.NEED_MAIL


@pytest.mark.parametrize("login_required", [True, False])
def test_after_has_what_is_in_order_and_nothing_else(login_required):
    rows = table(login_required)
    for state in State:
        assert set(rows.after[state]) == {
            verb for verb in Verb if rows.refusal[state][verb] is None
        }


def test_a_transaction_leads_back_to_the_idle_state():
    after = table(True).after
    assert after[State.AUTHENTICATED][Verb.MAIL] is State.MAIL
    assert after[State.MAIL][Verb.RCPT] is State.RCPT
    assert after[State.RCPT][Verb.RCPT] is State.RCPT
    assert after[State.RCPT][Verb.DATA] is State.DATA
    assert after[State.DATA][Verb.BODY] is None
    assert after[State.RCPT][Verb.RSET] is None
    assert after[State.MAIL][Verb.EHLO] is None


@pytest.mark.parametrize("state", ORDERLY)
def test_what_changes_nothing(state):
    after = table(True).after
    assert [after[state][verb] for verb in (Verb.NOOP, Verb.VRFY, Verb.HELP)] == [state] * 3
    assert after[state][Verb.QUIT] is State.CLOSED


def test_rset_does_not_stand_in_for_ehlo():
    assert table(True).after[State.CONNECTED][Verb.RSET] is State.CONNECTED
    assert table(True).after[State.GREETED][Verb.STARTTLS] is State.CONNECTED


def test_the_table_is_made_once():
    assert table(True) is table(True)
    assert table(True) is not table(False)
