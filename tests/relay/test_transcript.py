"""Transcripts: the same lines by bytes and by typed calls, and nothing else changed by writing them
down.
"""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from sim.relay import Relay, load
from sim.relay.shortcuts import QuickSession
from sim.relay.wire import Wire
from sim.smtp.commands import Body, Connected, Credentials, Data, Ehlo, Mail, Noop, Quit, Rcpt
from tests.relay.wire_talk import EHLO, IP, MESSAGE, PLAIN, Seen

LOGIN = b"AUTH LOGIN\r\n" + b64encode(b"user1") + b"\r\n" + b64encode(b"secret") + b"\r\n"
FIVE = ["MAIL 250", "RCPT 250", "DATA 354", "BODY 250"] * 5


def relay() -> Relay:
    policy = load("mailersend", {}, "test", Path())
    return Relay(policy, Seen(), lambda username, password, at: True, tls="none", transcribe=True)


def said(octets: bytes, *, ends: bool = True) -> list[str]:
    """The transcript of one connection by bytes."""
    made = relay()
    wire = Wire(made.connect(IP, 0))
    wire.greeting(0)
    wire.receive(octets, 1)
    if ends:
        wire.eof(2)
    assert made.transcripts is not None
    return made.transcripts[1].lines


def test_five_messages_and_the_sixth():
    assert said(EHLO + PLAIN + MESSAGE * 6) == [
        "GREETING 220",
        "EHLO 250",
        "AUTH PLAIN 235",
        *FIVE,
        "MAIL 421",
    ]


def test_a_login_in_steps_and_a_quit():
    expected = ["GREETING 220", "EHLO 250", "AUTH LOGIN 334 334 235", "RSET 250", "QUIT 221"]
    assert said(EHLO + LOGIN + b"RSET\r\nQUIT\r\n") == expected


def test_a_connection_that_ends_without_quit():
    assert said(b"HELO x\r\nNOOP\r\n") == ["GREETING 220", "HELO 250", "NOOP 250", "EOF"]


def test_typed_calls_are_the_same():
    made = relay()
    session = made.connect(IP, 0)
    session.handle(Connected(), 0)
    session.handle(Ehlo("x"), 0)
    session.handle(Credentials("user1", "secret"), 0)
    for _ in range(5):
        assert not isinstance(session, QuickSession), "each command has its own line"
        session.handle(Mail("a@example.com"), 1)
        session.handle(Rcpt("a@example.com"), 1)
        session.handle(Data(), 1)
        session.handle(Body(10), 1)
    session.handle(Mail("a@example.com"), 2)
    assert made.transcripts is not None
    assert made.transcripts[1].lines == said(EHLO + PLAIN + MESSAGE * 6)


def test_each_line_has_its_time():
    made = relay()
    session = made.connect(IP, 0)
    for command, now in ((Connected(), 1), (Noop(), 3), (Quit(), 7)):
        session.handle(command, now)
    assert made.transcripts is not None
    assert made.transcripts[1].times == [1, 3, 7]


def test_without_it_nothing_is_kept():
    policy = load("mailersend", {}, "test", Path())
    assert Relay(policy, Seen(), lambda username, password, at: True).transcripts is None
