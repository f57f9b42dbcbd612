"""An incremental reader of the octets that a relay receives: ``Reader`` returns command lines and
bodies, independent of how they are cut into pieces.

A line ends with CRLF and with nothing else (RFC 5321 2.3.8). A bare CR or LF is an octet of its
line: it never turns one command into two, and ``LF . LF`` never ends a body, so no message can be
smuggled after another. Memory is bounded: an over-long line is discarded up to its end and answered
once, and only the size and the beginning of a body are kept. Work is linear in the octets. Of the
verbs the reader only knows the maximum length of their lines.
"""

from __future__ import annotations

from typing import NamedTuple

from .replies import AUTH_LINE_TOO_LONG, LINE_TOO_LONG, Reply

CRLF = b"\r\n"
END = b"\r\n.\r\n"
"""The end of a body. Its first CRLF is also the end of the body's last line, or of the DATA line if
the body is empty.
"""
STUFFED = b"\r\n."
"""A line of a body that begins with a dot. The sender has doubled the dot, unless this is the END
(RFC 5321 4.5.2).
"""

COMMAND_LINE = 512
"""Octets of a command line with its CRLF (RFC 5321 4.5.3.1.4)."""
MAIL_LINE = COMMAND_LINE + 26 + 17 + 500
"""Octets of MAIL with its CRLF: SIZE adds 26 (RFC 1870 section 3), BODY 17 (RFC 6152 section 2),
AUTH 500 (RFC 4954 section 3).
"""
AUTH_LINE = 12_288
"""Octets of AUTH and of each response in its exchange, with CRLF (RFC 4954 section 4)."""
LONGEST = {b"MAIL ": (MAIL_LINE, LINE_TOO_LONG), b"AUTH ": (AUTH_LINE, AUTH_LINE_TOO_LONG)}
"""By the first five octets of a line, in upper case: its maximum length, and the refusal."""
OTHERS = (COMMAND_LINE, LINE_TOO_LONG)
SHORT = COMMAND_LINE - len(CRLF) + 1
"""A line with fewer octets, without its CRLF, is never too long."""
RESPONSE = (AUTH_LINE, AUTH_LINE_TOO_LONG)

HEAD = 65_536
"""How much of the beginning of a body is kept, in octets: more than any sane header section."""

_HELD = tuple(END[:length] for length in (4, 3, 2, 1))


class Body(NamedTuple):
    """A whole body. ``size`` in octets counts the CRLFs, not the doubled dots and not the END's dot
    (RFC 1870 section 5).

    ``head`` is its beginning without doubled dots.
    """

    size: int
    head: bytes


class Reader:
    """Takes octets with ``feed`` and returns lines and bodies, each None while it is incomplete."""

    __slots__ = ("_at", "_buffer", "_head", "_keep", "_overlap", "_overlong", "_searched", "_size")

    def __init__(self, keep: int = HEAD) -> None:
        """``keep`` is the number of octets to keep of a body's beginning."""
        self._buffer = b""
        self._at = 0  # everything before it is done
        self._searched = 0  # no CRLF begins before it
        self._overlap = 0  # octets after it that were already returned, as the end of a line
        self._overlong: Reply | None = None  # the answer to the line that is being discarded
        self._keep = keep + len(CRLF)
        self._size = 0
        self._head = b""

    def feed(self, data: bytes) -> None:
        """Adds received octets."""
        at = self._at
        if at < len(self._buffer):
            self._buffer = self._buffer[at:] + data
            self._searched = max(0, self._searched - at)
        else:
            self._buffer = data
            self._searched = 0
        self._at = self._overlap = 0

    def spent(self) -> bool:
        """Whether everything that was fed has been returned."""
        return self._at + self._overlap == len(self._buffer)

    def clear(self) -> None:
        """Discards all octets that have not been returned."""
        self._buffer = b""
        self._at = 0
        self._searched = 0
        self._overlap = 0
        self._overlong = None

    def command(self) -> bytes | Reply | None:
        """The next command line without its CRLF, or the answer to one that is too long."""
        return self._line(None)

    def response(self) -> bytes | Reply | None:
        """The next line of an AUTH exchange, like ``command``."""
        return self._line(RESPONSE)

    def begin_body(self) -> None:
        """A body follows the line that was returned last."""
        # The CRLF of that line can be the first of the END. Go back to it, without counting it.
        self._overlap = len(CRLF)
        self._at -= len(CRLF)
        assert self._buffer[self._at : self._at + 2] == CRLF, "a body begins after a line"
        self._size = -len(CRLF)
        self._head = b""

    def body(self) -> Body | None:
        """The body, after its END has arrived."""
        self._overlap = 0
        end = self._buffer.find(END, self._at)
        if end < 0:
            self._settle(len(self._buffer) - self._held())
            return None
        self._settle(end + len(CRLF))
        self._at = self._searched = end + len(END)
        return Body(self._size, self._head[len(CRLF) :])

    def _line(self, allowed: tuple[int, Reply] | None) -> bytes | Reply | None:
        end = self._buffer.find(CRLF, self._searched)
        if end < 0:
            self._wait(allowed)
            return None
        line = self._buffer[self._at : end]
        self._at = self._searched = end + 2
        # The common line is shorter than the shortest limit, and costs one comparison.
        if len(line) < SHORT and self._overlong is None:
            return line
        overlong = self._overlong
        self._overlong = None
        if overlong is None:
            longest, answer = allowed or LONGEST.get(line[:5].upper(), OTHERS)
            overlong = answer if len(line) + len(CRLF) > longest else None
        return line if overlong is None else overlong

    def _wait(self, allowed: tuple[int, Reply] | None) -> None:
        """Remembers how far the search for CRLF got, and discards a line that is too long for any
        verb.
        """
        self._searched = max(self._at, len(self._buffer) - 1)  # a CR may be last
        if self._overlong is None and len(self._buffer) - self._at > AUTH_LINE:
            start = self._buffer[self._at : self._at + 5].upper()
            self._overlong = (allowed or LONGEST.get(start, OTHERS))[1]
        if self._overlong is not None:
            self._at = self._searched

    def _held(self) -> int:
        """The number of last octets that may belong to an incomplete END or doubled dot."""
        return next((len(start) for start in _HELD if self._buffer.endswith(start, self._at)), 0)

    def _settle(self, end: int) -> None:
        """Counts the octets of the body up to ``end``, and keeps them if they belong to its
        beginning.
        """
        piece = self._buffer[self._at : end]
        self._at = end
        doubled = piece.count(STUFFED)
        self._size += len(piece) - doubled
        wanted = self._keep - len(self._head)
        if wanted > 0:
            self._head += (piece.replace(STUFFED, CRLF) if doubled else piece)[:wanted]
