"""The header of the PROXY protocol, versions 1 (text) and 2 (binary): for whom a proxy speaks.
Pure; knows no sockets.

As "The PROXY protocol, versions 1 & 2" (HAProxy, section 2) has it. What follows the header is the
connection's own.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
"""With what version 2 begins."""
LONGEST_TEXT = 107
"""Octets of a header of version 1, its CRLF included (section 2.1)."""

_PORT = r"(?:0|[1-9]\d{0,4})"
_TEXT = re.compile(
    rf"PROXY (TCP4|TCP6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) ({_PORT}) ({_PORT})", re.ASCII
)
_ADDRESSES = {0x1: 12, 0x2: 36, 0x3: 216}
"""Octets of both addresses and ports by family: IPv4, IPv6, UNIX (section 2.2)."""


class Header(NamedTuple):
    """``length`` in octets; ``ip`` None where the proxy speaks for itself, or for an address that
    it does not tell.
    """

    length: int
    ip: str | None


def header(octets: bytes) -> Header | None:
    """The header that ``octets`` begin with; None while it is not complete. ValueError where it is
    none.
    """
    if octets[: len(SIGNATURE)] == SIGNATURE[: len(octets)]:
        return _binary(octets) if len(octets) >= 16 else None
    if octets[:6] == b"PROXY "[: len(octets)]:
        return _text(octets)
    raise ValueError("no header of the PROXY protocol")


def _text(octets: bytes) -> Header | None:
    end = octets.find(b"\r\n", 0, LONGEST_TEXT)
    if end < 0:
        if len(octets) >= LONGEST_TEXT:
            raise ValueError("a header without an end")
        return None
    line = octets[:end].decode("latin-1")
    if line.startswith("PROXY UNKNOWN"):
        return Header(end + 2, None)
    found = _TEXT.fullmatch(line)
    if found is None or any(int(port) > 65_535 for port in found.groups()[3:]):
        raise ValueError("a header that is not in the form of version 1")
    kind = IPv4Address if found[1] == "TCP4" else IPv6Address
    source = ip_address(found[2])
    target = ip_address(found[3])
    if not (isinstance(source, kind) and isinstance(target, kind)):
        raise ValueError("addresses of another family than the header says")
    return Header(end + 2, str(source))


def _binary(octets: bytes) -> Header | None:
    version = octets[12] >> 4
    command = octets[12] & 0xF
    family = octets[13] >> 4
    length = int.from_bytes(octets[14:16], "big")
    if version != 2 or command > 1 or family > 3 or octets[13] & 0xF > 2:
        raise ValueError("a header that is not in the form of version 2")
    if command == 1 and length < _ADDRESSES.get(family, 0):
        raise ValueError("a header that is too short for its addresses")
    if len(octets) < 16 + length:
        return None
    if command == 0 or family not in (0x1, 0x2):
        return Header(16 + length, None)
    return Header(16 + length, str(ip_address(octets[16:20] if family == 0x1 else octets[16:32])))
