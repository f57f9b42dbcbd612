"""The replies of the relay, each with its code, enhanced code and text, and how a reply is encoded.

The replies of limits are not here: they come from the policy. The codes follow these documents, and
each reply names its own:

- RFC 5321: SMTP itself (4.2.2 and 4.2.3 list the codes, 4.3.2 which command gives which).
- RFC 3463 and the registry of RFC 5248: enhanced codes. RFC 2034: they preface every 2xx, 4xx and
5xx reply except the greeting and any answer to EHLO or HELO; a 3xx has none.
- RFC 1870 SIZE, RFC 2920 PIPELINING, RFC 3207 STARTTLS, RFC 4954 AUTH.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


class Reply(NamedTuple):
    """The answer to one command. ``enhanced`` is a code such as ``"5.7.8"`` or empty; ``lines`` has
    at least one text.
    """

    code: int
    enhanced: str
    lines: tuple[str, ...]

    def encode(self) -> bytes:
        """The octets on the wire: ``250 last`` for the last line and ``250-other`` for those before
        it, each with CRLF.
        """
        return _encode(self)

    @property
    def text(self) -> str:
        """The text that a sending program sees besides the code: the lines, each after its enhanced
        code, joined by newlines.
        """
        return "\n".join(_prefaced(self))

    @property
    def ok(self) -> bool:
        """Whether the command succeeded: any code below 400."""
        return self.code < 400


def reply(code: int, enhanced: str, *lines: str) -> Reply:
    """A :class:`Reply` from single lines; without any, it has one empty line."""
    return Reply(code, enhanced, lines or ("",))


def _prefaced(given: Reply) -> list[str]:
    preface = f"{given.enhanced} " if given.enhanced else ""
    return [preface + line for line in given.lines]


# Nearly every reply is one of the constants below, so each is encoded once. The cache is bounded
# because the texts of policies are not.
@lru_cache(maxsize=256)
def _encode(given: Reply) -> bytes:
    texts = _prefaced(given)
    assert texts, "a reply has at least one line"
    assert not any("\r" in text or "\n" in text for text in texts), (
        f"a reply's line holds a line end: {given}"
    )
    marks = ["-"] * (len(texts) - 1) + [" "]
    written = "".join(
        f"{given.code}{mark}{text}\r\n" for mark, text in zip(marks, texts, strict=True)
    )
    return written.encode("ascii", "replace")


# 2xx: done

NAME = "relay.invalid"
"""The relay's host name."""

READY = reply(220, "", f"{NAME} ESMTP relaysim, a model and no real relay")
"""The greeting (RFC 5321 3.1); without an enhanced code (RFC 2034 section 3)."""

START_TLS = reply(220, "2.0.0", "Ready, begin TLS")
"""STARTTLS succeeded (RFC 3207 section 4)."""

GOODBYE = reply(221, "2.0.0", "Goodbye")
"""QUIT (RFC 5321 4.1.1.10)."""

LOGGED_IN = reply(235, "2.7.0", "Logged in")
"""AUTH succeeded (RFC 4954 section 6)."""

OK = reply(250, "2.0.0", "OK")
"""RSET and NOOP (RFC 5321 4.3.2)."""

SENDER_OK = reply(250, "2.1.0", "Sender taken")
"""MAIL (RFC 3463 X.1.0: other address status)."""

RECIPIENT_OK = reply(250, "2.1.5", "Recipient taken")
"""RCPT (RFC 3463 X.1.5: destination address valid)."""

ACCEPTED = reply(250, "2.6.0", "Message accepted")
"""The end of the body (RFC 3463 X.6.0: other media status, as RFC 2034's example has it)."""

HELP = reply(
    214, "2.0.0", "Commands: EHLO HELO STARTTLS AUTH MAIL RCPT DATA RSET NOOP VRFY HELP QUIT"
)
"""HELP (RFC 5321 4.1.1.8)."""

CANNOT_VERIFY = reply(252, "2.0.0", "Not verified here; a message to it would be tried")
"""VRFY (RFC 5321 3.5.3). X.0.0, because X.1.5 would mean that the address is valid."""

# 3xx: continue; never with an enhanced code (RFC 2034 section 3 only names 2xx, 4xx and 5xx)

START_INPUT = reply(354, "", "Go on, and end with a line that is a single dot")
"""DATA (RFC 5321 4.1.1.4)."""

CHALLENGE = reply(334, "", "")
"""AUTH PLAIN without an initial response: an empty challenge (RFC 4954 section 4)."""

CHALLENGE_USERNAME = reply(334, "", "VXNlcm5hbWU6")
"""AUTH LOGIN's first challenge: ``Username:`` in base64 (draft-murchison-sasl-login-00)."""

CHALLENGE_PASSWORD = reply(334, "", "UGFzc3dvcmQ6")
"""AUTH LOGIN's second challenge: ``Password:`` in base64 (draft-murchison-sasl-login-00)."""

# 4xx: not now

CLOSING = reply(421, "4.3.2", "This session is over")
"""A command after the session has ended. Octets cannot cause it, only calls (RFC 5321 4.2.3; RFC
3463 X.3.2).
"""

TOO_MANY_RECIPIENTS = reply(452, "4.5.3", "Too many recipients")
"""RCPT above the relay's maximum (RFC 5321 4.5.3.1.10; RFC 3463 X.5.3)."""

# 50x: the command itself is wrong

UNKNOWN = reply(500, "5.5.1", "No such command")
"""An unknown verb (RFC 5321 4.2.4; RFC 5248 X.5.1: invalid command)."""

BAD_LINE = reply(500, "5.5.2", "A line ends with CRLF and has neither NUL nor a bare CR or LF")
"""A command line with NUL, or with CR or LF elsewhere than at its end (RFC 5321 2.3.8 and 4.1.2;
RFC 3463 X.5.2).
"""

NOT_ASCII = reply(500, "5.5.2", "A command is 7-bit ASCII here")
"""An octet above 127 in a command: SMTPUTF8 (RFC 6531) is not offered (RFC 5321 2.4; RFC 3463
X.5.2).
"""

LINE_TOO_LONG = reply(500, "5.5.2", "Line too long")
"""A command longer than its verb may be (``lines.LONGEST``; RFC 5321 4.5.3.1.4, and 4.5.3.1.9 for
the 500; RFC 3463 X.5.2).
"""

AUTH_LINE_TOO_LONG = reply(500, "5.5.6", "Authentication line too long")
"""More than 12,288 octets with CRLF (RFC 4954 section 4, which also registers X.5.6)."""

SYNTAX = reply(501, "5.5.4", "Argument wrong or missing")
"""A known verb with wrong arguments (RFC 5321 4.2.4; RFC 3463 X.5.4: invalid command arguments)."""

HELLO_SYNTAX = reply(501, "", "EHLO and HELO need your name")
"""EHLO or HELO without a usable name; its answers have no enhanced code (RFC 2034 section 3)."""

SENDER_SYNTAX = reply(501, "5.1.7", "Write MAIL FROM:<address>")
"""MAIL without a valid path (RFC 5321 4.1.1.2; RFC 3463 X.1.7: sender's address syntax)."""

RECIPIENT_SYNTAX = reply(501, "5.1.3", "Write RCPT TO:<address>")
"""RCPT without a valid path (RFC 5321 4.1.1.3; RFC 3463 X.1.3: destination address syntax)."""

BAD_BASE64 = reply(501, "5.5.2", "That is not base64")
"""A response that cannot be decoded (RFC 4954 section 4, with this enhanced code)."""

BAD_CREDENTIALS_FORM = reply(
    501, "5.5.2", "Credentials not in the form of the mechanism, or not in UTF-8"
)
"""A PLAIN response without its two NULs, or octets that are not UTF-8 (RFC 4616 section 2; RFC 4954
has no code for it).
"""

AUTH_CANCELLED = reply(501, "5.7.0", "Authentication cancelled")
"""``*`` instead of a response (RFC 4954 section 4; RFC 3463 X.7.0)."""

NOT_IMPLEMENTED = reply(502, "5.5.1", "Not offered here")
"""A verb that RFC 5321 or 3207 knows and this relay does not have, such as EXPN (RFC 5321 4.2.4).
"""

HELLO_FIRST = reply(503, "5.5.1", "Say EHLO first")
"""Anything of a transaction, AUTH or STARTTLS before EHLO (RFC 5321 4.1.4)."""

NESTED_MAIL = reply(503, "5.5.1", "A transaction is open already")
"""MAIL in a transaction (RFC 5321 4.1.4)."""

NEED_MAIL = reply(503, "5.5.1", "MAIL comes first")
"""RCPT or DATA without a transaction (RFC 5321 3.3 and 4.1.4)."""

NEED_RCPT = reply(503, "5.5.1", "RCPT comes first")
"""DATA without an accepted RCPT (RFC 5321 3.3 leaves the choice between 503 and 554)."""

NEED_DATA = reply(503, "5.5.1", "DATA comes first")
"""A body without DATA. Only by calls: on the wire it would be read as commands."""

BODY_FIRST = reply(503, "5.5.1", "The body comes first")
"""A command while a body is due. Only by calls: on the wire it would be part of the body."""

ALREADY_AUTHENTICATED = reply(503, "5.5.1", "Logged in already")
"""AUTH after a successful AUTH (RFC 4954 section 4)."""

AUTH_IN_TRANSACTION = reply(503, "5.5.1", "No AUTH inside a transaction")
"""AUTH in a transaction (RFC 4954 section 4)."""

TLS_OUT_OF_ORDER = reply(503, "5.5.1", "STARTTLS belongs before AUTH and MAIL")
"""STARTTLS after a login or in a transaction: our choice, RFC 3207 leaves it open."""

TLS_ALREADY = reply(503, "5.5.1", "TLS is on already")
"""A second STARTTLS (RFC 3207 section 4.2 forbids offering it again; RFC 5321 4.2.4)."""

BAD_MECHANISM = reply(504, "5.5.4", "Mechanisms: PLAIN, LOGIN")
"""AUTH by a mechanism that is not offered (RFC 4954 section 4)."""

# 53x, 55x: refused

AUTH_REQUIRED = reply(530, "5.7.0", "Log in first")
"""A transaction without a login, where the relay needs one (RFC 4954 section 6)."""

TLS_REQUIRED = reply(530, "5.7.0", "Must issue a STARTTLS command first")
"""Anything but NOOP, EHLO, STARTTLS, QUIT in the clear, where the relay needs TLS (RFC 3207 section
4 has this very text).
"""

BAD_CREDENTIALS = reply(535, "5.7.8", "Username or password wrong")
"""AUTH with a wrong password (RFC 4954 section 6)."""

TOO_LARGE = reply(552, "5.3.4", "Message too large")
"""SIZE= at MAIL, or the body, above the relay's maximum (RFC 1870 sections 6.1 and 6.3; RFC 3463
X.3.4).
"""

PARAMETER = reply(555, "5.5.4", "Parameter unknown or not offered")
"""A parameter of MAIL or RCPT that the relay does not have (RFC 5321 4.1.1.11)."""
