"""The PROXY protocol, versions 1 (text) and 2 (binary): a header in which a proxy gives the address
of the sender for which it connects.

``header`` parses it, as section 2 of HAProxy's "The PROXY protocol, versions 1 & 2" specifies.
``Introduction`` reads it from a transport before the connection begins. Knows no SMTP.
"""

from __future__ import annotations

import asyncio
import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple, cast

from .connection import Connection

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
"""The first octets of version 2."""
LONGEST_TEXT = 107
"""Octets of a header of version 1, including its CRLF (section 2.1)."""

_PORT = r"(?:0|[1-9]\d{0,4})"
_TEXT = re.compile(
    rf"PROXY (TCP4|TCP6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) ({_PORT}) ({_PORT})", re.ASCII
)
_ADDRESSES = {0x1: 12, 0x2: 36, 0x3: 216}
"""Octets of both addresses and ports by family: IPv4, IPv6, UNIX (section 2.2)."""


class Header(NamedTuple):
    """``length`` in octets. ``ip`` is None if the proxy connects for itself, or does not give the
    address.
    """

    length: int
    ip: str | None


def header(octets: bytes) -> Header | None:
    """The header at the beginning of ``octets``; None while it is incomplete. ValueError if there
    is none.
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


class Introduction(asyncio.Protocol):
    """Reads the header, then hands the transport over to ``connection``.

    An invalid header, or none within ``patience`` seconds, closes the transport. While it waits it
    is in ``waiting``.
    """

    def __init__(self, connection: Connection, patience: float, waiting: set[Introduction]) -> None:
        self._connection = connection
        self._patience = patience
        self._waiting = waiting
        self._transport: asyncio.Transport | None = None
        self._octets = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP has accepted the connection."""
        self._transport = cast(asyncio.Transport, transport)
        self._waiting.add(self)
        self._timer = asyncio.get_running_loop().call_later(self._patience, self.abort)

    def data_received(self, data: bytes) -> None:
        """Octets of the header, perhaps followed by the first ones of the connection."""
        self._octets += data
        try:
            found = header(self._octets)
        except ValueError:
            self.abort()
            return
        if found is None or self._transport is None:
            return
        transport = self._transport
        rest = self._octets[found.length :]
        self._forget()
        transport.set_protocol(self._connection)
        self._connection.begin(transport, found.ip or transport.get_extra_info("peername")[0])
        if rest:
            self._connection.data_received(rest)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, before its header was complete."""
        self._forget()

    def abort(self) -> None:
        """Closes the transport without a reply."""
        if self._transport is not None:
            self._transport.abort()
        self._forget()

    def _forget(self) -> None:
        self._transport = None
        self._waiting.discard(self)
        if self._timer is not None:
            self._timer.cancel()
