"""One real connection: what each answer becomes, and what goes over the wire. TLS is in
``test_tls.py``.

The receiver is the standard library's, scripted: see ``receiver.py``.
"""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest

from sim.errors import ScenarioError
from sim.production import Account, Outcome, send
from sim.production.messages import on_the_wire
from sim.strategies.api import Connection, Disconnected, Message, Refused, Sender, StrategyError
from sim.strategies.paced import Paced
from tests.production.receiver import ACCOUNT, Receiver, receiver, workload

FAST = {"size": 5, "spacing": "0.01s"}


@pytest.fixture(autouse=True)
def _short_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.strategies.paced.PASSWORD_REST_S", 0.05)
    monkeypatch.setattr("sim.strategies.paced.FIRST_REST_S", 0.05)


def one_connection(sender: Sender) -> None:
    """All over one connection, until something is refused."""
    with sender.connect() as connection:
        while batch := sender.take():
            connection.send(batch[0])


def sent(
    messages: Any, says: dict[tuple[str, int], str] | None = None, **account: Any
) -> tuple[Outcome, Receiver]:
    """The outcome of ``one_connection`` for ``messages``, or for that many messages."""
    with receiver(says, **account) as (server, to):
        return send(
            one_connection, workload(messages) if isinstance(messages, int) else messages, to
        ), server


STAGES = [
    ("CONNECT", 421),
    ("CONNECT", 554),
    ("EHLO", 421),
    ("AUTH", 535),
    ("AUTH", 421),
    ("MAIL", 421),
    ("MAIL", 450),
]
STAGES += [("RCPT", 550), ("RCPT", 421), ("DATA", 451), ("DATA", 421), ("BODY", 552), ("BODY", 421)]


@pytest.mark.parametrize(("stage", "code"), STAGES)
def test_a_refusal_at_each_stage_reaches_the_strategy_and_paced_sends_it_again(
    stage: str, code: int
) -> None:
    with receiver({(stage, 2): f"{code}-4.7.0 not\r\n{code} 4.7.0 now"}) as (_, account):
        outcome = send(Paced, workload(7), account, options=FAST)
    under_way = {"MAIL": "2", "RCPT": "2", "DATA": "2", "BODY": "2"}.get(stage)
    assert [row[1:] for row in outcome.refusals] == [(code, "4.7.0 not\n4.7.0 now", under_way)]
    assert sorted(map(int, outcome.accepted)) == list(range(1, 8))
    assert (outcome.lost, outcome.ended, outcome.duplicated, outcome.disconnections) == (
        [],
        "settled",
        0,
        [],
    )


@pytest.mark.parametrize("stage", ["CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "BODY"])
@pytest.mark.parametrize("trouble", ["drop", "nonsense", "150 neither yes nor no"])
def test_a_connection_that_dies_or_talks_nonsense_loses_nothing(stage: str, trouble: str) -> None:
    with receiver({(stage, 2): trouble}) as (server, account):
        outcome = send(Paced, workload(7), account, options=FAST)
    assert sorted(map(int, outcome.accepted)) == list(range(1, 8))
    assert sorted(message for batch in server.batches for message in batch) == sorted(
        outcome.accepted
    )
    assert (len(outcome.disconnections), outcome.refusals) == (1, [])


@pytest.mark.parametrize(
    ("stage", "tls"),
    [("CONNECT", "none"), ("AUTH", "none"), ("BODY", "none"), ("CONNECT", "implicit")],
)
def test_an_answer_that_does_not_come_is_a_disconnection(stage: str, tls: str) -> None:
    outcome, _ = sent(2, {(stage, 1): "hold"}, timeout=0.2, tls=tls)
    assert (outcome.accepted, len(outcome.lost), len(outcome.disconnections)) == ([], 2, 1)


@pytest.mark.parametrize(
    ("stage", "code", "then"),
    [
        ("MAIL", 450, ["MAIL"]),
        ("RCPT", 550, ["RSET", "MAIL"]),
        ("DATA", 451, ["RSET", "MAIL"]),
        ("BODY", 552, ["MAIL"]),
    ],
)
def test_after_a_refused_message_the_next_goes_over_the_same_connection(
    stage: str, code: int, then: list[str]
) -> None:
    def goes_on(sender: Sender) -> None:
        first, second = sender.take(2)
        with sender.connect() as connection:
            with pytest.raises(Refused):
                connection.send(first)
            connection.send(second)

    with receiver({(stage, 1): f"{code} no"}) as (server, account):
        outcome = send(goes_on, workload(2), account)
    assert (outcome.accepted, outcome.connections, outcome.error) == (["2"], [["2"]], None)
    verbs = server.verbs[0]
    after = verbs.index("DATA" if stage == "BODY" else stage) + 1
    assert verbs[after : after + len(then)] == then


def test_after_a_421_the_connection_is_closed_without_a_quit():
    said: list[str] = []

    def sixth(sender: Sender) -> None:
        connection: Connection
        with sender.connect() as connection:
            try:
                for message in sender.take(6):
                    connection.send(message)
            except Refused as refused:
                said.append(str(refused))
            with pytest.raises(Disconnected):
                connection.send(message)
            connection.close()

    with receiver({("MAIL", 6): "421 closing"}) as (server, account):
        outcome = send(sixth, workload(6), account)
    assert (said, outcome.lost, outcome.error) == (["421 closing"], ["6"], None)
    assert server.verbs == [["EHLO", "AUTH", *["MAIL", "RCPT", "DATA"] * 5, "MAIL"]]


@pytest.mark.parametrize("answer", ["550 no", "drop", "nonsense"])
def test_leaving_a_connection_never_raises(answer: str) -> None:
    outcome, _ = sent(1, {("QUIT", 1): answer})
    assert (outcome.accepted, outcome.error, outcome.refusals) == (["1"], None, [])


@pytest.mark.parametrize(
    ("offered", "logins"),
    [
        ("AUTH CRAM-MD5 LOGIN PLAIN", ["AUTH PLAIN AHVzZXIxAHDDpHNz"]),
        ("AUTH LOGIN", ["AUTH LOGIN", "dXNlcjE=", "cMOkc3M="]),
        ("SIZE", []),
    ],
)
def test_one_mechanism_is_tried_once(offered: str, logins: list[str]) -> None:
    says = {
        ("EHLO", 1): f"250-receiver\r\n250 {offered}",
        ("DXNLCJE=", 1): "334 UGFzc3dvcmQ6",
        ("CMOKC3M=", 1): "535 wrong",
    }
    says["AUTH", 1] = "334 VXNlcm5hbWU6" if offered == "AUTH LOGIN" else "535 wrong"
    outcome, server = sent(1, says, usernames=[("user1", "päss")])
    assert server.lines[0][1:] == logins
    assert [row[1] for row in outcome.refusals] == [535] * bool(logins)
    assert ([one.id for one in outcome.unsent], len(outcome.disconnections)) == (
        ["1"],
        1 - bool(logins),
    )


def test_what_goes_over_the_wire():
    data = b"Subject: x\r\n\r\n.dot\nlone\r\xe4\r\n"
    outcome, server = sent([Message("a-1", "x@example.com", data)], name="sender.example.com")
    body = b"X-Relaysim-Id: a-1\r\nSubject: x\r\n\r\n..dot\r\nlone\r\n\xe4\r\n"
    assert server.bodies == [body]
    assert [server.lines[0][0], *server.lines[0][2:]] == [
        "ehlo sender.example.com",
        f"MAIL FROM:<me@example.com> SIZE={len(body) - 1} BODY=8BITMIME",
        "RCPT TO:<x@example.com>",
        "data",
        "QUIT",
    ]
    assert outcome.accepted == ["a-1"]


def test_ehlo_says_the_address_where_no_name_is_given():
    assert sent(1)[1].lines[0][0] == "ehlo [127.0.0.1]"


@pytest.mark.parametrize(
    ("data", "added"),
    [
        (b"Subject: x\r\nx-relaysim-ID : 7\r\n\r\nhello", False),
        (b"Subject: x\r\n\r\nX-Relaysim-Id: 7\r\n", True),
        (b"\r\nX-Relaysim-Id: 7\r\n\r\n", True),
    ],
)
def test_the_id_is_added_unless_a_header_has_it(data: bytes, added: bool) -> None:
    assert (
        on_the_wire(Message("1", "x@example.com", data)) == b"X-Relaysim-Id: 1\r\n" * added + data
    )


def test_workers_send_from_their_own_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    sources: set[tuple[str, Any]] = set()
    connected = socket.create_connection

    def create_connection(
        address: Any, timeout: Any = None, source_address: Any = None
    ) -> socket.socket:
        sources.add(source_address)
        return connected(address, timeout)

    monkeypatch.setattr(socket, "create_connection", create_connection)
    with receiver(ips=["127.0.0.1", "127.0.0.2"]) as (_, account):
        outcome = send(lambda sender: sender.connect().close(), [], account, workers=3)
    assert (sources, outcome.error) == ({("127.0.0.1", 0), ("127.0.0.2", 0)}, None)


def test_nobody_there_is_a_disconnection():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        account = Account(
            relay="127.0.0.1", port=free.getsockname()[1], **ACCOUNT
        )  # bound, but nobody listens
        outcome = send(one_connection, workload(2), account)
    assert (outcome.accepted, outcome.lost, len(outcome.disconnections)) == ([], ["1", "2"], 1)


def test_an_account_does_not_show_its_passwords():
    with receiver() as (_, account):
        assert "secret" not in repr(account)


TWICE = Message("a", "x@example.com", b"")


@pytest.mark.parametrize(
    ("messages", "more", "says"),
    [
        ([], {"workers": 0}, "workers"),
        ([], {"until": -1}, "until"),
        ([], {"options": {"size": 5}}, "unknown option"),
        (["x@example.com"], {}, "messages[0]"),
        ([TWICE, TWICE], {}, "messages[1].id"),
        ([TWICE._replace(id="a\r\nBcc: b")], {}, "messages[0].id"),
        ([("x@example.com>\r\nRSET", b"")], {}, "messages[0].recipient"),
        ([("jürgen@example.com", b"")], {}, "messages[0].recipient"),
        ([("x@example.com", "text")], {}, "messages[0].data"),
    ],
)
def test_a_call_that_makes_no_sense_sends_nothing(
    messages: Any, more: dict[str, Any], says: str
) -> None:
    with receiver() as (server, account):
        with pytest.raises(ScenarioError, match=re.escape(says)):
            send(one_connection, messages, account, **more)
        assert server.batches == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"tls": "ssl"},
        {"port": 0},
        {"usernames": []},
        {"timeout": 0},
        {"sender_address": "a>\r\nb"},
        {"name": "a b"},
    ],
)
def test_an_account_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError, match=next(iter(wrong))):
        Account(**{"relay": "127.0.0.1", "port": 25, **ACCOUNT, **wrong})


def test_more_usernames_than_workers_are_a_mistake():
    with (
        receiver(usernames=[("a", "b")] * 2) as (_, account),
        pytest.raises(ScenarioError, match="usernames"),
    ):
        send(one_connection, [], account)


@pytest.mark.parametrize(
    "call",
    [
        ("take", 0),
        ("take", True),
        ("take", 1.5),
        ("sleep", -1),
        ("sleep", float("nan")),
        ("sleep", "1s"),
    ],
)
def test_nonsense_is_a_strategy_error(call: tuple[str, Any]) -> None:
    def strategy(sender: Sender) -> None:
        with pytest.raises(StrategyError):
            getattr(sender, call[0])(call[1])

    with receiver() as (_, account):
        assert send(strategy, [], account).error is None
