"""Nodemailer's SMTPConnection: :func:`connect` opens a connection and logs in, :func:`send`
sends one message; both return how they failed.

Read from the source and tested against versions 10.6.1 and 6.10.1.
"""

from __future__ import annotations

from typing import NamedTuple

from ..api import Disconnected, Message
from ..dialogue import Dialogue, LibrarySender, Reply, Say

MECHANISMS = ("PLAIN", "LOGIN")
"""In the library's order of preference."""

CLOSING = 421


class Settings(NamedTuple):
    """The transport's options that SMTPConnection uses. ``modern`` means the current major."""

    modern: bool
    ignore_tls: bool
    require_tls: bool
    mechanism: str


class Failure(NamedTuple):
    """A failure at ``stage``: dial, greeting, setup, login, envelope or body. ``code`` is None
    if the connection died.
    """

    stage: str
    code: int | None


class Failed(Exception):
    """Carries a Failure up to :func:`connect` or :func:`send`."""

    def __init__(self, stage: str, code: int | None) -> None:
        super().__init__(stage, code)
        self.failure = Failure(stage, code)


class Opened(NamedTuple):
    """A connection that is ready for messages. ``pipelines`` means that it sends MAIL, RCPT and
    DATA together (RFC 2920).
    """

    dialogue: Dialogue
    pipelines: bool


def connect(sender: LibrarySender, settings: Settings) -> Opened | Failure:
    """Connects and logs in. If anything fails, the connection is closed without QUIT."""
    try:
        dialogue = sender.dial()
    except Disconnected:
        return Failure("dial", None)
    try:
        return _set_up(dialogue, settings, secure=sender.tls == "implicit")
    except Failed as error:
        dialogue.leave(quit=False)
        return error.failure


def send(opened: Opened, message: Message) -> Failure | None:
    """Sends one message. After a refusal the connection stays open, except after a 421, when the
    library closes it too.
    """
    dialogue, pipelines = opened
    try:
        (_pipelined if pipelines else _one_by_one)(dialogue, message)
        _said(dialogue, "body", Say("BODY", message))
    except Failed as error:
        if error.failure.code == CLOSING:
            dialogue.leave(quit=False)
        return error.failure
    return None


def _set_up(dialogue: Dialogue, settings: Settings, *, secure: bool) -> Opened:
    _greeted(dialogue)
    offers = _hello(dialogue, settings)
    if not secure and _wants_tls(settings, offers):
        _said(dialogue, "setup", Say("STARTTLS"))
        offers = _hello(dialogue, settings)
    mechanisms = _mechanisms(offers)
    if mechanisms is not None:
        mechanism = settings.mechanism or next(
            (one for one in MECHANISMS if one in mechanisms), "PLAIN"
        )
        _said(dialogue, "login", Say("AUTH", mechanism=mechanism, initial=mechanism == "PLAIN"))
    return Opened(dialogue, settings.modern and offers is not None and "PIPELINING" in offers)


def _wants_tls(settings: Settings, offers: list[str] | None) -> bool:
    """Whether to send STARTTLS: never after HELO. If both options are set, the current major
    requires TLS and version 6 ignores it.
    """
    if offers is None or (settings.ignore_tls and not (settings.require_tls and settings.modern)):
        return False
    return settings.require_tls or "STARTTLS" in offers


def _mechanisms(offers: list[str] | None) -> list[str] | None:
    """The login mechanisms that the relay offers. None if it offers none; then the library does not
    log in.
    """
    if offers is None:
        return []  # after HELO the library assumes that a login is offered
    return next((line.split()[1:] for line in offers if line.split()[:1] == ["AUTH"]), None)


def _greeted(dialogue: Dialogue) -> None:
    try:
        greeting = dialogue.greeting()
    except Disconnected:
        raise Failed("greeting", None) from None
    if not greeting.ok:
        raise Failed("greeting", greeting.code)


def _hello(dialogue: Dialogue, settings: Settings) -> list[str] | None:
    """The lines of the answer to EHLO; None if it is refused and HELO is accepted instead."""
    reply = _heard(dialogue, "setup", Say("EHLO"))
    if reply.ok:
        return reply.text.upper().splitlines()
    if reply.code == CLOSING or settings.require_tls:
        raise Failed("setup", reply.code)
    _said(dialogue, "setup", Say("HELO"))
    return None


def _one_by_one(dialogue: Dialogue, message: Message) -> None:
    for one in (Say("MAIL", message), Say("RCPT", message), Say("DATA")):
        _said(dialogue, "envelope", one)


def _pipelined(dialogue: Dialogue, message: Message) -> None:
    """Sends all three together and checks the answers when all have come. A 421 counts before the
    others.
    """
    try:
        replies = dialogue.say(Say("MAIL", message), Say("RCPT", message), Say("DATA"))
    except Disconnected:
        raise Failed("envelope", None) from None
    if any(reply.code == CLOSING for reply in replies):
        raise Failed("envelope", CLOSING)
    if len(replies) < 3:
        raise Failed("envelope", None)
    for reply in replies:
        if not reply.ok:
            raise Failed("envelope", reply.code)


def _said(dialogue: Dialogue, stage: str, command: Say) -> Reply:
    """The answer to a command that must be accepted."""
    reply = _heard(dialogue, stage, command)
    if not reply.ok:
        raise Failed(stage, reply.code)
    return reply


def _heard(dialogue: Dialogue, stage: str, command: Say) -> Reply:
    try:
        return dialogue.say(command)[0]
    except Disconnected:
        raise Failed(stage, None) from None
