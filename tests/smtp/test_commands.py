"""One line to one command or to the reply that refuses it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.smtp import replies
from sim.smtp.commands import (
    Auth,
    Data,
    Ehlo,
    Helo,
    Help,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    StartTls,
    Vrfy,
    parse,
)
from sim.smtp.replies import Reply


def mail(sender, size=None, body=None, params=()):
    return Mail(sender, size, body, params)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"EHLO me.example", Ehlo("me.example")),
        (b"ehlo [127.0.0.1]", Ehlo("[127.0.0.1]")),
        (b"HELO my_box \t ", Helo("my_box")),
        (b"STARTTLS", StartTls()),
        (b"StartTLS  ", StartTls()),
        (b"AUTH PLAIN", Auth("PLAIN", None)),
        (b"auth plain =", Auth("PLAIN", b"=")),
        (b"AUTH LOGIN dXNlcg==", Auth("LOGIN", b"dXNlcg==")),
        (b"AUTH CRAM-MD5", Auth("CRAM-MD5", None)),
        (b"MAIL FROM:<a@b.example>", mail("a@b.example")),
        (b"mail from:<a@b.example> ", mail("a@b.example")),
        (b"MAIL FROM: <a@b.example>", mail("a@b.example")),
        (b"MAIL FROM:<>", mail("")),
        (b"MAIL FROM:<> SIZE=10", mail("", 10, None, (("SIZE", "10"),))),
        (
            b"MAIL FROM:<a@b> SIZE=123 BODY=8bitmime",
            mail("a@b", 123, "8BITMIME", (("SIZE", "123"), ("BODY", "8bitmime"))),
        ),
        (b"MAIL FROM:<a@b>  body=7BIT", mail("a@b", None, "7BIT", (("BODY", "7BIT"),))),
        (b"MAIL FROM:<a@b> AUTH=<>", mail("a@b", None, None, (("AUTH", "<>"),))),
        (b"MAIL FROM:<a@b> AUTH=e+3Dmc2@c", mail("a@b", None, None, (("AUTH", "e+3Dmc2@c"),))),
        (b"MAIL FROM:<@x.example,@y.example:a@b>", mail("a@b")),
        (b'MAIL FROM:<"a b>\\" c"@d.example>', mail('"a b>\\" c"@d.example')),
        (b"MAIL FROM:<a@[192.0.2.1]>", mail("a@[192.0.2.1]")),
        (b"MAIL FROM:<a+tag.x=y@b-c.example>", mail("a+tag.x=y@b-c.example")),
        (b"RCPT TO:<a@b.example>", Rcpt("a@b.example", ())),
        (b"rcpt to: <a@b.example>\t", Rcpt("a@b.example", ())),
        (b'RCPT TO:<"@,: "@b>', Rcpt('"@,: "@b', ())),
        (b"RCPT TO:<@r.example:a@b>", Rcpt("a@b", ())),
        (b"RCPT TO:<PostMaster>", Rcpt("PostMaster", ())),
        (b"DATA", Data()),
        (b"data ", Data()),
        (b"DATA\t", Data()),
        (b"RSET", Rset()),
        (b"NOOP", Noop()),
        (b"NOOP are you there", Noop()),
        (b"VRFY someone here", Vrfy("someone here")),
        (b"HELP", Help()),
        (b"HELP MAIL", Help()),
        (b"qUIT", Quit()),
    ],
)
def test_commands(line, command):
    found = parse(line)
    assert found == command
    assert type(found) is type(command)


REFUSED = [
    (b"", replies.UNKNOWN),
    (b" ", replies.UNKNOWN),
    (b" NOOP", replies.UNKNOWN),
    (b"NOPE", replies.UNKNOWN),
    (b"MAILFROM:<a@b>", replies.UNKNOWN),
    (b"BODY", replies.UNKNOWN),
    (b"EXPN list", replies.NOT_IMPLEMENTED),
    (b"BDAT 3", replies.NOT_IMPLEMENTED),
    (b"EHLO", replies.HELLO_SYNTAX),
    (b"HELO ", replies.HELLO_SYNTAX),
    (b"EHLO two names", replies.HELLO_SYNTAX),
    (b"EHLO \x07bell", replies.HELLO_SYNTAX),
    (b"EHLO " + b"a" * 256, replies.HELLO_SYNTAX),
    (b"STARTTLS now", replies.SYNTAX),
    (b"DATA x", replies.SYNTAX),
    (b"RSET x", replies.SYNTAX),
    (b"QUIT x", replies.SYNTAX),
    (b"VRFY", replies.SYNTAX),
    (b"AUTH", replies.SYNTAX),
    (b"AUTH PLAIN a b", replies.SYNTAX),
    (b"AUTH ?", replies.SYNTAX),
    (b"MAIL", replies.SENDER_SYNTAX),
    (b"MAIL FROM", replies.SENDER_SYNTAX),
    (b"MAIL FROM:", replies.SENDER_SYNTAX),
    (b"MAIL FROM:a@b", replies.SENDER_SYNTAX),
    (b"MAIL TO:<a@b>", replies.SENDER_SYNTAX),
    (b"MAIL FROM :<a@b>", replies.SENDER_SYNTAX),
    (b"MAIL FROM:<a>", replies.SENDER_SYNTAX),
    (b"MAIL FROM:<a@>", replies.SENDER_SYNTAX),
    (b"MAIL FROM:<@b>", replies.SENDER_SYNTAX),
    (b"MAIL FROM:<a b@c>", replies.SENDER_SYNTAX),
    (b"MAIL FROM:<a..b@c>", replies.SENDER_SYNTAX),
    (b"MAIL FROM:<a@b..c>", replies.SENDER_SYNTAX),
    (b"MAIL FROM:<a@b>SIZE=1", replies.SENDER_SYNTAX),
    (b"MAIL FROM:<a@b> SIZE", replies.SYNTAX),
    (b"MAIL FROM:<a@b> SIZE=", replies.SYNTAX),
    (b"MAIL FROM:<a@b> SIZE=-1", replies.SYNTAX),
    (b"MAIL FROM:<a@b> SIZE=ten", replies.SYNTAX),
    (b"MAIL FROM:<a@b> SIZE=" + b"1" * 21, replies.SYNTAX),
    (b"MAIL FROM:<a@b> SIZE=1 size=2", replies.SYNTAX),
    (b"MAIL FROM:<a@b> BODY", replies.SYNTAX),
    (b"MAIL FROM:<a@b> AUTH=e=mc2", replies.SYNTAX),
    (b"MAIL FROM:<a@b> AUTH=+3d", replies.SYNTAX),
    (b"MAIL FROM:<a@b> =x", replies.SYNTAX),
    (b"MAIL FROM:<a@b> BODY=BINARYMIME", replies.PARAMETER),
    (b"MAIL FROM:<a@b> SMTPUTF8", replies.PARAMETER),
    (b"MAIL FROM:<a@b> RET=HDRS SIZE=ten", replies.PARAMETER),
    (b"RCPT TO:<>", replies.RECIPIENT_SYNTAX),
    (b"RCPT TO:<someone>", replies.RECIPIENT_SYNTAX),
    (b"RCPT FROM:<a@b>", replies.RECIPIENT_SYNTAX),
    (b"RCPT TO:<a@b> NOTIFY=NEVER", replies.PARAMETER),
    (b"RCPT TO:<a@b> NOTIFY=", replies.SYNTAX),
    (b"NOOP\0", replies.BAD_LINE),
    (b"NOOP\nQUIT", replies.BAD_LINE),
    (b"NOOP\rQUIT", replies.BAD_LINE),
    (b"NOOP\r", replies.BAD_LINE),
    (b"NOOP\n", replies.BAD_LINE),
    (b"NOOP \xc3\xa9", replies.NOT_ASCII),
    (b"MAIL FROM:<\xff@b>", replies.NOT_ASCII),
]


@pytest.mark.parametrize(("line", "refusal"), REFUSED)
def test_refusals(line, refusal):
    assert parse(line) is refusal


def test_the_longest_size_and_name():
    found = parse(b"MAIL FROM:<a@b> SIZE=" + b"9" * 20)
    assert isinstance(found, Mail)
    assert found.size == 10**20 - 1
    assert parse(b"EHLO " + b"a" * 255) == Ehlo("a" * 255)


@given(
    st.binary(max_size=80)
    | st.tuples(st.sampled_from([b"MAIL FROM:<", b"RCPT TO:", b"AUTH "]), st.binary()).map(b"".join)
)
def test_any_octets_give_a_command_or_a_refusal(line):
    found = parse(line)
    assert isinstance(found, tuple)
    if isinstance(found, Reply):
        assert found.code in (500, 501, 502, 555)


def test_a_line_made_to_backtrack_is_judged_at_once():
    for start in (b"MAIL FROM:<", b"RCPT TO:<@"):
        for part in (b"a.", b"a,@", b'"\\"', b"\\\\", b"@a,"):
            assert isinstance(
                parse(start + part * 6_000), Reply
            )  # would not end in a lifetime if it backtracked
