"""Python's smtplib on the wire, in the usual loop over sendmail().

Read from and compared with Python 3.11, 3.12 and 3.13, which differ only in the case of a verb.
Django's model uses :class:`SMTP` too, and aiosmtplib's shares :class:`BaseSMTP`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ... import units
from ..api import Disconnected, Message, Refused
from ..dialogue import Dialogue, LibrarySender, Reply, Say
from .common import taken

FAILED = (Refused, Disconnected)
"""Stands for smtplib.SMTPException and OSError, which a program catches."""

LOGINS = (Say("AUTH"), Say("AUTH", mechanism="LOGIN"))
"""The logins that it tries: PLAIN and then LOGIN, each with an initial response."""


class SmtpLib:
    """smtplib, a loop of sendmail(): one connection for all messages, or one for every so many.

    A 421 closes its connection, and every later sendmail() on it raises SMTPServerDisconnected
    without sending anything. So with one connection for all messages, the relay sees only six of
    them. The login tries PLAIN and then LOGIN: a wrong password costs two failed logins, and a 421
    to PLAIN is hidden by the SMTPServerDisconnected of LOGIN. If the program does not catch an
    exception, it ends and the remaining messages are lost.
    """

    library = "smtplib"
    options = {"per_connection": 0, "pause": "0s", "catch": True, "timeout": 0.0}
    explained = {
        "per_connection": (
            "Messages that the program sends over one smtplib.SMTP before it makes "
            "a new one; 0 for all."
        ),
        "pause": "How long it sleeps behind each connection.",
        "catch": (
            "Whether it catches what sendmail() and the connecting raise; if not, it ends "
            "at the first."
        ),
        "timeout": (
            "Seconds of smtplib.SMTP(timeout=...) for each answer; 0 for none, as without it."
        ),
    }

    def __init__(self, per_connection: int, pause: object, catch: bool, timeout: float) -> None:
        if per_connection < 0:
            raise ValueError(
                f"per_connection = {per_connection} is too small; at least 1, or 0 for one "
                "connection for all"
            )
        if timeout < 0:
            raise ValueError(f"timeout = {timeout} is too small; at least 0, which is none")
        self.per_connection = per_connection
        self.pause = units.seconds(units.duration(pause))
        self.catch = catch
        self.timeout = timeout or None

    def run(self, sender: LibrarySender) -> None:
        """Runs the program: a ``with smtplib.SMTP(...)`` for each batch. With one connection for
        all messages, a failed login ends the program.
        """
        while batch := sender.take(self.per_connection or 1):
            smtp = SMTP(sender, self.timeout)
            try:
                self._with(smtp, sender, batch)
            except FAILED:
                if not self.catch:
                    raise
            if not self.per_connection:
                return
            sender.sleep(self.pause)

    def _with(self, smtp: SMTP, sender: LibrarySender, batch: list[Message]) -> None:
        smtp.connect()
        try:
            smtp.login()
            while batch:
                self._send(smtp, batch)
                batch = [] if self.per_connection else sender.take()
        finally:
            smtp.quit()

    def _send(self, smtp: SMTP, batch: list[Message]) -> None:
        for message in batch:
            try:
                smtp.sendmail(message)
            except FAILED:
                if not self.catch:
                    raise


class BaseSMTP:
    """The part that ``smtplib.SMTP`` and ``aiosmtplib.SMTP`` have in common: a connection whose
    methods raise Refused or Disconnected where the library raises.
    """

    not_connected: str
    """What the library raises for a command without a connection."""

    def __init__(self, sender: LibrarySender, timeout: float | None) -> None:
        self._sender = sender
        self._timeout = timeout
        self._dialogue: Dialogue | None = None

    def quit(self) -> None:
        """Sends QUIT and waits for its answer, if it is connected. Never raises, like the end of a
        ``with`` statement.
        """
        with suppress(Disconnected):
            self._command(Say("QUIT"))
        self.close()

    def close(self) -> None:
        """Closes the connection without QUIT."""
        if self._dialogue is not None:
            self._dialogue.leave(quit=False)
        self._dialogue = None

    def _hello(self) -> None:
        """Sends EHLO, and HELO if that is refused and the connection is still open. A refused EHLO
        raises even then, because without its answer the library knows neither STARTTLS nor AUTH.
        """
        reply = self._command(Say("EHLO"))
        if not reply.ok:
            if self._dialogue is not None:
                taken(self._command(Say("HELO")))
            taken(reply)

    def _command(self, command: Say) -> Reply:
        dialogue = self._dialogue
        if dialogue is None:
            raise Disconnected(self.not_connected)
        return self._answer(lambda: dialogue.say(command)[0])

    def _answer(self, wait: Callable[[], Reply]) -> Reply:
        """The answer that ``wait`` returns; an end of file closes this side too."""
        try:
            return wait()
        except Disconnected:
            self.close()
            raise


class SMTP(BaseSMTP):
    """One smtplib.SMTP object."""

    not_connected = "please run connect() first"

    def connect(self) -> None:
        """SMTP(host, port): TCP and the greeting."""
        self._dialogue = self._sender.dial(self._timeout)
        greeting = self._answer(self._dialogue.greeting)
        if greeting.code != 220:
            self.close()
            taken(greeting)

    def login(self) -> None:
        """starttls() if the scenario has it, and login()."""
        self._hello()
        if self._sender.tls == "starttls":
            taken(self._command(Say("STARTTLS")))
            self._hello()
        for auth in LOGINS:
            reply = self._command(auth)
            if reply.code in (235, 503):
                return
        taken(reply)

    def sendmail(self, message: Message) -> None:
        """One transaction. A 421 to MAIL, RCPT or the body closes the connection, any other refusal
        of these is followed by RSET. After a refused DATA nothing is sent.
        """
        self._taken(self._command(Say("MAIL", message)))
        self._taken(self._command(Say("RCPT", message)))
        taken(self._command(Say("DATA")))
        self._taken(self._command(Say("BODY", message)))

    def _taken(self, reply: Reply) -> None:
        if reply.ok:
            return
        if reply.code == 421:
            self.close()
        else:
            with suppress(Disconnected):
                self._command(Say("RSET"))
        taken(reply)
