"""The sender's side of one real connection: smtplib, told by a strategy's calls; the production door's.

Turns what a relay answers into Refused and Disconnected, one mechanism once at login. Knows nothing of outboxes or workers; it
reads no clock and leaves the waiting to smtplib.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from .strategies.api import Disconnected, Message, Refused

ID_HEADER = "X-Relaysim-Id"
"""The header by which a message is known on its way; added in front unless the message has it."""


class Stopped(BaseException):
    """Thrown into the other workers' calls when the run is stopped. Not an Exception, so that a strategy does not catch it."""


@dataclass(frozen=True, slots=True)
class Account:
    """How to reach a relay. ``tls`` is starttls, implicit or none; a password goes over the wire in the clear with none alone.

    ``usernames`` are (username, password) pairs; worker i uses pair i mod their number, and likewise of ``ips``, the local
    addresses to send from (empty: the system chooses). ``timeout`` is seconds for any one answer.
    """

    relay: str
    port: int
    usernames: Sequence[tuple[str, str]]
    sender_address: str
    tls: str = "starttls"
    ips: Sequence[str] = ()
    timeout: float = 30.0
    name: str = "localhost"
    context: ssl.SSLContext | None = None


class Listener(Protocol):
    """The run behind a connection, which writes down what happens on it."""

    account: Account
    stopped: bool

    def refused(self, code: int, text: str) -> None:
        """The relay refused something."""

    def sent(self, message: Message) -> None:
        """The relay accepted a message."""


class ProductionConnection:
    """Implements ``api.Connection`` over smtplib. AUTH PLAIN with its initial response, or LOGIN where PLAIN is not offered, once."""

    def __init__(self, run: Listener, username: str, password: str, ip: str) -> None:
        self._run = run
        self._smtp: smtplib.SMTP | None = None
        account = run.account
        source = (ip, 0) if ip else None
        context = account.context or (ssl.create_default_context() if account.tls != "none" else None)
        try:
            smtp = _opened(account, source, context)
            self._smtp = smtp
            self._answered(smtp.ehlo())
            if account.tls == "starttls":
                smtp.starttls(context=context)
                self._answered(smtp.ehlo())
            self._log_in(smtp, username, password)
        except (Refused, Disconnected):
            self._hang_up()
            raise
        except smtplib.SMTPResponseException as error:
            self._hang_up()
            raise self._refused(error.smtp_code, error.smtp_error) from None
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            raise Disconnected(str(error) or type(error).__name__) from None

    def send(self, message: Message) -> None:
        """As in api.Connection."""
        self._run_check()
        smtp = self._smtp
        if smtp is None:
            raise Disconnected("the connection is closed")
        try:
            self._answered(smtp.mail(self._run.account.sender_address))
            self._answered(smtp.rcpt(message.recipient), reset=True)
            self._data(smtp, message)
        except smtplib.SMTPDataError as error:
            raise self._refused_open(smtp, error.smtp_code, error.smtp_error, reset=True) from None
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            raise Disconnected(str(error) or type(error).__name__) from None
        self._run.sent(message)

    def close(self) -> None:
        """As in api.Connection."""
        if self._smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._smtp.docmd("QUIT")
            self._hang_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _data(self, smtp: smtplib.SMTP, message: Message) -> None:
        known = message.data[:4096].lower().startswith(ID_HEADER.lower().encode() + b":")
        data = message.data if known else f"{ID_HEADER}: {message.id}\r\n".encode() + message.data
        code, text = smtp.data(data)
        if code >= 400:
            raise self._refused_open(smtp, code, text, reset=False)

    def _log_in(self, smtp: smtplib.SMTP, username: str, password: str) -> None:
        smtp.user, smtp.password = username, password
        offered = smtp.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in offered or "LOGIN" not in offered:
            smtp.auth("PLAIN", smtp.auth_plain, initial_response_ok=True)
        else:
            smtp.auth("LOGIN", smtp.auth_login, initial_response_ok=True)

    def _answered(self, answer: tuple[int, bytes], *, reset: bool = False) -> None:
        code, text = answer
        if code >= 400:
            assert self._smtp is not None, "an answer came from a connection"
            raise self._refused_open(self._smtp, code, text, reset=reset)

    def _refused_open(self, smtp: smtplib.SMTP, code: int, text: bytes | str, *, reset: bool) -> Refused:
        """A refusal after which the connection can go on, unless it was a 421: then it is closed."""
        if code == 421:
            self._hang_up()
        elif reset:
            try:
                smtp.docmd("RSET")
            except (OSError, smtplib.SMTPException):
                self._hang_up()
        return self._refused(code, text)

    def _refused(self, code: int, text: bytes | str) -> Refused:
        said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        self._run.refused(code, said)
        return Refused(code, said)

    def _run_check(self) -> None:
        if self._run.stopped:
            raise Stopped

    def _hang_up(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _opened(account: Account, source: tuple[str, int] | None, context: ssl.SSLContext | None) -> smtplib.SMTP:
    """TCP, TLS where it is implicit, and the greeting. The name for EHLO is given, since smtplib would ask the DNS for one."""
    if account.tls != "implicit":
        return smtplib.SMTP(account.relay, account.port, account.name, account.timeout, source)
    return smtplib.SMTP_SSL(
        account.relay, account.port, account.name, timeout=account.timeout, source_address=source, context=context
    )
