"""By what a message is known: its X-Relaysim-Id header, else its Message-ID. Reads no other header
and no content.

The header section ends at the first empty line; lines end with CRLF, as on the wire. Knows nothing
of recipients, by which a message without either header is known to whoever calls.
"""

from __future__ import annotations

import re

NAMES = (b"\r\nx-relaysim-id:", b"\r\nmessage-id:")
"""The headers that name a message, in lower case, the one that counts more first."""
LONGEST = 998
"""Characters of a name that are kept: an unfolded line of a message has no more (RFC 5322 2.1.1).
"""

_VALUE = re.compile(rb"[^\r]*(?:\r\n[ \t][^\r]*)*")  # with the lines that are folded onto it


def message_name(head: bytes) -> str | None:
    """The name in the beginning ``head`` of a message, or None. Any octets are taken; those not
    UTF-8 are replaced.
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
