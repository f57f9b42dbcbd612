"""The sender's side of one real connection, over smtplib.

Turns the relay's answers into Refused and Disconnected, and tries one login mechanism once. Knows
nothing of workers. It waits for nothing itself: smtplib does, with the account's timeout.
"""

from __future__ import annotations

import smtplib
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from ..strategies.api import Disconnected, Message, Refused
from .account import Account
from .messages import on_the_wire
from .stage import Stage, Stopped

REMEDY = "trying again is of no use: check relay, port, tls and context of the Account"


class ProductionConnection:
    """Implements ``api.Connection`` over smtplib. Logs in once, with AUTH PLAIN and its initial
    response, or with LOGIN where PLAIN is not offered.
    """

    def __init__(self, stage: Stage, username: str, password: str, ip: str) -> None:
        account = stage.account
        self._stage = stage
        self._begun = False
        self._smtp: smtplib.SMTP | None = None
        self._accepted: list[str] | None = None  # None until the login has passed
        with self._talk():
            smtp = self._smtp = _opened(account, ip, stage.context)
            _want(smtp.ehlo())
            if account.tls == "starttls":
                # Raises where it is not offered, so that no password goes out without TLS.
                smtp.starttls(context=stage.context)
                _want(smtp.ehlo())
            _log_in(smtp, username, password)
        self._accepted = []
        stage.seen.connections.append(self._accepted)

    def send(self, message: Message) -> None:
        stage = self._stage
        stage.check()
        index = stage.outbox.index(message)
        smtp = self._smtp
        if smtp is None or self._accepted is None:
            raise Disconnected("the connection is closed")
        data = on_the_wire(message)
        sender = f"FROM:<{stage.account.sender_address}>"
        with self._talk(message.id):
            _want(smtp.docmd("MAIL", " ".join([sender, *_options(smtp, data)])))
            self._begun = True
            _want(smtp.docmd("RCPT", f"TO:<{message.recipient}>"))
            answer = smtp.data(data)
            self._begun = False  # the transaction is over, whether the body was accepted or not
            _want(answer)
        self._accepted.append(message.id)
        stage.outbox.accept(index)

    def close(self) -> None:
        if self._smtp is None:
            return
        try:
            self._smtp.docmd("QUIT")
        except OSError:  # includes smtplib's own errors
            pass
        finally:
            self._hang_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _talk(self, message: str | None = None) -> Iterator[None]:
        """Turns smtplib's errors into a strategy's. ``message``: the id of the current message."""
        try:
            yield
        except smtplib.SMTPResponseException as error:
            raise self._judged(error.smtp_code, error.smtp_error, message) from None
        except OSError as error:  # includes SMTPException, ssl's errors and time-outs
            gone = self._gone(str(error) or type(error).__name__, message)
            if self._accepted is None and not self._stage.seen.connections and _lasts(error):
                self._stage.stop("aborted", f"no connection came about: {gone}; {REMEDY}")
                raise Stopped from None
            raise gone from None
        except BaseException:
            self._hang_up()
            raise

    def _judged(self, code: int, text: bytes | str, message: str | None) -> Refused | Disconnected:
        """The error for a refusal. The connection stays open, unless the code is 421 or the login
        has not passed yet.
        """
        # smtplib's own texts are str, and its code for an answer without a number is -1.
        if not 400 <= code < 600 or isinstance(text, str):
            return self._gone(f"the relay's answer makes no sense here: {code} {text!r}", message)
        if code == 421 or self._accepted is None:
            self._hang_up()
        elif self._begun:
            self._reset()
        words = text.decode("utf-8", "replace")
        self._stage.seen.refusals.append((self._stage.elapsed(), code, words, message))
        return Refused(code, words)

    def _reset(self) -> None:
        """Ends the open transaction, because a MAIL within it would be out of order."""
        self._begun = False
        try:
            if self._smtp is not None:
                _want(self._smtp.docmd("RSET"))
        except OSError:
            self._hang_up()  # the strategy gets the refusal, and Disconnected from its next send

    def _gone(self, text: str, message: str | None) -> Disconnected:
        self._hang_up()
        self._stage.seen.disconnections.append((self._stage.elapsed(), text, message))
        return Disconnected(text)

    def _hang_up(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _lasts(error: OSError) -> bool:
    """Whether another attempt would fail in the same way, because the account or the relay's
    certificate is wrong.
    """
    if isinstance(error, ssl.SSLCertVerificationError | smtplib.SMTPNotSupportedError):
        return True
    # ssl's reason where the other side does not speak TLS on this port.
    return getattr(error, "reason", None) == "WRONG_VERSION_NUMBER"


def _options(smtp: smtplib.SMTP, data: bytes) -> list[str]:
    """The parameters of MAIL that the relay offers: the size, and whether octets above 127 come."""
    options = []
    if smtp.has_extn("size"):
        options.append(f"SIZE={len(data)}")
    if smtp.has_extn("8bitmime") and not data.isascii():
        options.append("BODY=8BITMIME")
    return options


def _want(answer: tuple[int, bytes], first: int = 2) -> None:
    """Raises smtplib's error unless the answer's code begins with the digit ``first``."""
    if answer[0] // 100 != first:
        raise smtplib.SMTPResponseException(*answer)


def _log_in(smtp: smtplib.SMTP, username: str, password: str) -> None:
    """One mechanism, once. smtplib's login() tries the next mechanism after a failure, so a wrong
    password would count several times.
    """
    offered = smtp.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        _want(smtp.docmd("AUTH", f"PLAIN {_base64(f'{chr(0)}{username}{chr(0)}{password}')}"))
    elif "LOGIN" in offered:
        _want(smtp.docmd("AUTH", "LOGIN"), 3)
        _want(smtp.docmd(_base64(username)), 3)
        _want(smtp.docmd(_base64(password)))
    else:
        raise smtplib.SMTPNotSupportedError("the relay offers neither AUTH PLAIN nor AUTH LOGIN")


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _opened(account: Account, ip: str, context: ssl.SSLContext | None) -> smtplib.SMTP:
    """TCP, TLS where it is implicit, and the greeting."""
    # Without a name for EHLO smtplib would ask the DNS for one, which can take seconds.
    name = account.name or "localhost"
    source = (ip, 0) if ip else None
    smtp: smtplib.SMTP
    if account.tls == "implicit":
        smtp = smtplib.SMTP_SSL(
            account.relay,
            account.port,
            name,
            timeout=account.timeout,
            source_address=source,
            context=context,
        )
    else:
        smtp = smtplib.SMTP(account.relay, account.port, name, account.timeout, source)
    if not account.name and smtp.sock is not None:
        own = str(smtp.sock.getsockname()[0]).partition("%")[0]
        smtp.local_hostname = f"[IPv6:{own}]" if ":" in own else f"[{own}]"
    return smtp
