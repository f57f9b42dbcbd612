"""A model of Nodemailer: a connection per message, or its pool (``nodemailer_pool``).

Read from the source and tested against versions 10.6.1 and 6.10.1 under Node.js 20.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import units
from ..api import Message
from ..dialogue import LibrarySender
from .nodemailer_connection import MECHANISMS, Failure, Settings, connect, send
from .nodemailer_pool import Pool, PoolSettings

MAJOR = 10
OLDER = 6

UNSETTLED = 1.0
"""Seconds after which version 6 fails a message whose connection was closed before the greeting."""

REQUEUES = 5
FOR_EVER = -1
IDLE = 240_000
"""Milliseconds; below the five minutes that RFC 5321 has a relay wait."""


class Nodemailer:
    """Nodemailer: without a pool a connection and a login per message, each awaited; with pool all
    are submitted at once.

    Its login is PLAIN in one round trip, and it closes its connections without QUIT. The current
    major sends MAIL, RCPT and DATA together if the relay has PIPELINING. Its pool closes a
    connection after maxMessages messages and waits 100 ms before it opens the next one.

    After a 421 to a MAIL that is not the first on its connection, the current major sends the
    message again over another connection, at most maxRequeues times, 200 ms later and with growing
    delays; version 6 fails the message. Both fail the message if the greeting or the login is
    refused, and then every waiting message in turn. rateLimit is checked only after a message, so
    each connection sends one message too many, and new connections are not held back. Time-outs
    during an answer are not modelled, because this relay always answers in time.
    """

    library = "Nodemailer"
    options = {
        "version": MAJOR,
        "pool": False,
        "maxConnections": 5,
        "maxMessages": 100,
        "rateLimit": 0,
        "rateDelta": 1000,
        "maxRequeues": None,
        "idleTimeout": None,
        "socketTimeout": 600_000,
        "ignoreTLS": False,
        "requireTLS": False,
        "authMethod": "",
        "concurrent": 0,
        "pause": "0s",
    }
    explained = {
        "version": "Its major: 10, the current one, or 6.",
        "pool": "Whether connections stay open for further messages.",
        "maxConnections": "With pool, the most connections at a time.",
        "maxMessages": "With pool, the messages behind which a connection is closed.",
        "rateLimit": (
            "With pool, the messages per rateDelta, of all its connections; 0 for no limit. "
            "It overshoots."
        ),
        "rateDelta": "Milliseconds that rateLimit counts over.",
        "maxRequeues": (
            "With pool, how often a message is sent again whose connection was closed before "
            "it was sent; -1 for ever. Its default is 5, in version 6 -1."
        ),
        "idleTimeout": (
            "With pool, milliseconds behind which an idle connection is closed; 0 never. "
            "Its default is 240000; version 6 has no such option."
        ),
        "socketTimeout": (
            "Milliseconds behind which a connection on which nothing is said is dropped."
        ),
        "ignoreTLS": "Do without STARTTLS although the relay offers it.",
        "requireTLS": "Fail where STARTTLS is not to be had.",
        "authMethod": (
            "The login's mechanism, PLAIN or LOGIN; "
            "empty takes the first of them that the relay offers."
        ),
        "concurrent": (
            "No option of the library: sendMail() calls under way at a time, as with "
            "Promise.all over so many; 0 awaits each without pool, and submits all with it."
        ),
        "pause": (
            "No option of the library: how long the program sleeps behind each sendMail() that "
            "it awaits."
        ),
    }

    def __init__(self, **options: Any) -> None:
        given = {**self.options, **options}
        _check(given)
        modern = given["version"] == MAJOR
        self.most = given["concurrent"]
        self.pause = units.seconds(units.duration(given["pause"]))
        self.settings = Settings(
            modern, given["ignoreTLS"], given["requireTLS"], given["authMethod"].upper()
        )
        self.pool = _pool_settings(given, modern=modern) if given["pool"] else None

    def run(self, sender: LibrarySender) -> None:
        """The program of one process, which catches a failed sendMail() and continues."""
        if self.pool is None:
            Program(max(1, self.most), self.pause, self._send_alone).loop(sender)
            return
        pool = Pool(sender, self.settings, self.pool)
        if self.most:
            Program(self.most, self.pause, pool.send_and_wait).loop(sender)
        else:
            pool.send_all()
        pool.close()

    def _send_alone(self, sender: LibrarySender, message: Message) -> None:
        """SMTPTransport.send. The sender keeps a message that failed, and its next take gives it
        up.
        """
        opened = connect(sender, self.settings)
        if not isinstance(opened, Failure):
            send(opened, message)
            opened.dialogue.leave(quit=False)
        elif opened == Failure("greeting", None) and not self.settings.modern:
            sender.sleep(UNSETTLED)


class Program:
    """The loops of a process that call ``send``, each of which awaits its call: at most ``most``
    calls at a time.
    """

    def __init__(
        self, most: int, pause: float, send: Callable[[LibrarySender, Message], None]
    ) -> None:
        self._most = most
        self._pause = pause
        self._send = send
        self._loops = 1
        self._idle = 0

    def loop(self, sender: LibrarySender) -> None:
        """Sends until the workload has ended. Another loop starts when all are busy, up to ``most``
        loops.
        """
        while True:
            self._idle += 1
            batch = sender.take()
            self._idle -= 1
            if not batch:
                return
            if not self._idle and self._loops < self._most:
                self._loops += 1
                sender.spawn(self.loop)
            self._send(sender, batch[0])
            if self._pause:
                sender.sleep(self._pause)


def _check(given: dict[str, Any]) -> None:
    """ValueError for an option that the library would not accept or that is not modelled."""
    if given["version"] not in (MAJOR, OLDER):
        raise ValueError(
            f"version = {given['version']} is not modelled; allowed: "
            f"{MAJOR}, the current major, and {OLDER}"
        )
    if given["authMethod"].upper() not in ("", *MECHANISMS):
        raise ValueError(
            f'authMethod = "{given["authMethod"]}" is not modelled; allowed: PLAIN, LOGIN, or empty'
        )
    for name in (
        "maxConnections",
        "maxMessages",
        "rateLimit",
        "rateDelta",
        "socketTimeout",
        "concurrent",
    ):
        if given[name] < 0:
            raise ValueError(
                f"{name} = {given[name]} is too small; at least 1, or 0 for the library's default"
            )
    for name in ("maxRequeues", "idleTimeout"):
        value = given[name]
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise ValueError(f"{name} = {value!r} is not a whole number")


def _pool_settings(given: dict[str, Any], *, modern: bool) -> PoolSettings:
    """The options as SMTPPool reads them: for most, 0 means the default. The defaults of
    maxRequeues and idleTimeout depend on the version.
    """
    requeues = given["maxRequeues"]
    if requeues is None:
        requeues = REQUEUES if modern else FOR_EVER
    idle = IDLE if given["idleTimeout"] is None else max(0, given["idleTimeout"])
    if not modern:
        idle = 0
    return PoolSettings(
        max_connections=given["maxConnections"] or 5,
        max_messages=given["maxMessages"] or 100,
        rate_limit=given["rateLimit"],
        rate_delta=(given["rateDelta"] or 1000) / 1000,
        max_requeues=requeues,
        idle_timeout=idle / 1000,
        silence=(given["socketTimeout"] or 600_000) / 1000,
    )
