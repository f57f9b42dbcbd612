"""A model of Python's smtplib and of a program that calls sendmail() in a loop.

Read from the source and tested against Python 3.11, 3.12 and 3.13, which differ only in the case of
a verb. Django's model uses the same :class:`SMTP`, aiosmtplib's the same :class:`PythonSMTP`.
"""

from __future__ import annotations

from contextlib import suppress

from ... import units
from ..api import Disconnected, Message, Refused
from ..dialogue import Dialogue, LibrarySender, Reply, Say
from .common import taken

FAILED = (Refused, Disconnected)
"""smtplib.SMTPException and OSError, which a program catches."""

LOGINS = (Say("AUTH"), Say("AUTH", mechanism="LOGIN"))
"""PLAIN, then LOGIN, each with its initial response: the known mechanisms that the relay offers."""


class SmtpLib:
    """smtplib, a loop of sendmail(): one connection for all messages, or one for every so many.

    A 421 closes its connection, and every later sendmail() on it raises SMTPServerDisconnected
    without sending anything: with one connection for all, the sixth message is the last that the
    relay receives. Its login tries PLAIN and then LOGIN, so that a wrong password costs two failed
    logins. A 421 to the first is hidden, because the second finds the connection closed and raises
    SMTPServerDisconnected. If the program does not catch an exception, it ends and the rest is
    lost.
    """

    library = "smtplib"
    options = {"per_connection": 0, "pause": "0s", "catch": True, "timeout": 0.0}
    explained = {
        "per_connection": (
            "Messages that the program sends over one smtplib.SMTP before it makes a new one; "
            "0 for all."
        ),
        "pause": "How long it sleeps behind each connection.",
        "catch": (
            "Whether it catches what sendmail() and the connecting raise; "
            "if not, it ends at the first."
        ),
        "timeout": (
            "Seconds of smtplib.SMTP(timeout=...) for each answer; 0 for none, as without it."
        ),
    }

    def __init__(self, per_connection: int, pause: object, catch: bool, timeout: float) -> None:
        if per_connection < 0:
            raise ValueError(
                f"per_connection = {per_connection} is too small; "
                "at least 1, or 0 for one connection for all"
            )
        if timeout < 0:
            raise ValueError(f"timeout = {timeout} is too small; at least 0, which is none")
        self.per_connection = per_connection
        self.pause = units.seconds(units.duration(pause))
        self.catch = catch
        self.timeout = timeout or None

    def run(self, sender: LibrarySender) -> None:
        """The program: a ``with smtplib.SMTP(...)`` for each batch. It ends if it cannot open
        the one connection for all messages.
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


class PythonSMTP:
    """A connection from Python: each method raises Refused or Disconnected when the
    library raises.
    """

    not_connected = "please run connect() first"

    def __init__(self, sender: LibrarySender, timeout: float | None) -> None:
        self._sender = sender
        self._timeout = timeout
        self._dialogue: Dialogue | None = None

    def quit(self) -> None:
        """Sends QUIT and waits for the answer, if it is connected. Never raises, like the end of a
        ``with`` block.
        """
        with suppress(Disconnected):
            self._command(Say("QUIT"))
        self.close()

    def close(self) -> None:
        """Closes without QUIT."""
        if self._dialogue is not None:
            self._dialogue.leave(quit=False)
        self._dialogue = None

    def _command(self, command: Say) -> Reply:
        """Sends one command and returns the answer. Closes this side too if the connection died."""
        if self._dialogue is None:
            raise Disconnected(self.not_connected)
        try:
            return self._dialogue.say(command)[0]
        except Disconnected:
            self.close()
            raise


class SMTP(PythonSMTP):
    """One smtplib.SMTP object."""

    def connect(self) -> None:
        """SMTP(host, port): TCP and the greeting."""
        self._dialogue = self._sender.dial(self._timeout)
        try:
            greeting = self._dialogue.greeting()
        except Disconnected:
            self.close()
            raise
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
        """One transaction. A 421 to MAIL, RCPT or the body closes the connection, another
        refusal of these resets it; a refusal of DATA does neither.
        """
        self._taken(self._command(Say("MAIL", message)))
        self._taken(self._command(Say("RCPT", message)))
        taken(self._command(Say("DATA")))
        self._taken(self._command(Say("BODY", message)))

    def _hello(self) -> None:
        """EHLO, and HELO if that is refused. After HELO neither STARTTLS nor AUTH is known, which
        raises too.
        """
        reply = self._command(Say("EHLO"))
        if not reply.ok:
            taken(self._command(Say("HELO")))
            taken(reply)

    def _taken(self, reply: Reply) -> None:
        if reply.ok:
            return
        if reply.code == 421:
            self.close()
        else:
            with suppress(Disconnected):
                self._command(Say("RSET"))
        taken(reply)
