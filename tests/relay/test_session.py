"""One session by typed calls: order, TLS, logins, sizes, recipients, its end; and that a
transaction in one call is the four.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.measure import Recorder
from sim.relay import Relay, Session, load
from sim.smtp import replies


def session(
    tls: str = "none",
    rows: Recorder | None = None,
    plain_auth: bool = True,
    login_required: bool = True,
    **overlay: Any,
) -> Session:
    policy = load("mailersend", overlay, "test", Path())
    right = lambda username, password, at: password == "right"  # noqa: E731
    relay = Relay(
        policy,
        rows or Recorder(),
        right,
        tls=tls,
        plain_auth=plain_auth,
        login_required=login_required,
    )
    return relay.connect("i", 0)


def logged_in(**options: Any) -> Session:
    made = session(**options)
    made.greeting(0)
    made.hello("x", 0)
    assert made.auth("u", "right", 0) is replies.LOGGED_IN
    return made


def offers(made: Session) -> list[str]:
    reply = made.hello("x", 0)
    assert reply is not None
    return list(reply.lines[1:])


COMMON = ["PIPELINING", "SIZE 26214400", "8BITMIME", "ENHANCEDSTATUSCODES"]


def test_what_ehlo_offers():
    assert offers(session()) == [*COMMON, "AUTH PLAIN LOGIN"]
    assert offers(session(login_required=False)) == COMMON
    assert offers(session("implicit")) == [*COMMON, "AUTH PLAIN LOGIN"]
    made = session("starttls", plain_auth=False, message_size=1_000)
    assert offers(made) == [
        "PIPELINING",
        "SIZE 1000",
        "8BITMIME",
        "ENHANCEDSTATUSCODES",
        "STARTTLS",
    ]
    assert made.starttls(0) is replies.START_TLS
    made.tls_started()
    assert offers(made)[-1] == "AUTH PLAIN LOGIN"
    assert "STARTTLS" not in offers(made)


def test_tls_makes_the_session_forget_what_was_said_in_the_clear():
    made = session("starttls")
    made.hello("x", 0)
    made.auth("u", "right", 0)
    assert made.starttls(0) is replies.TLS_OUT_OF_ORDER
    made = session("starttls")
    made.hello("x", 0)
    made.starttls(0)
    made.tls_started()
    assert made.auth("u", "right", 0) is replies.HELLO_FIRST
    made.hello("x", 0)
    assert made.starttls(0) is replies.TLS_ALREADY


@pytest.mark.parametrize(
    ("tls", "reply"), [("none", replies.NOT_IMPLEMENTED), ("implicit", replies.TLS_ALREADY)]
)
def test_starttls_where_it_is_not_offered(tls, reply):
    made = session(tls)
    made.hello("x", 0)
    assert made.starttls(0) is reply


def test_auth_in_the_clear_where_it_is_not_allowed_counts_as_nothing():
    rows = Recorder()
    made = session("starttls", rows, plain_auth=False)
    made.hello("x", 0)
    assert made.auth("u", "right", 0) is replies.TLS_REQUIRED
    assert rows.logins == []


def test_out_of_order():
    made = session()
    assert made.mail("a@example.com", 0) is replies.HELLO_FIRST
    made.hello("x", 0)
    assert made.mail("a@example.com", 0) is replies.AUTH_REQUIRED
    assert made.auth("u", "wrong", 0) is replies.BAD_CREDENTIALS
    assert made.auth("u", "right", 0) is replies.LOGGED_IN
    assert made.auth("u", "right", 0) is replies.ALREADY_AUTHENTICATED
    assert made.rcpt("b@example.com", 0) is replies.NEED_MAIL
    made.mail("a@example.com", 0)
    assert made.data(0) is replies.NEED_RCPT
    made.rcpt("b@example.com", 0)
    assert made.body(5, 0) is replies.NEED_DATA
    made.data(0)
    assert made.rset(0) is replies.BODY_FIRST
    assert made.body(5, 0) is replies.ACCEPTED


def test_a_message_too_large_is_refused_at_mail_where_it_says_so_and_after_data_where_not():
    rows = Recorder()
    made = logged_in(rows=rows, message_size=1_000, transactions_per_connection=2)
    assert made.mail("a@example.com", 0, size=1_001) is replies.TOO_LARGE
    for size, reply in ((1_000, replies.ACCEPTED), (1_001, replies.TOO_LARGE)):
        assert made.mail("a@example.com", 0, size=1_000) is replies.SENDER_OK
        made.rcpt("b@example.com", 0)
        made.data(0)
        assert made.body(size, 0) is reply
    assert len(rows.accepted_at) == 1
    assert made.used == 2  # the refused MAIL was no transaction


def test_a_hundred_recipients_and_no_more():
    made = logged_in()
    made.mail("a@example.com", 0)
    assert [made.rcpt("b@example.com", 0) for _ in range(101)] == [replies.RECIPIENT_OK] * 100 + [
        replies.TOO_MANY_RECIPIENTS
    ]
    assert made.data(0) is replies.START_INPUT


def test_the_message_is_named_at_mail_or_with_the_body_and_in_the_incident():
    rows = Recorder()
    made = logged_in(rows=rows, transactions_per_connection=2)
    for at, given_at_mail, given_with_body in ((1, "m1", None), (2, None, "m2")):
        made.mail("a@example.com", at, message=given_at_mail)
        made.rcpt("b@example.com", at)
        made.data(at)
        made.body(5, at, message=given_with_body)
    made.mail("a@example.com", 3, message="m3")
    assert (rows.accepted_ids, rows.accepted_at) == (["m1", "m2"], [1, 2])
    assert [
        (row.message, row.username, row.ip, row.connection, row.at) for row in rows.incidents
    ] == [("m3", "u", "i", 1, 3)]


def test_quit_and_a_lost_connection_are_written_down_once():
    rows = Recorder()
    made = logged_in(rows=rows)
    assert made.quit(5) is replies.GOODBYE
    made.lost(9)
    assert (made.closed, rows.closed_at) == (True, {1: 5})
    assert made.noop(10) is replies.CLOSING


def test_ehlo_and_rset_end_a_transaction():
    made = logged_in()
    for end in (lambda: made.hello("x", 0), lambda: made.rset(0)):
        made.mail("a@example.com", 0)
        made.rcpt("b@example.com", 0)
        end()
        assert (made.recipients, made.message) == (0, None)
        assert made.rcpt("b@example.com", 0) is replies.NEED_MAIL


CALLS = st.lists(
    st.sampled_from(["transact", "mail", "rset", "login", "quit", "large"]), max_size=14
)


@given(calls=CALLS, count=st.integers(1, 3), counted_at=st.sampled_from(["mail", "acceptance"]))
def test_a_transaction_in_one_call_does_what_the_four_do(calls, count, counted_at):
    """Two sessions, one of which is never asked for the short way: the same record, the same
    budget, the same end.
    """
    seen = []
    for short in (True, False):
        rows = Recorder()
        made = session(
            rows=rows,
            transactions_per_connection={"count": count, "counted_at": counted_at},
            message_size=1_000,
        )
        made.hello("x", 0)
        for at, call in enumerate(calls):
            size = 1_001 if call == "large" else 10
            if call in ("transact", "large"):
                if not (short and made.transact("m", size, at)):
                    by_four(made, size, at)
            elif call == "mail":
                made.mail("a@example.com", at, message="m")
            elif call == "login":
                made.auth("u", "right", at)
            else:
                getattr(made, call)(at)
        seen.append((vars(rows), made.used, made.state, made.closed))
    assert seen[0] == seen[1]


def by_four(made: Session, size: int, at: int) -> None:
    first = made.mail("a@example.com", at, message="m")
    if first is replies.SENDER_OK:
        made.rcpt("b@example.com", at)
        made.data(at)
        made.body(size, at)


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "body"])
def test_a_refusal_that_stays_ends_the_transaction_and_never_lets_it_through(stage: str) -> None:
    policy = load(
        "mailersend",
        {"transactions_per_connection": {"count": 1, "reply": {"stage": stage, "then": "stay"}}},
        "x",
        Path(),
    )
    recorder = Recorder()
    session = Relay(policy, recorder, lambda username, password, now: True, tls="none").connect(
        "198.18.0.1", 0
    )
    session.hello("me", 1)
    session.auth("user1", "secret", 2)
    for _ in range(3):
        codes = [
            session.mail("a@b", 3),
            session.rcpt("c@d", 3),
            session.rcpt("c@d", 3),
            session.data(3),
            session.data(3),
            session.body(9, 3),
        ]
        assert None not in codes
    assert len(recorder.accepted_at) == 1
    assert session.noop(4) is replies.OK
