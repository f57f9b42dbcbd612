"""One session by its commands: order, TLS, logins, sizes, recipients and its end, and that the
shortcut for a transaction does the same as its four commands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.measure import Recorder
from sim.relay import Relay, Session, load
from sim.relay.shortcuts import QuickSession
from sim.relay.terms import Peer, Terms
from sim.smtp import replies
from sim.smtp.commands import (
    Body,
    Command,
    Connected,
    Credentials,
    Data,
    Ehlo,
    Lost,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    StartTls,
    TlsStarted,
)
from sim.smtp.replies import Reply


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
    made.handle(Connected(), 0)
    made.handle(Ehlo("x"), 0)
    assert made.handle(Credentials("u", "right"), 0) is replies.LOGGED_IN
    return made


def offers(made: Session) -> list[str]:
    reply = made.handle(Ehlo("x"), 0)
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
    assert made.handle(StartTls(), 0) is replies.START_TLS
    made.handle(TlsStarted(), 0)
    assert offers(made)[-1] == "AUTH PLAIN LOGIN"
    assert "STARTTLS" not in offers(made)


def test_tls_makes_the_session_forget_what_was_said_in_the_clear():
    made = session("starttls")
    made.handle(Ehlo("x"), 0)
    made.handle(Credentials("u", "right"), 0)
    assert made.handle(StartTls(), 0) is replies.TLS_OUT_OF_ORDER
    made = session("starttls")
    made.handle(Ehlo("x"), 0)
    made.handle(StartTls(), 0)
    made.handle(TlsStarted(), 0)
    assert made.handle(Credentials("u", "right"), 0) is replies.HELLO_FIRST
    made.handle(Ehlo("x"), 0)
    assert made.handle(StartTls(), 0) is replies.TLS_ALREADY


@pytest.mark.parametrize(
    ("tls", "reply"), [("none", replies.NOT_IMPLEMENTED), ("implicit", replies.TLS_ALREADY)]
)
def test_starttls_where_it_is_not_offered(tls, reply):
    made = session(tls)
    made.handle(Ehlo("x"), 0)
    assert made.handle(StartTls(), 0) is reply


def test_auth_in_the_clear_where_it_is_not_allowed_counts_as_nothing():
    rows = Recorder()
    made = session("starttls", rows, plain_auth=False)
    made.handle(Ehlo("x"), 0)
    assert made.handle(Credentials("u", "right"), 0) is replies.TLS_REQUIRED
    assert rows.logins == []


def test_out_of_order():
    made = session()
    assert made.handle(Mail("a@example.com"), 0) is replies.HELLO_FIRST
    made.handle(Ehlo("x"), 0)
    assert made.handle(Mail("a@example.com"), 0) is replies.AUTH_REQUIRED
    assert made.handle(Credentials("u", "wrong"), 0) is replies.BAD_CREDENTIALS
    assert made.handle(Credentials("u", "right"), 0) is replies.LOGGED_IN
    assert made.handle(Credentials("u", "right"), 0) is replies.ALREADY_AUTHENTICATED
    assert made.handle(Rcpt("b@example.com"), 0) is replies.NEED_MAIL
    made.handle(Mail("a@example.com"), 0)
    assert made.handle(Data(), 0) is replies.NEED_RCPT
    made.handle(Rcpt("b@example.com"), 0)
    assert made.handle(Body(5), 0) is replies.NEED_DATA
    made.handle(Data(), 0)
    assert made.handle(Rset(), 0) is replies.BODY_FIRST
    assert made.handle(Body(5), 0) is replies.ACCEPTED


def test_a_message_too_large_is_refused_at_mail_where_it_says_so_and_after_data_where_not():
    rows = Recorder()
    made = logged_in(rows=rows, message_size=1_000, transactions_per_connection=2)
    assert made.handle(Mail("a@example.com", size=1_001), 0) is replies.TOO_LARGE
    for size, reply in ((1_000, replies.ACCEPTED), (1_001, replies.TOO_LARGE)):
        assert made.handle(Mail("a@example.com", size=1_000), 0) is replies.SENDER_OK
        made.handle(Rcpt("b@example.com"), 0)
        made.handle(Data(), 0)
        assert made.handle(Body(size), 0) is reply
    assert len(rows.accepted_at) == 1
    assert made.left == 0  # the refused MAIL was no transaction


def test_a_hundred_recipients_and_no_more():
    made = logged_in()
    made.handle(Mail("a@example.com"), 0)
    assert [made.handle(Rcpt("b@example.com"), 0) for _ in range(101)] == [
        replies.RECIPIENT_OK
    ] * 100 + [replies.TOO_MANY_RECIPIENTS]
    assert made.handle(Data(), 0) is replies.START_INPUT


def test_the_message_is_named_at_mail_or_with_the_body_and_in_the_incident():
    rows = Recorder()
    made = logged_in(rows=rows, transactions_per_connection=2)
    for at, given_at_mail, given_with_body in ((1, "m1", None), (2, None, "m2")):
        made.handle(Mail("a@example.com", message=given_at_mail), at)
        made.handle(Rcpt("b@example.com"), at)
        made.handle(Data(), at)
        made.handle(Body(5, message=given_with_body), at)
    made.handle(Mail("a@example.com", message="m3"), 3)
    assert (rows.accepted_ids, rows.accepted_at) == (["m1", "m2"], [1, 2])
    assert [
        (row.message, row.username, row.ip, row.connection, row.at) for row in rows.incidents
    ] == [("m3", "u", "i", 1, 3)]


def test_quit_and_a_lost_connection_are_written_down_once():
    rows = Recorder()
    made = logged_in(rows=rows)
    assert made.handle(Quit(), 5) is replies.GOODBYE
    made.handle(Lost(), 9)
    assert (made.closed, rows.closed_at) == (True, {1: 5})
    assert made.handle(Noop(), 10) is replies.CLOSING


def test_ehlo_and_rset_end_a_transaction():
    made = logged_in()
    for end in (Ehlo("x"), Rset()):
        made.handle(Mail("a@example.com"), 0)
        made.handle(Rcpt("b@example.com"), 0)
        made.handle(end, 0)
        assert (made.recipients, made.message) == (0, None)
        assert made.handle(Rcpt("b@example.com"), 0) is replies.NEED_MAIL


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
        made.handle(Ehlo("x"), 0)
        for at, call in enumerate(calls):
            size = 1_001 if call == "large" else 10
            if call in ("transact", "large"):
                if not (short and quick(made).transact("m", size, at)):
                    by_four(made, size, at)
            elif call == "mail":
                made.handle(Mail("a@example.com", message="m"), at)
            elif call == "login":
                made.handle(Credentials("u", "right"), at)
            else:
                made.handle(Rset() if call == "rset" else Quit(), at)
        seen.append((vars(rows), made.left, made.state, made.closed))
    assert seen[0] == seen[1]


def quick(made: Session) -> QuickSession:
    assert isinstance(made, QuickSession)
    return made


def by_four(made: Session, size: int, at: int) -> None:
    first = made.handle(Mail("a@example.com", message="m"), at)
    if first is replies.SENDER_OK:
        made.handle(Rcpt("b@example.com"), at)
        made.handle(Data(), at)
        made.handle(Body(size), at)


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
    session.handle(Ehlo("me"), 1)
    session.handle(Credentials("user1", "secret"), 2)
    for _ in range(3):
        codes = [
            session.handle(Mail("a@b"), 3),
            session.handle(Rcpt("c@d"), 3),
            session.handle(Rcpt("c@d"), 3),
            session.handle(Data(), 3),
            session.handle(Data(), 3),
            session.handle(Body(9), 3),
        ]
        assert None not in codes
    assert len(recorder.accepted_at) == 1
    assert session.handle(Noop(), 4) is replies.OK


class Heard:
    """An Observer that keeps every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.calls.append((name, *args))


def test_a_session_needs_no_relay():
    """Its terms are a policy, an observer and a function that judges logins."""
    policy = load("mailersend", {"transactions_per_connection": 1}, "test", Path())
    heard = Heard()
    asked = []

    def judge(peer: Peer, login: Credentials, now: int) -> Reply | None:
        asked.append((peer.number, peer.ip, login.username, now))
        return None if login.password == "right" else replies.BAD_CREDENTIALS

    made = Session(Terms(policy, heard, judge, tls="starttls", plain_auth=False), 7, "i")
    first = Mail("a@example.com", message="m")
    steps: list[tuple[Command, Reply | None]] = [
        (Connected(), replies.READY),
        (Ehlo("x"), None),
        (Credentials("u", "right"), replies.TLS_REQUIRED),
        (StartTls(), replies.START_TLS),
        (TlsStarted(), None),
        (Credentials("u", "right"), replies.HELLO_FIRST),
        (Ehlo("x"), None),
        (Credentials("u", "wrong"), replies.BAD_CREDENTIALS),
        (Credentials("u", "right"), replies.LOGGED_IN),
        (first, replies.SENDER_OK),
        (Rcpt("b@example.com"), replies.RECIPIENT_OK),
        (Data(), replies.START_INPUT),
        (Body(5), replies.ACCEPTED),
    ]
    for command, expected in steps:
        reply = made.handle(command, 3)
        assert expected is None or reply is expected
    refused = made.handle(first, 4)
    assert refused is not None
    assert (refused.code, made.closed) == (421, True)
    assert asked == [(7, "i", "u", 3)] * 2
    assert [call[0] for call in heard.calls] == ["accepted", "incident", "closed"]


@pytest.mark.parametrize(
    ("tls", "secure", "reply"),
    [
        ("starttls", None, replies.START_TLS),
        ("starttls", True, replies.TLS_ALREADY),
        ("implicit", None, replies.TLS_ALREADY),
        ("none", None, replies.NOT_IMPLEMENTED),
    ],
)
def test_a_connection_is_encrypted_from_the_start_by_its_terms_or_its_caller(tls, secure, reply):
    policy = load("mailersend", {}, "test", Path())
    made = Session(Terms(policy, Heard(), lambda *_: None, tls=tls), 1, "i", secure)
    made.handle(Ehlo("x"), 0)
    assert made.handle(StartTls(), 0) is reply
