"""A model of aiosmtplib: send(), a client that is reused, and several tasks at once.

Read from the source and tested against version 5.1. Each task is a worker.
"""

from __future__ import annotations

from contextlib import suppress

from ... import units
from ..api import Disconnected, Message, Refused
from ..dialogue import LibrarySender, Reply, Say
from .common import taken
from .smtplib import FAILED, LOGINS, PythonSMTP


class AioSmtpLib:
    """aiosmtplib, a loop of ``await send(message)``: each has its connection; or a client for
    several, or tasks at once.

    A 421 closes the client, and every later send on it raises SMTPServerDisconnected. Its login
    tries PLAIN and then LOGIN: a wrong password costs two failed logins, and a 421 to the first is
    hidden by the SMTPServerDisconnected of the second. A login that fails ends its connection
    without QUIT. Tasks that are gathered together connect at the same time.
    """

    library = "aiosmtplib"
    options = {"per_connection": 1, "pause": "0s", "gather": 1, "timeout": 60.0}
    explained = {
        "per_connection": (
            "1 is send(); more go over one `async with SMTP(...)`, 0 all of a task's."
        ),
        "pause": "How long a task sleeps behind each connection.",
        "gather": (
            "Tasks that send at once, as asyncio.gather() starts them; "
            "0 is a task for each message."
        ),
        "timeout": "Seconds that the client waits for each answer.",
    }

    def __init__(self, per_connection: int, pause: object, gather: int, timeout: float) -> None:
        for name, value in {"per_connection": per_connection, "gather": gather}.items():
            if value < 0:
                raise ValueError(f"{name} = {value} is too small; at least 0")
        if not gather and per_connection != 1:
            raise ValueError("gather = 0 is a task for each message; leave per_connection away")
        if timeout <= 0:
            raise ValueError(f"timeout = {timeout} is too small; more than 0")
        self.per_connection = per_connection
        self.gather = gather
        self.timeout = timeout
        self.pause = units.seconds(units.duration(pause))

    def run(self, sender: LibrarySender) -> None:
        """The program, which catches a failed send."""
        if self.gather:
            for _ in range(self.gather - 1):
                sender.spawn(self._task)
            self._task(sender)
        else:
            while batch := sender.take():
                sender.spawn(self._alone, batch)

    def _alone(self, sender: LibrarySender, batch: list[Message]) -> None:
        with suppress(*FAILED):
            self._with(sender, batch)

    def _task(self, sender: LibrarySender) -> None:
        while batch := sender.take(self.per_connection or 1):
            with suppress(*FAILED):
                self._with(sender, batch)
            if not self.per_connection:
                return
            sender.sleep(self.pause)

    def _with(self, sender: LibrarySender, batch: list[Message]) -> None:
        """``async with SMTP(...) as client``, and a send_message() for each message."""
        client = SMTP(sender, self.timeout)
        client.connect()
        while batch:
            for message in batch:
                with suppress(*FAILED):
                    client.sendmail(message)
            batch = [] if self.per_connection else sender.take()
        client.quit()


class SMTP(PythonSMTP):
    """One aiosmtplib.SMTP."""

    not_connected = "server not connected"

    def connect(self) -> None:
        """connect() with STARTTLS and login. A failure closes without QUIT."""
        self._dialogue = self._sender.dial(self._timeout)
        try:
            taken(self._dialogue.greeting())
            self._hello()
            if self._sender.tls == "starttls":
                taken(self._command(Say("STARTTLS")))
                self._hello()
            self._log_in()
        except FAILED:
            self.close()
            raise

    def sendmail(self, message: Message) -> None:
        """One transaction. A refusal is followed by RSET, unless it was a 421 that closed."""
        try:
            taken(self._command(Say("MAIL", message)))
            taken(self._command(Say("RCPT", message)))
            taken(self._command(Say("DATA"), closes=False))
            taken(self._command(Say("BODY", message), closes=False))
        except Refused:
            with suppress(Disconnected):
                self._command(Say("RSET"))
            raise

    def _hello(self) -> None:
        """EHLO, and HELO if that is refused, except by a 421. After HELO no AUTH is known, which
        raises too.
        """
        reply = self._command(Say("EHLO"))
        if not reply.ok:
            if self._dialogue is not None:
                taken(self._command(Say("HELO")))
            taken(reply)

    def _log_in(self) -> None:
        """PLAIN, then LOGIN, which raises if a 421 to the first has closed the connection."""
        for auth in LOGINS:
            reply = self._command(auth)
            if reply.code == 235:
                return
        taken(reply)

    def _command(self, command: Say, *, closes: bool = True) -> Reply:
        """Sends one command. A 421 closes, except to DATA and the body."""
        reply = super()._command(command)
        if closes and reply.code == 421:
            self.close()
        return reply
