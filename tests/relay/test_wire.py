"""The byte door: whole conversations with a real relay, each held whole, byte by byte and with
trailing bytes.
"""

from __future__ import annotations

from base64 import b64encode

import pytest

from sim.relay.wire import Wire
from sim.smtp import replies
from tests.relay.wire_talk import (
    EHLO,
    IP,
    LOGGED_IN,
    MESSAGE,
    OPEN,
    PLAIN,
    Seen,
    answers,
    relay,
    talk,
)

CHALLENGED = 334


def base64(text):
    return b64encode(text.encode()) + b"\r\n"


def names(found):
    return found.seen.acceptances


def test_the_greeting():
    wire = Wire(relay(Seen()).connect(IP, 0))
    assert wire.greeting(0) == replies.READY.encode()
    assert not wire.closed


def test_a_message_from_end_to_end():
    found = talk(LOGGED_IN + MESSAGE + b"QUIT\r\n")
    assert found.codes == [250, 235, 250, 250, 354, 250, 221]
    assert found.wire.closed
    assert not found.wire.dropped
    assert names(found) == ["c@d.example"]


def test_ehlo_says_what_is_offered():
    offered = talk(EHLO).answers[0].lines[1:]
    assert {"PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "STARTTLS", "AUTH PLAIN LOGIN"} < set(
        offered
    )
    assert any(line.startswith("SIZE ") for line in offered)


def test_helo_is_one_line():
    found = talk(b"HELO me\r\n")
    assert found.codes == [250]
    assert len(found.answers[0].lines) == 1


@pytest.mark.parametrize(
    ("identifying", "name"),
    [
        (b"X-Relaysim-Id: m17\r\nMessage-ID: <1@a>\r\n", "m17"),
        (b"Message-ID: <1@a>\r\n", "<1@a>"),
        (b"Subject: x\r\n", "c@d.example"),
        (b"\r\nX-Relaysim-Id: m17\r\n", "c@d.example"),
        (b"..Message-ID: <1@a>\r\n", "c@d.example"),
    ],
)
def test_by_what_a_message_is_known(identifying, name):
    assert names(talk(LOGGED_IN + OPEN + identifying + b"\r\n.\r\n")) == [name]


def test_a_message_is_known_by_its_first_recipient_of_its_own_transaction():
    second = b"MAIL FROM:<>\r\nRCPT TO:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\n.\r\n"
    assert names(
        talk(LOGGED_IN + MESSAGE + b"MAIL FROM:<>\r\nRCPT TO:<q@y>\r\nRSET\r\n" + second)
    ) == ["c@d.example", "x@y"]


@pytest.mark.parametrize(
    ("exchange", "codes"),
    [
        (b"AUTH PLAIN\r\n" + base64("\0user1\0secret"), [334, 235]),
        (b"AUTH PLAIN " + base64("admin\0user1\0secret"), [235]),
        (b"auth plain " + base64("\0user1\0secret"), [235]),
        (b"AUTH LOGIN\r\n" + base64("user1") + base64("secret"), [334, 334, 235]),
        (b"AUTH LOGIN " + base64("user1") + base64("secret"), [334, 235]),
    ],
)
def test_logins(exchange, codes):
    found = talk(EHLO + exchange + b"NOOP\r\n")
    assert found.codes == [250, *codes, 250]
    assert found.seen.logins == [("user1", "accepted")]
    refused = talk(EHLO + exchange + b"NOOP\r\n", wrong=True)
    assert refused.codes == [250, *codes[:-1], 535, 250]
    assert refused.seen.logins == [("user1", "failed")]


def test_the_challenges_of_login():
    lines = [
        answer.lines for answer in talk(EHLO + b"AUTH LOGIN\r\n" + base64("user1")).answers[1:]
    ]
    assert lines == [(b64encode(b"Username:").decode(),), (b64encode(b"Password:").decode(),)]


@pytest.mark.parametrize(
    ("exchange", "codes", "last"),
    [
        (b"AUTH PLAIN\r\n*\r\n", [334, 501], "501 5.7.0"),
        (b"AUTH LOGIN\r\n*\r\n", [334, 501], "501 5.7.0"),
        (b"AUTH LOGIN dXNlcjE=\r\n*\r\n", [334, 501], "501 5.7.0"),
        (b"AUTH PLAIN\r\n!!!\r\n", [334, 501], "501 5.5.2"),
        (b"AUTH PLAIN !!!\r\n", [501], "501 5.5.2"),
        (b"AUTH LOGIN !!!\r\n", [501], "501 5.5.2"),
        (b"AUTH LOGIN\r\ndXNlcjE=\r\n!!!\r\n", [334, 334, 501], "501 5.5.2"),
        (b"AUTH LOGIN\r\n/w==\r\n", [334, 501], "501 5.5.2"),
        (b"AUTH LOGIN dXNlcjE=\r\n/w==\r\n", [334, 501], "501 5.5.2"),
        (b"AUTH PLAIN =\r\n", [501], "501 5.5.2"),
        (b"AUTH PLAIN\r\n\r\n", [334, 501], "501 5.5.2"),
        (b"AUTH PLAIN " + base64("user1\0secret"), [501], "501 5.5.2"),
        (b"AUTH CRAM-MD5\r\n", [504], "504 5.5.4"),
        (b"AUTH CRAM-MD5 !!!\r\n", [504], "504 5.5.4"),
        (b"AUTH PLAIN\r\n" + b"A" * 12_287 + b"\r\n", [334, 500], "500 5.5.6"),
        (b"AUTH PLAIN " + b"A" * 12_288 + b"\r\n", [500], "500 5.5.6"),
        (b"AUTH PLAIN\r\nQUIT\xff\r\n", [334, 501], "501 5.5.2"),
        (b"AUTH PLAIN\r\nAA\nAA\r\n", [334, 501], "501 5.5.2"),
    ],
)
def test_an_exchange_that_fails_uses_up_nothing_and_ends(exchange, codes, last):
    found = talk(EHLO + exchange)
    assert found.codes == [250, *codes]
    assert found.last.startswith(last)
    assert found.seen.logins == []
    assert talk(EHLO + exchange + PLAIN).codes[-1] == 235


def test_an_empty_initial_response_of_login_is_an_empty_username():
    found = talk(EHLO + b"AUTH LOGIN =\r\n" + base64("secret"), wrong=True)
    assert found.codes == [250, 334, 535]
    assert found.seen.logins == [("", "failed")]


def test_a_response_longer_than_a_command_is_taken():
    assert talk(EHLO + b"AUTH PLAIN\r\n" + base64("\0user1\0" + "x" * 9_000)).codes == [
        250,
        334,
        235,
    ]
    assert talk(EHLO + b"AUTH PLAIN " + base64("\0user1\0" + "x" * 9_000)).codes == [250, 235]


def test_a_line_of_the_exchange_is_no_command():
    assert talk(EHLO + b"AUTH LOGIN\r\nQUIT\r\nQUIT\r\n").codes == [250, 334, 334, 235]


def test_commands_pipelined_into_one_read_are_answered_in_order():
    wire = Wire(relay(Seen()).connect(IP, 0))
    wire.greeting(0)
    assert [answer.code for answer in answers(wire.receive(LOGGED_IN + OPEN, 1))] == [
        250,
        235,
        250,
        250,
        354,
    ]
    rest = b"Hello\r\n.\r\nMAIL FROM:<>\r\nRSET\r\nQUIT\r\n"
    assert [answer.code for answer in answers(wire.receive(rest, 2))] == [250, 250, 250, 221]


def test_the_sixth_mail_is_answered_421_and_nothing_behind_it():
    found = talk(LOGGED_IN + MESSAGE * 7 + b"QUIT\r\n")
    assert found.codes == [250, 235, *[250, 250, 354, 250] * 5, 421]
    assert found.last == "421 Service not available, closing transmission channel."
    assert found.wire.closed
    assert not found.wire.dropped
    assert len(found.seen.acceptances) == 5
    assert found.seen.incidents == ["transactions_per_connection"]


@pytest.mark.parametrize(
    ("stage", "codes"),
    [("rcpt", [250, 421]), ("data", [250, 250, 421]), ("body", [250, 250, 354, 421])],
)
def test_the_sixth_transaction_answered_later(stage, codes):
    found = talk(
        LOGGED_IN + MESSAGE * 7, policy={"transactions_per_connection": {"reply": {"stage": stage}}}
    )
    assert found.codes == [250, 235, *[250, 250, 354, 250] * 5, *codes]
    assert found.wire.closed


def test_a_relay_that_drops_says_nothing_more():
    dropping = {"transactions_per_connection": {"reply": {"then": "drop"}}}
    found = talk(LOGGED_IN + MESSAGE * 7, policy=dropping)
    assert found.codes == [250, 235, *[250, 250, 354, 250] * 5]
    assert found.wire.dropped
    assert found.wire.closed


def test_a_relay_that_stays_reads_on():
    staying = {"transactions_per_connection": {"count": 1, "reply": {"then": "stay", "code": 450}}}
    found = talk(LOGGED_IN + MESSAGE + b"MAIL FROM:<a@b>\r\nNOOP\r\n", policy=staying)
    assert found.codes == [250, 235, 250, 250, 354, 250, 450, 250]
    assert not found.wire.closed


@pytest.mark.parametrize(("then", "written"), [("close", b"421 "), ("drop", b"")])
def test_the_301st_connection_is_refused_in_place_of_the_greeting(then, written):
    crowded = relay(Seen(), policy={"connections_per_ip": {"reply": {"then": then}}})
    for _ in range(300):
        assert Wire(crowded.connect(IP, 0)).greeting(0).startswith(b"220 ")
    wire = Wire(crowded.connect(IP, 0))
    assert wire.greeting(0).startswith(written)
    assert wire.closed
    assert wire.dropped == (then == "drop")
    assert wire.receive(EHLO, 1) == b""


def test_the_eleventh_wrong_password_closes():
    found = talk(EHLO + PLAIN * 12, wrong=True)
    assert found.codes == [250] + [535] * 10 + [421]
    assert found.wire.closed


def test_nothing_is_answered_behind_the_end():
    found = talk(EHLO + b"QUIT\r\nNOOP\r\n" + PLAIN)
    assert found.codes == [250, 221]
    assert found.seen.logins == []
    assert found.wire.receive(b"NOOP\r\n", 9) == b""


def test_the_peer_goes_in_the_middle_of_a_body():
    found = talk(LOGGED_IN + OPEN + b"Hello\r\n")
    found.wire.eof(7)
    assert found.wire.closed
    assert found.seen.acceptances == []
    assert found.seen.closed_at == {1: 7}
    assert found.wire.receive(b".\r\n", 8) == b""


def test_a_relay_without_login():
    assert talk(EHLO + MESSAGE, login_required=False).codes == [250, 250, 250, 354, 250]


def test_many_bad_commands_do_not_end_the_connection():
    assert talk(b"NOPE\r\n" * 300 + EHLO).codes == [500] * 300 + [250]


def test_an_empty_line_behind_a_body_in_one_read_is_answered():
    """Two octets behind the end are as many as a body's reader keeps in sight before it."""
    found = talk(LOGGED_IN + MESSAGE + b"\r\n")
    assert found.codes[-2:] == [250, 500]
    assert talk(LOGGED_IN + MESSAGE + b"\r\n" + MESSAGE).codes[-6:] == [
        250,
        500,
        250,
        250,
        354,
        250,
    ]
