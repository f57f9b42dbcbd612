"""The commands of a session, and the parser that makes them from a command line.

``parse`` turns a line into a command or into the reply that refuses it. The other commands of a
session have no line: its beginning, complete credentials, a body, TLS, its end.

Where the grammar of RFC 5321 leaves the choice to the relay, these are the decisions:

- verbs and keywords in any case, white space before the CRLF and spaces after ``FROM:`` and ``TO:``
  are accepted (4.1.1 asks for the second; senders in the wild do the third);
- an address is always in angle brackets; its local part may be quoted; a source route is read and
  ignored (4.1.1.3, appendix C); ``<Postmaster>`` needs no domain (4.1.1.3); no length except the
  line's is checked (4.5.3.1);
- a domain may contain underscores, as container names do, and EHLO's name any 255 printable octets
  without a space;
- an octet above 127 is refused anywhere: SMTPUTF8 is not offered;
- a parameter that is malformed, given twice or without its value is 501; one that is unknown, or
  has a value that the relay does not support (BODY=BINARYMIME), is 555.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from . import replies
from .replies import Reply

Parameters = tuple[tuple[str, str | None], ...]
"""The parameters of MAIL in the order given: keyword in upper case, and value or None."""


class Ehlo(NamedTuple):
    """EHLO with the sender's name."""

    name: str


class Helo(NamedTuple):
    """HELO with the sender's name."""

    name: str


class StartTls(NamedTuple):
    """STARTTLS."""


class Auth(NamedTuple):
    """AUTH: the mechanism in upper case, and the initial response as written (base64, or ``=``).

    Not a command for a session: the exchange that it begins ends in ``Credentials``.
    """

    mechanism: str
    initial: bytes | None


class Mail(NamedTuple):
    """MAIL. ``sender`` is empty for ``<>``, ``size`` the declared size in octets, ``body`` is
    ``7BIT``, ``8BITMIME`` or None.

    ``message`` is the id of the message. A line does not contain it; virtual time knows it.
    """

    sender: str
    size: int | None = None
    body: str | None = None
    params: Parameters = ()
    message: str | None = None


class Rcpt(NamedTuple):
    """RCPT. ``params`` is empty, because none is offered."""

    recipient: str
    params: Parameters = ()


class Data(NamedTuple):
    """DATA."""


class Rset(NamedTuple):
    """RSET."""


class Noop(NamedTuple):
    """NOOP with any argument."""


class Vrfy(NamedTuple):
    """VRFY with its argument."""

    what: str


class Help(NamedTuple):
    """HELP with any argument."""


class Quit(NamedTuple):
    """QUIT."""


class Connected(NamedTuple):
    """TCP has accepted the connection: a greeting is due."""


# Not a NamedTuple: every login reads the fields several times, which is faster in a dataclass.
@dataclass(frozen=True, slots=True)
class Credentials:
    """A complete AUTH exchange. ``challenges`` is the number of 334 replies that it took."""

    username: str
    password: str
    mechanism: str = "PLAIN"
    challenges: int = 0


class Body(NamedTuple):
    """A whole body of ``size`` octets. ``message`` is the message's id if the body names it."""

    size: int
    message: str | None = None


class TlsStarted(NamedTuple):
    """The TLS handshake after STARTTLS is complete."""


class Lost(NamedTuple):
    """The peer or the network ended the connection."""


LineCommand = Ehlo | Helo | StartTls | Auth | Mail | Rcpt | Data | Rset | Noop | Vrfy | Help | Quit
"""A command that ``parse`` returns."""

Command = (
    Connected
    | Ehlo
    | Helo
    | StartTls
    | TlsStarted
    | Credentials
    | Mail
    | Rcpt
    | Data
    | Body
    | Rset
    | Noop
    | Vrfy
    | Help
    | Quit
    | Lost
)
"""A command that a session handles."""

EVENTS = (Connected, TlsStarted, Lost)
"""The commands that are not the peer's: they happen to the connection."""

_ATOM = r"[A-Z0-9!#$%&'*+/=?^_`{|}~-]+"
_QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
_DOMAIN = r"[A-Z0-9_-]+(?:\.[A-Z0-9_-]+)*"
_ROUTE = rf"(?:@{_DOMAIN}(?:,@{_DOMAIN})*:)?"
_ADDRESS = rf"(?:{_ATOM}(?:\.{_ATOM})*|{_QUOTED})@(?:{_DOMAIN}|\[[!-Z^-~]+\])"
_FLAGS = re.IGNORECASE | re.ASCII
_MAIL = re.compile(rf"FROM: *<(?:{_ROUTE}({_ADDRESS}))?>(?: +(.+))?", _FLAGS)
_RCPT = re.compile(rf"TO: *<{_ROUTE}({_ADDRESS}|POSTMASTER)>(?: +(.+))?", _FLAGS)
_PARAMETER = re.compile(r"([A-Z0-9][A-Z0-9-]*)(?:=([!-<>-~]+))?", _FLAGS)
_AUTH = re.compile(r"([A-Z0-9_-]{1,20})(?: +([!-~]+))?", _FLAGS)
_NAME = re.compile(r"[!-~]{1,255}", re.ASCII)
_SIZE = re.compile(r"[0-9]{1,20}", re.ASCII)
_XTEXT = re.compile(r"<>|(?:[!-*,-<>-~]|\+[0-9A-F]{2})+", re.ASCII)
_WRONG_OCTET = re.compile(rb"[\x00\r\n]")


def parse(line: bytes) -> LineCommand | Reply:
    """The command in ``line`` (without its CRLF), or the reply that refuses it. Accepts any octets
    and never raises.
    """
    if line[:4] in CACHED_VERBS and len(line) <= LONGEST_CACHED:
        return _parsed_before(line)
    return _parsed(line)


def _parsed(line: bytes) -> LineCommand | Reply:
    if _WRONG_OCTET.search(line):
        return replies.BAD_LINE
    if not line.isascii():
        return replies.NOT_ASCII
    verb, _, argument = line.decode("ascii").partition(" ")
    read = _VERBS.get(verb.rstrip("\t").upper())
    return replies.UNKNOWN if read is None else read(argument.rstrip(" \t"))


CACHED_VERBS = frozenset((b"MAIL", b"DATA", b"QUIT", b"EHLO", b"HELO", b"RSET", b"NOOP"))
"""Verbs whose lines repeat, so the latest are not parsed again. Not AUTH: a cache must not hold
passwords.
"""
LONGEST_CACHED = 80
_parsed_before = lru_cache(maxsize=256)(_parsed)


def _named(made: Callable[[str], LineCommand]) -> Callable[[str], LineCommand | Reply]:
    """EHLO and HELO: one name."""
    return lambda argument: made(argument) if _NAME.fullmatch(argument) else replies.HELLO_SYNTAX


def _bare(command: LineCommand) -> Callable[[str], LineCommand | Reply]:
    """A verb that takes no argument: one is 501 (RFC 5321 4.1.1.11; RFC 3207 section 4)."""
    return lambda argument: replies.SYNTAX if argument else command


def _always(answer: LineCommand | Reply) -> Callable[[str], LineCommand | Reply]:
    """The same for any argument."""
    return lambda argument: answer


def _auth(argument: str) -> LineCommand | Reply:
    found = _AUTH.fullmatch(argument)
    if found is None:
        return replies.SYNTAX
    return Auth(found[1].upper(), None if found[2] is None else found[2].encode("ascii"))


def _vrfy(argument: str) -> LineCommand | Reply:
    return Vrfy(argument) if argument else replies.SYNTAX


def _mail(argument: str) -> LineCommand | Reply:
    found = _MAIL.fullmatch(argument)
    if found is None:
        return replies.SENDER_SYNTAX
    sender = found[1] or ""
    rest = found[2]
    if rest is None:
        return Mail(sender, None, None, ())
    given = _parameters(rest)
    if isinstance(given, Reply):
        return given
    values = dict(given)
    if len(values) < len(given):
        return replies.SYNTAX
    return _refused_parameter(values) or Mail(sender, _size(values), _body(values), given)


def _rcpt(argument: str) -> LineCommand | Reply:
    found = _RCPT.fullmatch(argument)
    if found is None:
        return replies.RECIPIENT_SYNTAX
    if found[2] is None:
        return Rcpt(found[1], ())
    given = _parameters(found[2])
    return given if isinstance(given, Reply) else replies.PARAMETER


def _parameters(text: str) -> Parameters | Reply:
    found = [_PARAMETER.fullmatch(word) for word in text.split(" ") if word]
    whole = [match for match in found if match is not None]
    if len(whole) < len(found):
        return replies.SYNTAX
    return tuple((match[1].upper(), match[2]) for match in whole)


def _refused_parameter(values: dict[str, str | None]) -> Reply | None:
    """The refusal of the first bad parameter; unknown ones (555) before bad values (501)."""
    if any(keyword not in _PARAMETERS for keyword in values):
        return replies.PARAMETER
    answers = (_PARAMETERS[keyword](value or "") for keyword, value in values.items())
    return next((answer for answer in answers if answer is not None), None)


def _size(values: dict[str, str | None]) -> int | None:
    size = values.get("SIZE")
    return None if size is None else int(size)


def _body(values: dict[str, str | None]) -> str | None:
    body = values.get("BODY")
    return None if body is None else body.upper()


def _check_body(value: str) -> Reply | None:
    if not value:
        return replies.SYNTAX
    return None if value.upper() in ("7BIT", "8BITMIME") else replies.PARAMETER


_PARAMETERS: dict[str, Callable[[str], Reply | None]] = {
    # RFC 1870 section 3: 1 to 20 digits
    "SIZE": lambda value: None if _SIZE.fullmatch(value) else replies.SYNTAX,
    # RFC 6152
    "BODY": _check_body,
    # RFC 4954 section 5; read and not used
    "AUTH": lambda value: None if _XTEXT.fullmatch(value) else replies.SYNTAX,
}

_VERBS: dict[str, Callable[[str], LineCommand | Reply]] = {
    "EHLO": _named(Ehlo),
    "HELO": _named(Helo),
    "STARTTLS": _bare(StartTls()),
    "AUTH": _auth,
    "MAIL": _mail,
    "RCPT": _rcpt,
    "DATA": _bare(Data()),
    "RSET": _bare(Rset()),
    "NOOP": _always(Noop()),
    "VRFY": _vrfy,
    "HELP": _always(Help()),
    "QUIT": _bare(Quit()),
    # Known to RFC 5321 (EXPN; appendix F for the obsolete ones), 3030 and 1985, and not offered.
    **dict.fromkeys(
        ("EXPN", "SEND", "SOML", "SAML", "TURN", "ETRN", "BDAT"), _always(replies.NOT_IMPLEMENTED)
    ),
}
