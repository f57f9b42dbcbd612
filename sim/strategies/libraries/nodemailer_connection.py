"""Nodemailer's SMTPConnection: how it opens a connection, logs in and sends one message, and how
each of them can fail.

Read from and run as versions 10.6.1 and 6.10.1. Knows neither what is done about a failure nor how
messages come to it.
"""

from __future__ import annotations

from typing import NamedTuple

from ..api import Disconnected, Message
from ..dialogue import Dialogue, LibrarySender, Reply, Say

MECHANISMS = ("PLAIN", "LOGIN")
"""In its order of preference."""

CLOSING = 421


class Settings(NamedTuple):
    """What SMTPConnection takes of the transport's options. ``modern``: the current major."""

    modern: bool
    ignore_tls: bool
    require_tls: bool
    mechanism: str


class Failure(NamedTuple):
    """``stage`` is dial, greeting, setup, login, envelope or body; ``code`` None where the
    connection died.
    """

    stage: str
    code: int | None


class Failed(Exception):
    """Carries a Failure from where it happens to whoever opened the connection."""

    def __init__(self, stage: str, code: int | None) -> None:
        super().__init__(stage, code)
        self.failure = Failure(stage, code)


class Opened(NamedTuple):
    """A connection that is ready for messages. ``pipelines``: an envelope goes in one go with DATA
    (RFC 2920).
    """

    dialogue: Dialogue
    pipelines: bool


def connect(sender: LibrarySender, settings: Settings) -> Opened | Failure:
    """TCP to AUTH. A connection on which anything fails is closed without QUIT."""
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
    """One message. The connection stays as the relay left it, but for a 421, at which the library
    closes too.
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
    """Behind HELO it never does. Where both options are given the current major requires TLS and 6
    ignores it.
    """
    if offers is None or (settings.ignore_tls and not (settings.require_tls and settings.modern)):
        return False
    return settings.require_tls or "STARTTLS" in offers


def _mechanisms(offers: list[str] | None) -> list[str] | None:
    """What the relay offers for a login; None where it offers none, and then the library does
    without.
    """
    if offers is None:
        return []  # behind HELO it takes a login for granted
    return next((line.split()[1:] for line in offers if line.split()[:1] == ["AUTH"]), None)


def _greeted(dialogue: Dialogue) -> None:
    try:
        greeting = dialogue.greeting()
    except Disconnected:
        raise Failed("greeting", None) from None
    if not greeting.ok:
        raise Failed("greeting", greeting.code)


def _hello(dialogue: Dialogue, settings: Settings) -> list[str] | None:
    """The lines of the answer to EHLO; None where that is refused and HELO is taken instead."""
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
    """All three in one go, and decided once all are answered; a 421 among the answers decides at
    once.
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
    """The answer to a command that must be taken."""
    reply = _heard(dialogue, stage, command)
    if not reply.ok:
        raise Failed(stage, reply.code)
    return reply


def _heard(dialogue: Dialogue, stage: str, command: Say) -> Reply:
    try:
        return dialogue.say(command)[0]
    except Disconnected:
        raise Failed(stage, None) from None
