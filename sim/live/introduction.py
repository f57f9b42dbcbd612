"""What comes before a connection's greeting: whether it may come at all, and for whom it speaks.
Knows no SMTP.

A connection to an address of loopback that was asked for passes; with the PROXY protocol its header
is read first, and then the connection begins as that address's own. A header that is none, or that
does not come in time, closes the connection.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from ..units import MICRO
from .proxy import header

if TYPE_CHECKING:
    from .connection import Connection
    from .door import Door


class Introduction(asyncio.Protocol):
    """Reads the header, and hands the transport over to the connection that it introduces."""

    def __init__(self, door: Door, connection: Connection) -> None:
        self._door = door
        self._connection = connection
        self._transport: asyncio.Transport | None = None
        self._octets = b""
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP has accepted it."""
        self._transport = cast(asyncio.Transport, transport)
        self._door.introductions.add(self)
        seconds = self._door.settings.timeouts.handshake / MICRO
        self._patience = asyncio.get_running_loop().call_later(seconds, self.abort)

    def data_received(self, data: bytes) -> None:
        """Octets of the header, perhaps with what follows it."""
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
        """It went before it was introduced."""
        self._forget()

    def abort(self) -> None:
        """Closes it without a word."""
        if self._transport is not None:
            self._transport.abort()
        self._forget()

    def _forget(self) -> None:
        self._transport = None
        self._door.introductions.discard(self)
        if self._patience is not None:
            self._patience.cancel()
