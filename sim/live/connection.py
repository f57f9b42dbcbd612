"""One TCP connection of the live relay: octets from asyncio to the Wire and back, TLS between them,
nothing held back.

Knows nothing of limits or of delays (``delayed`` adds those), and of SMTP only when to begin TLS
and when to close.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from ..relay.session import AnySession, Session
from ..relay.wire import Wire
from ..smtp.replies import reply
from ..smtp.states import IN_TRANSACTION
from .tls import Tls
from .way import DroppingSession

if TYPE_CHECKING:
    from .door import Door

QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)
"""Linux's; elsewhere acknowledgements come when they come."""

LEAVING = reply(421, "4.3.2", "This relay is stopping")
"""To whoever is connected when the relay stops (RFC 5321 4.2.3)."""
TOO_SLOW = reply(421, "4.4.2", "Waited too long")
"""To a peer that keeps the relay waiting (RFC 5321 4.5.3.2; RFC 3463 X.4.2: bad connection)."""


class Connection(asyncio.Protocol):
    """The relay's side of a connection. ``implicit``: TLS comes before anything else."""

    def __init__(self, door: Door, *, implicit: bool) -> None:
        self.door = door
        self.implicit = implicit
        self.transport: asyncio.Transport | None = None
        self.session: Session | None = None
        self.wire: Wire | None = None
        self.heard_at = 0  # when it last got on: a whole command, or a piece of a body
        self.leaving = False
        self.lingers_since: int | None = None
        self.unread_since: int | None = None
        self._tls: Tls | None = None
        self._greeting = b""  # waits for TLS

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP has accepted it."""
        peer = transport.get_extra_info("peername")
        if peer is None:  # gone already
            cast(asyncio.Transport, transport).abort()
            return
        self.begin(cast(asyncio.Transport, transport), peer[0])

    def begin(self, transport: asyncio.Transport, ip: str) -> None:
        """It comes from ``ip``."""
        door = self.door
        self.transport, self.heard_at = transport, door.clock.now()
        if door.settings.shuns(transport.get_extra_info("sockname")):
            transport.abort()
            return
        door.connections.add(self)
        if self.implicit:
            self._tls = Tls(door.tls_context)
        self._begin(ip)

    def data_received(self, data: bytes) -> None:
        """Octets of the peer's."""
        if self._tls is None:
            self._take(data)
        else:
            self._take_encrypted(self._tls, data)

    def eof_received(self) -> bool:
        """The peer says no more; what it is still owed is written before the connection closes."""
        self._end()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self.transport = None
        self._end()

    def pause_writing(self) -> None:
        """The peer does not read: neither does the relay, until it does."""
        self.unread_since = self.door.clock.now()
        if self.transport is not None:
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self.unread_since = None
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    # What the door calls.

    def leave(self) -> None:
        """The relay stops: a transaction in flight may finish, anything else ends now."""
        self.leaving = True
        self._leave_if_idle()

    def time_out(self, now: int) -> None:
        """The peer has kept the relay waiting for too long."""
        self._say_last(TOO_SLOW.encode(), now)

    def kill(self, now: int) -> None:
        """The relay goes away."""
        self.abort(now)

    def abort(self, now: int) -> None:
        """The connection dies at once and without a word."""
        if self.wire is not None:
            self.wire.eof(now)
        if self.transport is not None:
            self.transport.abort()

    @property
    def in_transaction(self) -> bool:
        """Whether a message is under way."""
        return self.session is not None and self.session.state in IN_TRANSACTION

    @property
    def in_handshake(self) -> bool:
        """Whether TLS has begun and is not up."""
        return self._tls is not None and not self._tls.up

    # How octets go in and out.

    def _begin(self, ip: str) -> None:
        now = self.heard_at
        greeting = self._open(ip, now)
        if self.implicit:
            self._greeting = greeting
            return
        self._write(greeting)
        self._heed()

    def _open(self, ip: str, now: int) -> bytes:
        """The relay judges the connection; returns the greeting."""
        door = self.door
        self.session = session = door.relay.connect(ip, now, secure=self.implicit)
        handles: AnySession = session
        if door.way.faults.drop_connection:
            handles = DroppingSession(session, door.way)
        self.wire = Wire(handles, door.notes, door.kept_of_body)
        return self.wire.greeting(now)

    def _take(self, data: bytes) -> None:
        wire = self.wire
        session = self.session
        if wire is None or session is None:
            return
        now = self.door.clock.now()
        answer = wire.receive(data, now)
        if answer:
            self.heard_at = now
            self._write(answer)
        else:
            if self.in_transaction:
                self.heard_at = now
            self._acknowledge()
        if session.closed or wire.dropped or wire.starttls or self.leaving:
            self._heed()

    def _acknowledge(self) -> None:
        """Has the kernel acknowledge a part that no answer follows: a sender with Nagle's algorithm
        (RFC 1122 4.2.3.4) sends the rest only then, and an acknowledgement that waits for company
        would cost it 40 ms.
        """
        known = (
            None
            if QUICK_ACK is None or self.transport is None
            else self.transport.get_extra_info("socket")
        )
        if known is not None:
            with suppress(OSError):
                known.setsockopt(socket.IPPROTO_TCP, QUICK_ACK, 1)

    def _heed(self) -> None:
        """Does what the wire wants done once its answer is written."""
        wire = self.wire
        if wire is None:
            return
        if wire.closed:
            self._close(abort=wire.dropped, linger=not wire.goodbye)
        elif wire.starttls and self._tls is None:
            self._tls = Tls(self.door.tls_context)
        elif self.leaving:
            self._leave_if_idle()

    def _take_encrypted(self, tls: Tls, data: bytes) -> None:
        if not self._hears():
            return
        tls.feed(data)
        if not tls.up:
            done = tls.shake()
            self._write_flight(tls.written(), handshake=not (done or tls.ended))
            if done:
                self._tls_is_up()
        while self._hears() and (plain := tls.read()):
            self._take(plain)
        self._write_raw(tls.written())
        if tls.ended:
            self._end()

    def _hears(self) -> bool:
        """Whether what comes is still read, and not thrown away behind the last reply."""
        return self.lingers_since is None

    def _tls_is_up(self) -> None:
        wire = self.wire
        if wire is not None and wire.starttls:
            wire.tls_started(self.door.clock.now())
        greeting = self._greeting
        self._greeting = b""
        if greeting:
            self._write(greeting)
        if self.implicit:
            self._heed()

    def _write_flight(self, flight: bytes, *, handshake: bool) -> None:
        self._write_raw(flight)

    def _write(self, plain: bytes) -> None:
        tls = self._tls
        self._write_raw(plain if tls is None or not plain else tls.give(plain))

    def _write_raw(self, data: bytes) -> None:
        if data and self.transport is not None:
            self.transport.write(data)

    def _end(self) -> None:
        """The peer is gone, or has said its last."""
        if self.wire is not None:
            self.wire.eof(self.door.clock.now())
        self._close()

    def _close(self, *, abort: bool = False, linger: bool = False) -> None:
        """Closes; with ``linger`` only behind the peer's own end, for what it sends meanwhile would
        cost it the last reply.

        (A socket that closes with octets unread is reset, and the peer's kernel may throw away what
        it has not read yet.)
        """
        transport = self.transport
        if transport is None:
            self.door.forget(self)
        elif abort:
            transport.abort()
        elif not transport.is_closing() and self.lingers_since is None:
            if self._tls is not None and self._tls.up:
                transport.write(self._tls.end())
            if linger:
                self.lingers_since = self.door.clock.now()
                transport.write_eof()
            else:
                transport.close()
        elif not linger:
            transport.close()

    def _leave_if_idle(self) -> None:
        if not self.in_transaction:
            self._say_last(LEAVING.encode(), self.door.clock.now())

    def _say_last(self, octets: bytes, now: int) -> None:
        if self.wire is None or self.wire.closed:
            self.abort(now)
            return
        if not self.in_handshake:
            self._write(octets)
        self.wire.eof(now)
        self._close(linger=True)
