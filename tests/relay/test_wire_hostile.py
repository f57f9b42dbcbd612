"""The byte door against what a peer should not send: injection, smuggling, wrong octets, too much
of everything.
"""

from __future__ import annotations

import tracemalloc

import pytest

from sim.relay.wire import Wire
from sim.smtp import replies
from tests.relay.wire_talk import EHLO, IP, LOGGED_IN, MESSAGE, OPEN, PLAIN, Seen, relay, talk

SMALL = {"message_size": 1_000}


def test_what_is_pipelined_behind_starttls_is_thrown_away():
    found = talk(EHLO + b"STARTTLS\r\n" + EHLO + PLAIN + MESSAGE + b"QUIT\r\n")
    assert found.codes == [250, 220]
    assert (found.wire.starttls, found.wire.closed) == (True, False)
    found.wire.tls_started(1)
    assert not found.wire.starttls
    assert (
        found.wire.receive(b"\r\n", 2) == replies.UNKNOWN.encode()
    )  # half a line of before would have been completed
    assert found.wire.receive(b"AUTH PLAIN\r\n", 2) == replies.HELLO_FIRST.encode()
    assert b"STARTTLS" not in found.wire.receive(EHLO, 3)
    assert found.wire.receive(PLAIN, 4) == replies.LOGGED_IN.encode()
    assert found.seen.acceptances == []


def test_half_a_command_behind_starttls_is_thrown_away():
    wire = talk(EHLO + b"STARTTLS\r\nEHLO inj").wire
    wire.tls_started(1)
    assert wire.receive(b"ected\r\n", 2) == replies.UNKNOWN.encode()


def test_starttls_that_is_refused_changes_nothing():
    for codes, data, options in (
        ([503], b"STARTTLS\r\n", {}),
        ([250, 501], EHLO + b"STARTTLS now\r\n", {}),
        ([250, 502], EHLO + b"STARTTLS\r\n", {"tls": "none"}),
        ([250, 503], EHLO + b"STARTTLS\r\n", {"tls": "implicit"}),
        ([250, 235, 503], LOGGED_IN + b"STARTTLS\r\n", {}),
    ):
        found = talk(data, **options)
        assert found.codes == codes
        assert not found.wire.starttls
        assert talk(data + b"NOOP\r\n", **options).codes == [*codes, 250]


def test_auth_in_the_clear_where_tls_is_needed():
    found = talk(EHLO + PLAIN + b"AUTH LOGIN\r\n", plain_auth=False)
    assert found.codes == [250, 530, 530]
    assert found.seen.logins == []
    assert "AUTH PLAIN LOGIN" not in found.answers[0].lines


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\n\0.\r\n"]
)
def test_no_message_is_smuggled_behind_another(end):
    smuggled = b"MAIL FROM:<evil@b>\r\nRCPT TO:<evil@d>\r\nDATA\r\nEvil\r\n"
    found = talk(LOGGED_IN + OPEN + b"Hello" + end + smuggled + b".\r\nNOOP\r\n")
    assert found.codes == [250, 235, 250, 250, 354, 250, 250]
    assert found.seen.acceptances == ["c@d.example"]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\r", b"\n\n", b"\0"])
def test_two_commands_in_one_line_are_none(end):
    found = talk(EHLO + b"NOOP" + end + b"QUIT\r\n")
    assert found.codes == [250, 500]
    assert not found.wire.closed


def test_a_line_without_its_crlf_waits():
    assert talk(EHLO + b"NOOP\n").codes == [250]
    assert talk(EHLO + b"NOOP\r").codes == [250]


@pytest.mark.parametrize("line", [b"NOOP \xff", b"MAIL FROM:<\xc3\xa9@b>", b"EHLO \x80"])
def test_eight_bits_in_a_command(line):
    assert talk(EHLO + line + b"\r\n").last.startswith("500 5.5.2")


def test_eight_bits_and_nul_in_a_body_are_content():
    assert talk(LOGGED_IN + OPEN + bytes(range(256)) + b"\r\n.\r\n").codes[-1] == 250


@pytest.mark.parametrize("length", [513, 5_000, 12_288, 12_289, 40_000])
def test_an_overlong_command_is_answered_once(length):
    line = b"NOOP " + b"x" * (length - 7) + b"\r\n"
    assert len(line) == length
    found = talk(EHLO + line + b"NOOP\r\n")
    assert found.codes == [250, 500, 250]


def test_the_longest_mail_is_taken():
    line = b"MAIL FROM:<" + b"a" * 500 + b"@b> SIZE=1 AUTH=" + b"x" * 490
    assert talk(LOGGED_IN + line + b"\r\n").codes[-1] == 250
    assert talk(LOGGED_IN + line + b"x" * 60 + b"\r\n").codes[-1] == 500


def test_a_size_above_the_most_is_refused_at_mail_and_is_no_transaction():
    found = talk(
        LOGGED_IN + b"MAIL FROM:<a@b> SIZE=1001\r\n" * 9 + b"MAIL FROM:<a@b> SIZE=1000\r\n",
        policy=SMALL,
    )
    assert found.codes == [250, 235] + [552] * 9 + [250]


@pytest.mark.parametrize(("length", "code"), [(998, 250), (999, 552), (9_999, 552)])
def test_a_body_above_the_most_is_refused_at_its_end(length, code):
    for content in (b"x" * length, b"." * (length + 1)):  # the first dot of a line is not counted
        found = talk(LOGGED_IN + OPEN + content + b"\r\n.\r\nMAIL FROM:<a@b>\r\n", policy=SMALL)
        assert found.codes == [250, 235, 250, 250, 354, code, 250]
        assert len(found.seen.acceptances) == (code == 250)


def test_an_endless_body_takes_no_memory():
    wire = Wire(relay(Seen(), policy=SMALL).connect(IP, 0))
    wire.greeting(0)
    wire.receive(LOGGED_IN + OPEN, 1)
    tracemalloc.start()
    for _ in range(1_000):
        assert wire.receive(b"x" * 20_000, 2) == b""
    assert tracemalloc.get_traced_memory()[1] < 400_000
    tracemalloc.stop()
    assert wire.receive(b"\r\n.\r\n", 3) == replies.TOO_LARGE.encode()


def test_the_recipients_beyond_the_most_are_refused():
    found = talk(LOGGED_IN + b"MAIL FROM:<>\r\n" + b"RCPT TO:<a@b>\r\n" * 102 + b"DATA\r\n.\r\n")
    assert found.codes == [250, 235, 250] + [250] * 100 + [452] * 2 + [354, 250]


# Each check and the next, in their order: a line that fails both, and the answer of the one that
# comes first.
BOTH_WRONG = {
    ("length", "octets"): (b"NOOP \xff" + b"x" * 600, replies.LINE_TOO_LONG),
    ("octets", "verb"): (b"NOPE \xff", replies.NOT_ASCII),
    ("verb", "arguments"): (b"NOPE FROM:a", replies.UNKNOWN),
    ("arguments", "order"): (b"MAIL FROM:a", replies.SENDER_SYNTAX),
    ("order", "mechanism"): (b"AUTH NOPE", replies.HELLO_FIRST),
    ("mechanism", "response"): (b"EHLO me\r\nAUTH NOPE !!!", replies.BAD_MECHANISM),
    ("response", "session"): (b"EHLO me\r\nAUTH PLAIN !!!", replies.BAD_BASE64),
}


@pytest.mark.parametrize("pair", BOTH_WRONG)
def test_the_order_of_the_checks(pair):
    line, first = BOTH_WRONG[pair]
    assert talk(line + b"\r\n", wrong=True).last == f"{first.code} {first.text}"
