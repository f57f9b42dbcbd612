"""Replies on the wire, and every constant against the codes that the RFCs allow."""

from __future__ import annotations

import re

import pytest

from sim.smtp import replies
from sim.smtp.replies import Reply

ALL = {name: value for name, value in vars(replies).items() if isinstance(value, Reply)}


def test_one_line():
    assert replies.OK.encode() == b"250 2.0.0 OK\r\n"
    assert replies.OK.text == "2.0.0 OK"


def test_every_line_has_the_code_and_the_enhanced_code():
    reply = replies.reply(550, "5.7.1", "No", "and no")
    assert reply.encode() == b"550-5.7.1 No\r\n550 5.7.1 and no\r\n"
    assert reply.text == "5.7.1 No\n5.7.1 and no"


def test_without_an_enhanced_code():
    assert Reply(250, "", ("relay", "SIZE 10")).encode() == b"250-relay\r\n250 SIZE 10\r\n"
    assert replies.reply(334, "").encode() == b"334 \r\n"


def test_a_line_end_in_a_text_is_our_mistake():
    with pytest.raises(AssertionError):
        replies.reply(250, "", "one\r\n250 two").encode()


def test_ok_ends_at_400():
    assert replies.START_INPUT.ok
    assert not replies.TOO_MANY_RECIPIENTS.ok
    assert not replies.reply(400, "").ok
    assert replies.reply(399, "").ok


@pytest.mark.parametrize("name", ALL)
def test_every_constant_is_a_sound_reply(name):
    reply = ALL[name]
    assert re.fullmatch(r"[2-5][0-5][0-9]", str(reply.code))
    assert re.fullmatch(rb"([ -~]{3,510}\r\n)+", reply.encode())
    if reply.enhanced:  # RFC 2034 section 4: the class is the code's first digit
        assert re.fullmatch(rf"{reply.code // 100}\.[0-9]{{1,3}}\.[0-9]{{1,3}}", reply.enhanced)
        assert reply.code // 100 != 3


def test_only_the_greeting_the_hello_and_3xx_have_no_enhanced_code():
    assert {name for name, reply in ALL.items() if not reply.enhanced} == {
        "READY",
        "HELLO_SYNTAX",
        "START_INPUT",
        "CHALLENGE",
        "CHALLENGE_USERNAME",
        "CHALLENGE_PASSWORD",
    }


@pytest.mark.parametrize(
    ("name", "code", "enhanced"),
    [
        ("LOGGED_IN", 235, "2.7.0"),  # RFC 4954 section 6
        ("BAD_CREDENTIALS", 535, "5.7.8"),
        ("AUTH_REQUIRED", 530, "5.7.0"),
        ("BAD_BASE64", 501, "5.5.2"),  # RFC 4954 section 4
        ("BAD_MECHANISM", 504, "5.5.4"),
        ("AUTH_LINE_TOO_LONG", 500, "5.5.6"),
        ("TLS_REQUIRED", 530, "5.7.0"),  # RFC 3207 section 4
        ("TOO_LARGE", 552, "5.3.4"),  # RFC 1870 section 6, RFC 3463 X.3.4
        ("PARAMETER", 555, "5.5.4"),  # RFC 5321 4.1.1.11
        ("TOO_MANY_RECIPIENTS", 452, "4.5.3"),  # RFC 5321 4.5.3.1.10, RFC 3463 X.5.3
    ],
)
def test_codes_that_the_rfcs_name(name, code, enhanced):
    assert ALL[name][:2] == (code, enhanced)
