"""The name of a message: its X-Relaysim-Id header, or else its Message-ID.

The header section ends at the first empty line; lines end with CRLF, as on the wire. A message
without either header is named by its recipient, which is the caller's task.
"""

from __future__ import annotations

import re

NAMES = (b"\r\nx-relaysim-id:", b"\r\nmessage-id:")
"""The headers that name a message, in lower case and in the order of preference."""
LONGEST = 998
"""The longest name in characters, like the longest line of a message (RFC 5322 2.1.1)."""

_VALUE = re.compile(rb"[^\r]*(?:\r\n[ \t][^\r]*)*")  # with the lines that are folded onto it


def message_name(head: bytes) -> str | None:
    """The name in ``head``, the beginning of a message, or None. Accepts any octets and replaces
    those that are not UTF-8.
    """
    section = (b"\r\n" + head).partition(b"\r\n\r\n")[0]
    lowered = section.lower()
    for name in NAMES:
        at = lowered.find(name)
        value = _value(section, at + len(name)) if at >= 0 else ""
        if value:
            return value[:LONGEST]
    return None


def _value(section: bytes, at: int) -> str:
    found = _VALUE.match(section, at)
    assert found is not None, "the pattern matches nothing too"
    return " ".join(found[0].decode("utf-8", "replace").split())
