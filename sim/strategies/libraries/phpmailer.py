"""A model of PHPMailer 6: a connection per message, or one that SMTPKeepAlive leaves open.

Read from the source and tested against version 6.6.3. The model of WordPress uses this one.
"""

from __future__ import annotations

from contextlib import suppress

from ... import units
from ..api import Disconnected, Message, Refused
from ..dialogue import Dialogue, LibrarySender, Say
from .common import say, taken

MECHANISMS = ("", "LOGIN", "PLAIN")


class PHPMailer:
    """PHPMailer, a loop of send(): with SMTPKeepAlive off each message has its connection, with it
    on they share one.

    Its login is LOGIN, three round trips, unless AuthType is PLAIN, which takes two. With
    SMTPKeepAlive it sends RSET after each message. If the relay closes the connection after a
    refusal, it notices this and reconnects for the next message; otherwise it continues on the same
    connection. The exception's text contains a 421 to MAIL with its code. It contains neither one
    instead of the greeting ("Could not connect to SMTP host.") nor one to a login ("Could not
    authenticate", as for a wrong password).
    """

    library = "PHPMailer"
    options = {"SMTPKeepAlive": False, "AuthType": "", "per_connection": 0, "pause": "0s"}
    explained = {
        "SMTPKeepAlive": "Whether the connection stays open for the next send().",
        "AuthType": (
            "The login's mechanism, LOGIN or PLAIN; empty takes LOGIN where the relay has it."
        ),
        "per_connection": (
            "With SMTPKeepAlive, the program calls smtpClose() behind every so many messages; "
            "0 never does."
        ),
        "pause": "How long the program sleeps behind each connection that it closed.",
    }

    def __init__(
        self, SMTPKeepAlive: bool, AuthType: str, per_connection: int, pause: object
    ) -> None:
        if AuthType not in MECHANISMS:
            raise ValueError(
                f'AuthType = "{AuthType}" is not modelled; allowed: '
                "LOGIN, PLAIN, or empty for LOGIN"
            )
        if per_connection < 0:
            raise ValueError(
                f"per_connection = {per_connection} is too small; "
                "at least 1, or 0 for one connection for all"
            )
        self.keep_alive = SMTPKeepAlive
        self.mechanism = AuthType or "LOGIN"
        self.per_connection = per_connection if SMTPKeepAlive else 1
        self.pause = units.seconds(units.duration(pause))

    def run(self, sender: LibrarySender) -> None:
        """The program: one PHPMailer. It catches a failed send()."""
        mailer = Mailer(sender, keep_alive=self.keep_alive, mechanism=self.mechanism)
        count = 0
        while batch := sender.take():
            with suppress(Refused, Disconnected):
                mailer.send(batch[0])
            count += 1
            if self.per_connection and count % self.per_connection == 0:
                if self.keep_alive:
                    mailer.smtp_close()
                sender.sleep(self.pause)
        mailer.smtp_close()  # its destructor's


class Mailer:
    """One PHPMailer object with the library's ``send`` and ``smtpClose``."""

    def __init__(self, sender: LibrarySender, *, keep_alive: bool, mechanism: str) -> None:
        self._sender = sender
        self._keep_alive = keep_alive
        self._mechanism = mechanism
        self._dialogue: Dialogue | None = None

    def send(self, message: Message) -> None:
        """send() and smtpSend(). Raises Refused or Disconnected when the library throws."""
        try:
            self._smtp_send(message)
        except (Refused, Disconnected):
            if self._keep_alive:
                self._try("RSET")
            raise

    def smtp_close(self) -> None:
        """QUIT and its answer, if there is a connection."""
        self._try("QUIT")
        if self._dialogue is not None:
            self._dialogue.leave(quit=False)
        self._dialogue = None

    def _smtp_send(self, message: Message) -> None:
        dialogue = self._connected()
        say(dialogue, "MAIL", message)
        (recipient,) = dialogue.say(Say("RCPT", message))
        if recipient.ok:
            say(dialogue, "DATA")
            say(dialogue, "BODY", message)
        if self._keep_alive:
            self._try("RSET")
        else:
            self.smtp_close()
        taken(recipient)  # the library reports a refused recipient last

    def _connected(self) -> Dialogue:
        """The connection if the library considers it open, else a new one."""
        if self._dialogue is None or not self._dialogue.open:
            self._dialogue = None
            self._dialogue = self._connect()
        return self._dialogue

    def _connect(self) -> Dialogue:
        dialogue = self._sender.dial()
        greeting = dialogue.greeting()
        if not greeting.ok:
            if greeting.code == 554 and dialogue.open:
                dialogue.say(Say("QUIT"))
            dialogue.leave(quit=False)
            raise Refused(greeting.code, greeting.text)
        try:
            self._log_in(dialogue)
        except Refused:
            if dialogue.open:
                dialogue.say(Say("QUIT"))
            dialogue.leave(quit=False)
            raise
        return dialogue

    def _log_in(self, dialogue: Dialogue) -> None:
        """Hello, STARTTLS and hello again, AUTH."""
        self._hello(dialogue)
        if self._sender.tls == "starttls":
            say(dialogue, "STARTTLS")
            self._hello(dialogue)
        taken(dialogue.say(Say("AUTH", mechanism=self._mechanism, initial=False))[0])

    def _hello(self, dialogue: Dialogue) -> None:
        """EHLO, or HELO if that is refused, except by a 421. After HELO the library assumes that a
        login is offered.
        """
        (reply,) = dialogue.say(Say("EHLO"))
        if reply.code == 421:
            raise Refused(reply.code, reply.text)
        if not reply.ok:
            say(dialogue, "HELO")

    def _try(self, verb: str) -> None:
        """Sends a command whose failure the library ignores."""
        if self._dialogue is not None and self._dialogue.open:
            with suppress(Disconnected):
                self._dialogue.say(Say(verb))
