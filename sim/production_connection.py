"""The sender's side of one real connection: smtplib, told by a strategy's calls; the production
door's.

Turns what a relay answers into Refused and Disconnected, one mechanism once at login. Knows nothing
of outboxes or workers; it reads no clock and leaves the waiting to smtplib.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from .errors import ScenarioError
from .strategies.api import Disconnected, Message, Refused
from .text import shown

ID_HEADER = "X-Relaysim-Id"
"""The header by which a message is known on its way; added in front unless the message has it."""

_OWN_ID = re.compile(rb"(?im)^x-relaysim-id[ \t]*:")
_LINE_END = re.compile(rb"\r\n?|\n")
_ADDRESS = re.compile(
    r"[!-;=?-~]+"
)  # printable ASCII without space and angle brackets: nothing that ends a command early
REMEDY = "trying again is of no use: check relay, port, tls and context of the Account"


class Stopped(BaseException):
    """Thrown into the workers' calls when the run is stopped. Not an Exception, so that a strategy
    does not catch it.
    """


PATIENT_STOPS = 1_000
"""How often a worker may swallow its own end before it is left where it is."""


@dataclass(frozen=True, slots=True)
class Account:
    """How to reach a relay. ``tls`` is starttls, implicit or none; a password goes over the wire in
    the clear with none alone.

    ``usernames`` are (username, password) pairs; worker i uses pair i mod their number, and
    likewise of ``ips``, the local addresses to send from (empty: the system chooses). ``timeout``
    is seconds for any one answer: a relay that takes longer to answer a body may have accepted it
    all the same, and what is then sent again arrives twice. ``name`` is what EHLO says; empty: the
    connection's own address as a literal, ``[192.0.2.1]``, which needs no DNS. ``context`` is ssl's
    default unless given, which checks certificates.
    """

    relay: str
    port: int
    usernames: Sequence[tuple[str, str]] = field(repr=False)  # the passwords are in it
    sender_address: str
    tls: str = "starttls"
    ips: Sequence[str] = ()
    timeout: float = 30.0
    name: str = ""
    context: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        if self.tls not in ("starttls", "implicit", "none"):
            raise ScenarioError(
                "Account",
                "tls",
                f"{shown(self.tls)} is not allowed; allowed: starttls, implicit, none",
            )
        if not 1 <= self.port <= 65535:
            raise ScenarioError(
                "Account", "port", f"{shown(self.port)} is no port; allowed: 1 to 65535"
            )
        if not self.usernames:
            raise ScenarioError(
                "Account", "usernames", "is empty; give at least one (username, password)"
            )
        if not 0 < self.timeout < float("inf"):
            raise ScenarioError(
                "Account",
                "timeout",
                f"{shown(self.timeout)} is no time to wait; a number of seconds above 0",
            )
        for key, value in (("sender_address", self.sender_address), ("name", self.name)):
            if value and not _ADDRESS.fullmatch(value):
                raise ScenarioError(
                    "Account",
                    key,
                    f"{shown(value)} cannot be sent; ASCII without spaces or angle brackets",
                )


@dataclass(slots=True)
class Outcome:
    """What became of a run in production; submitted = accepted + lost + waiting. Times are seconds
    since the run began.

    Ids stand in order of acceptance, or of submission; ``refusals`` are (seconds, code, text, id of
    the message under way or None), ``disconnections`` the same without a code; ``connections`` has
    the ids that each connection got accepted, in the order of their logins. ``ended`` is settled,
    until or aborted, and ``error`` then says why. ``unsent`` holds every message that was not
    accepted, lost or waiting, so that nothing is lost when something breaks.
    """

    submitted: int = 0
    accepted: list[str] = field(default_factory=list)
    duplicated: int = 0
    lost: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    unsent: list[Message] = field(default_factory=list)
    refusals: list[tuple[float, int, str, str | None]] = field(default_factory=list)
    disconnections: list[tuple[float, str, str | None]] = field(default_factory=list)
    connections: list[list[str]] = field(default_factory=list)
    ended: str = "settled"
    error: str | None = None


class Run(Protocol):
    """The run behind a connection. ``context`` is None where there is no TLS; ``seen`` is what the
    connection writes into.
    """

    account: Account
    context: ssl.SSLContext | None
    seen: Outcome

    def elapsed(self) -> float:
        """Seconds since the run began."""

    def check(self) -> None:
        """Raises Stopped when the run is stopped."""

    def check_known(self, message: Message) -> None:
        """Raises StrategyError for a message that never came from the outbox."""

    def sent(self, message: Message) -> None:
        """The relay accepted a message."""

    def stop(self, ended: str, error: str | None = None) -> None:
        """Stops every worker at its next call."""


class ProductionConnection:
    """Implements ``api.Connection`` over smtplib. AUTH PLAIN with its initial response, or LOGIN
    where PLAIN is not offered, once.
    """

    def __init__(self, run: Run, username: str, password: str, ip: str) -> None:
        self._run = run
        self._begun = False
        self._smtp: smtplib.SMTP | None = None
        self._accepted: list[str] | None = None  # until the login is through
        with self._talk():
            smtp = self._smtp = _opened(run.account, ip, run.context)
            _want(smtp.ehlo())
            if run.account.tls == "starttls":
                smtp.starttls(
                    context=run.context
                )  # raises where it is not offered: no password without TLS
                _want(smtp.ehlo())
            _log_in(smtp, username, password)
        self._accepted = []
        run.seen.connections.append(self._accepted)

    def send(self, message: Message) -> None:
        """As in api.Connection."""
        self._run.check()
        self._run.check_known(message)
        smtp = self._smtp
        if smtp is None or self._accepted is None:
            raise Disconnected("the connection is closed")
        data = on_the_wire(message)
        with self._talk(message.id):
            _want(
                smtp.docmd(
                    "MAIL",
                    " ".join([f"FROM:<{self._run.account.sender_address}>", *_options(smtp, data)]),
                )
            )
            self._begun = True
            _want(smtp.docmd("RCPT", f"TO:<{message.recipient}>"))
            answer = smtp.data(data)
            self._begun = False  # whatever the answer is, the transaction is over
            _want(answer)
        self._accepted.append(message.id)
        self._run.sent(message)

    def close(self) -> None:
        """As in api.Connection."""
        if self._smtp is not None:
            try:
                self._smtp.docmd("QUIT")
            except OSError:  # smtplib's own errors among them
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
        """Turns what goes wrong with smtplib into a strategy's words; ``message`` is the id of the
        one under way.
        """
        try:
            yield
        except smtplib.SMTPResponseException as error:
            raise self._judged(error.smtp_code, error.smtp_error, message) from None
        except OSError as error:  # also smtplib's SMTPException, ssl's errors and time-outs
            gone = self._gone(str(error) or type(error).__name__, message)
            if self._accepted is None and not self._run.seen.connections and _lasts(error):
                self._run.stop("aborted", f"no connection came about: {gone}; {REMEDY}")
                raise Stopped from None
            raise gone from None
        except BaseException:
            self._hang_up()
            raise

    def _judged(self, code: int, text: bytes | str, message: str | None) -> Refused | Disconnected:
        """A refusal after which the connection can go on, unless it was a 421 or came before the
        login was through.
        """
        if not 400 <= code < 600 or isinstance(
            text, str
        ):  # smtplib's own words are str, and a code of -1 was no number
            return self._gone(f"the relay's answer makes no sense here: {code} {text!r}", message)
        if code == 421 or self._accepted is None:
            self._hang_up()
        elif self._begun:
            self._reset()
        said = text.decode("utf-8", "replace")
        self._run.seen.refusals.append((self._run.elapsed(), code, said, message))
        return Refused(code, said)

    def _reset(self) -> None:
        """Ends an open transaction, without which the next MAIL would be out of order."""
        self._begun = False
        try:
            if self._smtp is not None:
                _want(self._smtp.docmd("RSET"))
        except (
            OSError
        ):  # the refusal is what counts; the next send tells that the connection is closed
            self._hang_up()

    def _gone(self, text: str, message: str | None) -> Disconnected:
        self._hang_up()
        self._run.seen.disconnections.append((self._run.elapsed(), text, message))
        return Disconnected(text)

    def _hang_up(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def checked(given: object, number: int) -> Message:
    """``given``, the workload's ``number``-th, as a Message; ScenarioError for what must not or
    cannot go over the wire.
    """
    place = f"messages[{number - 1}]"
    if isinstance(given, tuple) and len(given) == 2:
        given = Message(str(number), *given)
    if not isinstance(given, Message):
        raise ScenarioError(
            "send", place, f"{shown(given)} is no message; give a Message or (recipient, data)"
        )
    if not isinstance(given.id, str) or not (
        given.id.isascii() and given.id.isprintable() and given.id.strip()
    ):
        raise ScenarioError(
            "send",
            f"{place}.id",
            f"{shown(given.id)} is no id; printable ASCII, since it becomes a header",
        )
    if not isinstance(given.recipient, str) or not _ADDRESS.fullmatch(given.recipient):
        raise ScenarioError(
            "send",
            f"{place}.recipient",
            f"{shown(given.recipient)} is no address; write it alone, in ASCII",
        )
    if not isinstance(given.data, bytes):
        raise ScenarioError(
            "send",
            f"{place}.data",
            f"{shown(given.data)} is not bytes; give headers and body as bytes",
        )
    return given


def on_the_wire(message: Message) -> bytes:
    """The data with every line ended by CRLF and with its id in the headers; dots are smtplib's to
    double.
    """
    data = _LINE_END.sub(b"\r\n", message.data)
    headers = (b"\r\n" + data).partition(b"\r\n\r\n")[0]
    return data if _OWN_ID.search(headers) else f"{ID_HEADER}: {message.id}\r\n".encode() + data


def _lasts(error: OSError) -> bool:
    """Whether trying again is of no use: it is the account that is wrong, or the relay that is not
    what it says.
    """
    wrong = isinstance(error, ssl.SSLCertVerificationError | smtplib.SMTPNotSupportedError)
    return (
        wrong or getattr(error, "reason", None) == "WRONG_VERSION_NUMBER"
    )  # the other side does not speak TLS there


def _options(smtp: smtplib.SMTP, data: bytes) -> list[str]:
    """What MAIL adds where the relay offers it: the size, and that there are octets above 127."""
    size = [f"SIZE={len(data)}"] if smtp.has_extn("size") else []
    return size + (["BODY=8BITMIME"] if smtp.has_extn("8bitmime") and not data.isascii() else [])


def _want(answer: tuple[int, bytes], first: int = 2) -> None:
    """Raises smtplib's own error unless the answer's code begins with the digit ``first``."""
    if answer[0] // 100 != first:
        raise smtplib.SMTPResponseException(*answer)


def _log_in(smtp: smtplib.SMTP, username: str, password: str) -> None:
    """One mechanism, once. smtplib's login() goes on with the next: a wrong password would count
    several times.
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
    """TCP, TLS where it is implicit, and the greeting. A name for EHLO is given at once, since
    smtplib would ask the DNS for one.
    """
    name = account.name or "localhost"
    source = (ip, 0) if ip else None
    smtp = (
        smtplib.SMTP_SSL(
            account.relay,
            account.port,
            name,
            timeout=account.timeout,
            source_address=source,
            context=context,
        )
        if account.tls == "implicit"
        else smtplib.SMTP(account.relay, account.port, name, account.timeout, source)
    )
    if not account.name and smtp.sock is not None:
        own = str(smtp.sock.getsockname()[0]).partition("%")[0]
        smtp.local_hostname = f"[IPv6:{own}]" if ":" in own else f"[{own}]"
    return smtp
