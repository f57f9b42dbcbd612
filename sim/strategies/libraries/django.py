"""A model of Django's SMTP backend: send_mail, send_mass_mail, and one connection held open for
several messages.

Read from the source and tested against Django 5.2, whose backend wraps smtplib. Other backends are
not modelled.
"""

from __future__ import annotations

from contextlib import suppress

from ... import units
from ..api import Message
from ..dialogue import LibrarySender
from .smtplib import FAILED, SMTP


class Django:
    """Django, a loop of send_mail(): each call has its connection; or send_mass_mail(), or
    get_connection() held open.

    After the relay closes a connection with a 421, every further send raises
    SMTPServerDisconnected: the backend assumes that the connection is open and reconnects only
    after close(). send_mass_mail() raises at the first message that fails and never tries the
    rest. With fail_silently it continues, and the rest is lost one by one. If open() fails
    silently, each message opens a separate connection. A wrong password costs two failed logins.
    """

    library = "Django"
    options = {
        "per_connection": 1,
        "pause": "0s",
        "send_mass_mail": 0,
        "fail_silently": False,
        "EMAIL_TIMEOUT": 0.0,
    }
    explained = {
        "per_connection": (
            "1 is send_mail(); more are sent inside one `with get_connection()`, 0 all of them."
        ),
        "pause": "How long the program sleeps behind each connection.",
        "send_mass_mail": (
            "Messages of one call of send_mass_mail(); "
            "0 does not use it, and per_connection counts."
        ),
        "fail_silently": (
            "Whether a failed send raises nothing, as send_mail(fail_silently=True) and "
            "get_connection() take it."
        ),
        "EMAIL_TIMEOUT": "Seconds to wait for each answer; 0 is Django's None, for ever.",
    }

    def __init__(
        self,
        per_connection: int,
        pause: object,
        send_mass_mail: int,
        fail_silently: bool,
        EMAIL_TIMEOUT: float,
    ) -> None:
        for name, value in {
            "per_connection": per_connection,
            "send_mass_mail": send_mass_mail,
        }.items():
            if value < 0:
                raise ValueError(f"{name} = {value} is too small; at least 0")
        if EMAIL_TIMEOUT < 0:
            raise ValueError(
                f"EMAIL_TIMEOUT = {EMAIL_TIMEOUT} is too small; at least 0, which is None"
            )
        if send_mass_mail and per_connection != 1:
            raise ValueError(
                "send_mass_mail has a connection for each call; leave per_connection away"
            )
        self.per_connection = per_connection
        self.mass = send_mass_mail
        self.silently = fail_silently
        self.pause = units.seconds(units.duration(pause))
        self.timeout = EMAIL_TIMEOUT or None

    def run(self, sender: LibrarySender) -> None:
        """The program, which catches what a call raises and continues with the next."""
        while batch := sender.take(self.mass or self.per_connection or 1):
            backend = Backend(sender, self.timeout, fail_silently=self.silently)
            with suppress(*FAILED):
                if self.mass or self.per_connection == 1:
                    backend.send_messages(batch)
                else:
                    self._with(backend, sender, batch)
            backend.forget()
            if not (self.mass or self.per_connection):
                return
            sender.sleep(self.pause)

    def _with(self, backend: Backend, sender: LibrarySender, batch: list[Message]) -> None:
        """``with get_connection() as connection``, and a send() for each message."""
        try:
            backend.open()
            while batch:
                for message in batch:
                    with suppress(*FAILED):
                        backend.send_messages([message])
                batch = [] if self.per_connection else sender.take()
        finally:
            backend.close()


class Backend:
    """One smtp.EmailBackend. Like the library, it keeps a connection that is not yet logged in as
    partial.
    """

    def __init__(
        self, sender: LibrarySender, timeout: float | None, *, fail_silently: bool
    ) -> None:
        self._sender = sender
        self._timeout = timeout
        self._silently = fail_silently
        self._connection: SMTP | None = None
        self._partial: SMTP | None = None

    def open(self) -> bool | None:
        """Whether a new connection was made; None if that failed silently. Raises Refused or
        Disconnected.
        """
        if self._connection is not None:
            return False
        self._quit_partial()
        smtp = SMTP(self._sender, self._timeout)
        try:
            smtp.connect()
            self._partial = smtp
            smtp.login()
        except FAILED:
            if not self._silently:
                raise
            return None
        self._connection = smtp
        self._partial = None
        return True

    def close(self) -> None:
        """Sends QUIT on every open connection."""
        self._quit_partial()
        if self._connection is not None:
            self._connection.quit()
        self._connection = None

    def send_messages(self, messages: list[Message]) -> None:
        """Sends over the open connection, or over a new one for this call. Raises Refused or
        Disconnected unless it is silent.
        """
        new = self.open()
        if self._connection is None:
            return
        try:
            for message in messages:
                self._send(self._connection, message)
        finally:
            if new:
                self.close()

    def forget(self) -> None:
        """The end of the object, which closes its open connections without QUIT."""
        for each in (self._connection, self._partial):
            if each is not None:
                each.close()

    def _send(self, smtp: SMTP, message: Message) -> None:
        try:
            smtp.sendmail(message)
        except FAILED:
            if not self._silently:
                raise

    def _quit_partial(self) -> None:
        if self._partial is not None:
            self._partial.quit()
        self._partial = None
