"""Nodemailer's SMTPConnection: :func:`connect` opens a connection and logs in, :func:`send` sends
one message. Both return a failure instead of handling it.

Read from and compared with versions 10.6.1 and 6.10.1.
"""

from __future__ import annotations

from typing import NamedTuple

from ..api import Disconnected, Message
from ..dialogue import Dialogue, LibrarySender, Reply, Say

MECHANISMS = ("PLAIN", "LOGIN")
"""In the library's order of preference."""

CLOSING = 421


class Settings(NamedTuple):
    """The transport's options that SMTPConnection reads. ``modern``: the current major version."""

    modern: bool
    ignore_tls: bool
    require_tls: bool
    mechanism: str


class Failure(NamedTuple):
    """``stage`` is dial, greeting, setup, login, envelope or body; ``code`` is None if the
    connection died.
    """

    stage: str
    code: int | None


class Failed(Exception):
    """Carries a Failure up to :func:`connect` or :func:`send`."""

    def __init__(self, stage: str, code: int | None) -> None:
        super().__init__(stage, code)
        self.failure = Failure(stage, code)


class Opened(NamedTuple):
    """A connection that is ready for messages. ``pipelines``: it sends the envelope and DATA
    together (RFC 2920).
    """

    dialogue: Dialogue
    pipelines: bool


def connect(sender: LibrarySender, settings: Settings) -> Opened | Failure:
    """TCP to AUTH. After any failure it closes the connection without QUIT."""
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
    """One message. It leaves the connection as it is, except that the library closes it after a
    421.
    """
    dialogue, pipelines = opened
    try:
        (_pipelined if pipelines else _one_by_one)(dialogue, message)
        _accepted(dialogue, "body", Say("BODY", message))
    except Failed as error:
        if error.failure.code == CLOSING:
            dialogue.leave(quit=False)
        return error.failure
    return None


def _set_up(dialogue: Dialogue, settings: Settings, *, secure: bool) -> Opened:
    _greeting(dialogue)
    offers = _hello(dialogue, settings)
    if not secure and _wants_tls(settings, offers):
        _accepted(dialogue, "setup", Say("STARTTLS"))
        offers = _hello(dialogue, settings)
    mechanisms = _mechanisms(offers)
    if mechanisms is not None:
        mechanism = settings.mechanism or next(
            (one for one in MECHANISMS if one in mechanisms), "PLAIN"
        )
        _accepted(dialogue, "login", Say("AUTH", mechanism=mechanism, initial=mechanism == "PLAIN"))
    return Opened(dialogue, settings.modern and offers is not None and "PIPELINING" in offers)


def _wants_tls(settings: Settings, offers: list[str] | None) -> bool:
    """Never after HELO. If both options are set, the current major version requires TLS and 6
    ignores it.
    """
    if offers is None or (settings.ignore_tls and not (settings.require_tls and settings.modern)):
        return False
    return settings.require_tls or "STARTTLS" in offers


def _mechanisms(offers: list[str] | None) -> list[str] | None:
    """The login mechanisms that the relay offers; None if it offers no login, and then the library
    sends without one.
    """
    if offers is None:
        return []  # after HELO it assumes that it can log in
    return next((line.split()[1:] for line in offers if line.split()[:1] == ["AUTH"]), None)


def _greeting(dialogue: Dialogue) -> None:
    try:
        greeting = dialogue.greeting()
    except Disconnected:
        raise Failed("greeting", None) from None
    if not greeting.ok:
        raise Failed("greeting", greeting.code)


def _hello(dialogue: Dialogue, settings: Settings) -> list[str] | None:
    """The lines of the answer to EHLO; None if it is refused and HELO is accepted instead."""
    reply = _answer(dialogue, "setup", Say("EHLO"))
    if reply.ok:
        return reply.text.upper().splitlines()
    if reply.code == CLOSING or settings.require_tls:
        raise Failed("setup", reply.code)
    _accepted(dialogue, "setup", Say("HELO"))
    return None


def _one_by_one(dialogue: Dialogue, message: Message) -> None:
    for one in (Say("MAIL", message), Say("RCPT", message), Say("DATA")):
        _accepted(dialogue, "envelope", one)


def _pipelined(dialogue: Dialogue, message: Message) -> None:
    """Sends all three together and reads all answers. A 421 among them counts first, then the
    first refusal.
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


def _accepted(dialogue: Dialogue, stage: str, command: Say) -> Reply:
    """Sends a command that must be accepted and returns its answer."""
    reply = _answer(dialogue, stage, command)
    if not reply.ok:
        raise Failed(stage, reply.code)
    return reply


def _answer(dialogue: Dialogue, stage: str, command: Say) -> Reply:
    try:
        return dialogue.say(command)[0]
    except Disconnected:
        raise Failed(stage, None) from None
