"""One TCP connection of the live relay without simulated delays: octets from asyncio to the Wire
and back, with TLS in between.

``DelayedConnection`` adds the delays. This module knows nothing of limits, and of SMTP only when to
begin TLS and when to close.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol, cast

from ..relay.session import AnySession, Session
from ..relay.wire import Wire
from ..smtp.replies import reply
from ..smtp.states import IN_TRANSACTION
from .context import Context
from .network import DroppingSession
from .tls import Tls

QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)
"""Exists on Linux only; elsewhere the kernel decides when to acknowledge."""

LEAVING = reply(421, "4.3.2", "This relay is stopping")
"""The last reply on each connection when the relay stops (RFC 5321 4.2.3)."""
TOO_SLOW = reply(421, "4.4.2", "Waited too long")
"""The last reply to a peer that exceeded a timeout (RFC 5321 4.5.3.2; RFC 3463 X.4.2)."""


class Registry(Protocol):
    """Where connections register when they begin and sign off when they are gone. A set is one."""

    def add(self, connection: Connection, /) -> None:
        """``connection`` has begun."""

    def discard(self, connection: Connection, /) -> None:
        """``connection`` is gone, and its session has ended. Can be called more than once."""


class OpenConnections:
    """The connections that are open. ``last_heard`` is when one that is gone was last heard; None
    if none is gone yet.
    """

    def __init__(self) -> None:
        self.last_heard: int | None = None
        self._open: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._open)

    def add(self, connection: Connection, /) -> None:
        """``connection`` has begun."""
        self._open.add(connection)

    def discard(self, connection: Connection, /) -> None:
        """``connection`` is gone."""
        self._open.discard(connection)
        self.last_heard = max(connection.heard_at, self.last_heard or 0)


class Connection(asyncio.Protocol):
    """The relay's side of a connection. With ``implicit``, TLS begins before the greeting."""

    def __init__(self, context: Context, registry: Registry, *, implicit: bool) -> None:
        self.context = context
        self.implicit = implicit
        self.transport: asyncio.Transport | None = None
        self.session: Session | None = None
        self.wire: Wire | None = None
        self.heard_at = 0  # when it last made progress: a whole command, or a piece of a body
        self.leaving = False
        self.lingers_since: int | None = None
        self.unread_since: int | None = None
        self._registry = registry
        self._tls: Tls | None = None
        self._greeting = b""  # waits for TLS

    # Callbacks of asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP has accepted the connection."""
        connected = cast(asyncio.Transport, transport)
        peer = connected.get_extra_info("peername")
        if peer is None:  # gone already
            connected.abort()
            return
        self.begin(connected, peer[0])

    def begin(self, transport: asyncio.Transport, ip: str) -> None:
        """Begins the connection of a peer at ``ip``."""
        context = self.context
        self.transport = transport
        self.heard_at = context.clock.now()
        if context.only_loopback and not _is_to_loopback(transport):
            transport.abort()
            return
        self._registry.add(self)
        if self.implicit:
            self._tls = self._new_tls()
        self._begin(ip)

    def data_received(self, data: bytes) -> None:
        """The peer sent octets."""
        if self._tls is None:
            self._take(data)
        else:
            self._take_encrypted(self._tls, data)

    def eof_received(self) -> bool:
        """The peer sends no more. Replies that are still due are written before closing."""
        self._end()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self.transport = None
        self._end()

    def pause_writing(self) -> None:
        """The peer does not read its replies, so the relay reads nothing either until it does."""
        self.unread_since = self.context.clock.now()
        if self.transport is not None:
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self.unread_since = None
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    # Calls of the relay.

    def leave(self) -> None:
        """The relay stops: an open transaction can finish, otherwise the connection ends now."""
        self.leaving = True
        self._leave_if_idle()

    def time_out(self, now: int) -> None:
        """The peer exceeded a timeout."""
        self._say_last(TOO_SLOW.encode(), now)

    def kill(self, now: int) -> None:
        """The relay goes down."""
        self.abort(now)

    def abort(self, now: int) -> None:
        """Closes the connection at once, without a reply."""
        if self.wire is not None:
            self.wire.eof(now)
        if self.transport is not None:
            self.transport.abort()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self.session is not None and self.session.state in IN_TRANSACTION

    @property
    def in_handshake(self) -> bool:
        """Whether a TLS handshake has begun and is not complete."""
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
        """The relay judges the connection. Returns the greeting."""
        context = self.context
        session = context.relay.connect(ip, now, secure=self.implicit)
        self.session = session
        handles: AnySession = session
        if context.network.faults.drop_connection:
            handles = DroppingSession(session, context.network)
        self.wire = Wire(handles, context.deliveries, context.body_kept)
        return self.wire.greeting(now)

    def _take(self, data: bytes) -> None:
        wire = self.wire
        session = self.session
        if wire is None or session is None:
            return
        now = self.context.clock.now()
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
        """Makes the kernel acknowledge octets that get no reply yet.

        A sender with Nagle's algorithm (RFC 1122 4.2.3.4) sends the rest only after the
        acknowledgement, and a delayed acknowledgement would cost it 40 ms for each message.
        """
        if QUICK_ACK is None or self.transport is None:
            return
        connected = self.transport.get_extra_info("socket")
        if connected is not None:
            with suppress(OSError):
                connected.setsockopt(socket.IPPROTO_TCP, QUICK_ACK, 1)

    def _heed(self) -> None:
        """Closes the connection or begins TLS, if the wire requires it after its reply."""
        wire = self.wire
        if wire is None:
            return
        if wire.closed:
            self._close(abort=wire.dropped, linger=not wire.goodbye)
        elif wire.starttls and self._tls is None:
            self._tls = self._new_tls()
        elif self.leaving:
            self._leave_if_idle()

    def _new_tls(self) -> Tls:
        tls = self.context.tls
        assert tls is not None, "exists if the relay offers TLS"
        return Tls(tls)

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
        """Whether input is still read, not discarded because the last reply is written."""
        return self.lingers_since is None

    def _tls_is_up(self) -> None:
        wire = self.wire
        if wire is not None and wire.starttls:
            wire.tls_started(self.context.clock.now())
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

    # How it ends.

    def _end(self) -> None:
        """The peer is gone, or sends no more."""
        if self.wire is not None:
            self.wire.eof(self.context.clock.now())
        self._close()

    def _close(self, *, abort: bool = False, linger: bool = False) -> None:
        """Closes the connection. With ``linger``, waits for the peer to close first.

        A socket that closes with unread octets is reset, and the peer's kernel can then discard the
        last reply before the peer has read it.
        """
        transport = self.transport
        if transport is None:
            self._registry.discard(self)
        elif abort:
            transport.abort()
        elif not transport.is_closing() and self.lingers_since is None:
            if self._tls is not None and self._tls.up:
                transport.write(self._tls.end())
            if linger:
                self.lingers_since = self.context.clock.now()
                transport.write_eof()
            else:
                transport.close()
        elif not linger:
            transport.close()

    def _leave_if_idle(self) -> None:
        if not self.in_transaction:
            self._say_last(LEAVING.encode(), self.context.clock.now())

    def _say_last(self, octets: bytes, now: int) -> None:
        if self.wire is None or self.wire.closed:
            self.abort(now)
            return
        if not self.in_handshake:
            self._write(octets)
        self.wire.eof(now)
        self._close(linger=True)


def _is_to_loopback(transport: asyncio.Transport) -> bool:
    return str(transport.get_extra_info("sockname")[0]).startswith("127.")
