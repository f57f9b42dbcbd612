"""A model of Symfony's Mailer over its EsmtpTransport: one connection that restarts by itself,
and a login that tries two mechanisms.

Read from the source and tested against version 5.4. Messenger, which runs the same transport in a
long-lived worker, is not modelled.
"""

from __future__ import annotations

from contextlib import suppress

from ..api import Disconnected, Message, Refused
from ..dialogue import Dialogue, LibrarySender, Say
from .common import say, taken, transact

LONG_AGO = float("-inf")

FAILED = (Refused, Disconnected)


class SymfonyMailer:
    """Symfony Mailer, a loop of send() on one transport: one connection, restarted by itself behind
    every 100th message.

    It restarts immediately after the message that reaches restart_threshold, even after the
    program's last one. It sends NOOP before the next message, as before every message that comes
    more than ping_threshold seconds after the previous one. If the restart is refused, the send()
    whose message was accepted throws, so a program that then sends it again sends it twice. A
    restart_threshold of 0 does not disable restarts, contrary to the documentation: it restarts
    after each message. After a refusal it tries RSET, and a NOOP before the next message, which
    finds a closed connection and reconnects. A wrong password costs two failed logins, LOGIN and
    PLAIN.
    """

    library = "Symfony Mailer"
    options = {
        "restart_threshold": 100,
        "restart_threshold_sleep": 0,
        "ping_threshold": 100,
        "max_per_second": 0.0,
    }
    explained = {
        "restart_threshold": (
            "Messages behind which it quits and connects anew; 0 does so behind each message."
        ),
        "restart_threshold_sleep": "Whole seconds that it sleeps between the two.",
        "ping_threshold": (
            "Seconds since the last message after which it says NOOP before the next one."
        ),
        "max_per_second": (
            "setMaxPerSecond(): the most messages a second of one process, by a sleep behind "
            "each; 0 for no limit."
        ),
    }

    def __init__(
        self,
        restart_threshold: int,
        restart_threshold_sleep: int,
        ping_threshold: int,
        max_per_second: float,
    ) -> None:
        whole = {
            "restart_threshold": restart_threshold,
            "restart_threshold_sleep": restart_threshold_sleep,
        }
        for name, value in (whole | {"ping_threshold": ping_threshold}).items():
            if value < 0:
                raise ValueError(f"{name} = {value} is too small; at least 0")
        self.threshold = restart_threshold
        self.sleep = restart_threshold_sleep
        self.ping = ping_threshold
        self.spacing = 1 / max_per_second if max_per_second > 0 else 0.0

    def run(self, sender: LibrarySender) -> None:
        """The program: one transport. It catches a failed send()."""
        transport = Transport(sender, self)
        while batch := sender.take():
            with suppress(*FAILED):
                transport.send(batch[0])
        transport.stop()  # its destructor's
        transport.forget()


class Transport:
    """One EsmtpTransport. ``_started`` is the library's own flag. After a failed login a connection
    is open although the flag is false.
    """

    def __init__(self, sender: LibrarySender, spec: SymfonyMailer) -> None:
        self._sender = sender
        self._spec = spec
        self._dialogue: Dialogue | None = None
        self._started = False
        self._count = 0
        self._last_message = LONG_AGO
        self._last_sent = LONG_AGO

    def send(self, message: Message) -> None:
        """Sends a message. Raises Refused or Disconnected when the library throws."""
        try:
            self._send(message)
        except FAILED:
            self._last_message = LONG_AGO
            if self._started:
                self._try("RSET")
            raise
        self._pace()
        self._restart()

    def stop(self) -> None:
        """Sends QUIT and waits for the answer, if the transport is started."""
        if self._started:
            self._try("QUIT")
            self.forget()

    def forget(self) -> None:
        """Closes the connection, if there is one, without QUIT."""
        if self._dialogue is not None:
            self._dialogue.leave(quit=False)
        self._dialogue = None
        self._started = False

    def _send(self, message: Message) -> None:
        idle = self._sender.now() - self._last_message
        # With a threshold of 0 the real clock has always moved on, the virtual one may not have.
        if self._started and (idle > self._spec.ping or not self._spec.ping):
            try:
                self._say("NOOP")
            except FAILED:
                self.stop()
        if not self._started:
            self._start()
        assert self._dialogue is not None
        transact(self._dialogue, message)
        self._last_message = self._sender.now()

    def _start(self) -> None:
        """Opens a connection. It replaces and closes one whose start had failed."""
        dialogue = self._sender.dial()
        self.forget()
        self._dialogue = dialogue
        taken(dialogue.greeting())
        extended = self._hello()
        if extended and self._sender.tls == "starttls":
            say(dialogue, "STARTTLS")
            extended = self._hello()
        if extended:
            self._log_in(dialogue)
        self._started = True
        self._last_message = LONG_AGO

    def _hello(self) -> bool:
        """EHLO, or HELO if that is refused. Returns whether EHLO was accepted."""
        try:
            self._say("EHLO")
        except FAILED as refused:
            try:
                self._say("HELO")
            except Disconnected:
                raise refused from None
            return False
        return True

    def _log_in(self, dialogue: Dialogue) -> None:
        """LOGIN and then PLAIN, with RSET after each that fails."""
        failed: Exception | None = None
        for auth in (Say("AUTH", mechanism="LOGIN", initial=False), Say("AUTH")):
            try:
                taken(dialogue.say(auth)[0])
            except FAILED as error:
                failed = error
                self._try("RSET")
            else:
                return
        assert failed is not None
        raise failed

    def _pace(self) -> None:
        """setMaxPerSecond's sleep."""
        if self._spec.spacing:
            self._sender.sleep(
                max(0.0, self._spec.spacing - (self._sender.now() - self._last_sent))
            )
            self._last_sent = self._sender.now()

    def _restart(self) -> None:
        """Called after an accepted message. The count starts again only when the new connection is
        open.
        """
        self._count += 1
        if self._count < self._spec.threshold:
            return
        self.stop()
        self._sender.sleep(self._spec.sleep)
        self._start()
        self._count = 0

    def _say(self, verb: str) -> None:
        assert self._dialogue is not None
        say(self._dialogue, verb)

    def _try(self, verb: str) -> None:
        with suppress(*FAILED):
            self._say(verb)
