"""Python's smtplib as it is on the wire, and the loop of sendmail() that people write around it.

Read from and run as Python 3.11, 3.12 and 3.13, which differ in nothing but the case of a verb.
Django's model speaks through the same :class:`SMTP`. Knows no limits.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ... import units
from ..api import Disconnected, Message, Refused
from ..dialogue import Dialogue, LibrarySender, Reply, Say
from .common import taken

FAILED = (Refused, Disconnected)
"""smtplib.SMTPException and OSError: what a program catches."""

LOGINS = (Say("AUTH"), Say("AUTH", mechanism="LOGIN"))
"""PLAIN and then LOGIN, each with its initial response, of what the relay offers."""


class SmtpLib:
    """smtplib, a loop of sendmail(): one connection for all messages, or one for every so many.

    A 421 closes its connection, and every later sendmail() on it raises SMTPServerDisconnected
    without a word on the wire: with one connection for all, the sixth message is the last that the
    relay hears of. Its login tries PLAIN and then LOGIN, so that one wrong password costs two
    failed logins; and a 421 to the first is hidden, since the second finds the connection closed
    and raises SMTPServerDisconnected. Where nothing catches what it raises, the program ends and
    the rest is lost.
    """

    library = "smtplib"
    options = {"per_connection": 0, "pause": "0s", "catch": True, "timeout": 0.0}
    explained = {
        "per_connection": "Messages that the program sends over one smtplib.SMTP before it makes a new one; 0 for all.",
        "pause": "How long it sleeps behind each connection.",
        "catch": "Whether it catches what sendmail() and the connecting raise; if not, it ends at the first.",
        "timeout": "Seconds of smtplib.SMTP(timeout=...) for each answer; 0 for none, as without it.",
    }

    def __init__(self, per_connection: int, pause: object, catch: bool, timeout: float) -> None:
        if per_connection < 0:
            raise ValueError(
                f"per_connection = {per_connection} is too small; at least 1, or 0 for one connection for all"
            )
        if timeout < 0:
            raise ValueError(f"timeout = {timeout} is too small; at least 0, which is none")
        self.per_connection = per_connection
        self.pause = units.seconds(units.duration(pause))
        self.catch = catch
        self.timeout = timeout or None

    def run(self, sender: LibrarySender) -> None:
        """The program: a ``with smtplib.SMTP(...)`` for each batch. One for all that does not come
        about ends it.
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


class SMTP:
    """One smtplib.SMTP object: each method raises Refused or Disconnected where the library raises."""

    def __init__(self, sender: LibrarySender, timeout: float | None) -> None:
        self._sender = sender
        self._timeout = timeout
        self._dialogue: Dialogue | None = None

    def connect(self) -> None:
        """SMTP(host, port): TCP and the greeting."""
        self._dialogue = self._sender.dial(self._timeout)
        greeting = self._heard(self._dialogue.greeting)
        if greeting.code != 220:
            self.close()
            taken(greeting)

    def login(self) -> None:
        """starttls() where the scenario has it, and login()."""
        self._hello()
        if self._sender.tls == "starttls":
            taken(self._docmd(Say("STARTTLS")))
            self._hello()
        for last, auth in enumerate(LOGINS, 1 - len(LOGINS)):
            reply = self._docmd(auth)
            if reply.code in (235, 503):
                return
            if not last:
                taken(reply)

    def sendmail(self, message: Message) -> None:
        """One transaction. A 421 to MAIL, RCPT or the body closes; another refusal of these resets;
        one of DATA does neither.
        """
        self._taken(self._docmd(Say("MAIL", message)))
        self._taken(self._docmd(Say("RCPT", message)))
        taken(self._docmd(Say("DATA")))
        self._taken(self._docmd(Say("BODY", message)))

    def quit(self) -> None:
        """QUIT and its answer, if it is connected; never raises, as at the end of a ``with``."""
        with suppress(Disconnected):
            self._docmd(Say("QUIT"))
        self.close()

    def close(self) -> None:
        """Closes without a word."""
        if self._dialogue is not None:
            self._dialogue.leave(quit=False)
        self._dialogue = None

    def _hello(self) -> None:
        """EHLO, and HELO where that is refused, behind which neither STARTTLS nor AUTH is known:
        that raises too.
        """
        reply = self._docmd(Say("EHLO"))
        if not reply.ok:
            taken(self._docmd(Say("HELO")))
            taken(reply)

    def _taken(self, reply: Reply) -> None:
        if reply.ok:
            return
        if reply.code == 421:
            self.close()
        else:
            with suppress(Disconnected):
                self._docmd(Say("RSET"))
        taken(reply)

    def _docmd(self, said: Say) -> Reply:
        dialogue = self._dialogue
        if dialogue is None:
            raise Disconnected("please run connect() first")
        return self._heard(lambda: dialogue.say(said)[0])

    def _heard(self, answer: Callable[[], Reply]) -> Reply:
        """``answer()``; an end of file closes this side too."""
        try:
            return answer()
        except Disconnected:
            self.close()
            raise
