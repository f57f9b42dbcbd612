"""The transport of one connection: a non-blocking socket in an asyncio loop.

``SocketTransport`` behaves as asyncio's own: octets that cannot be sent at once are sent as the
peer reads, and the protocol is asked to pause if too many of them wait. Knows no protocol.
"""

# Why not asyncio's own transport, or uvloop? Both were measured with tests/benchmarks/live.py: CPU
# time of the relay per message relative to this transport and the accept loop of listeners.py.
# Medians of the ratios of 8 alternating rounds, 6,000 messages each, on two busy shared cores:
#
#                                    this one   asyncio's   uvloop
#     one message per connection        1.00       1.32       0.86
#     kept connections                  1.00       1.02       0.86
#     five per connection, login        1.00       1.13       0.90
#
# asyncio's needs a task, a future and several calls of the loop for each accepted connection.
# uvloop is cheaper, but its timers have whole milliseconds: of 400, 59 fired early, by up to
# 0.4 ms. DelayedConnection relies on timers that never fire early; asyncio's did not.

from __future__ import annotations

import asyncio
import socket
from typing import Any

READ = 65_536
"""The most octets of one read."""
HIGH = 65_536
LOW = 16_384
"""Octets that wait to be sent. Above HIGH the protocol is asked to pause, below LOW to resume."""


class SocketTransport(asyncio.Transport):
    """Call ``start`` once. ``peer`` is the peer's address as ``accept`` returned it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connected: socket.socket,
        peer: Any,
        protocol: asyncio.Protocol,
    ) -> None:
        self._loop = loop
        self._socket = connected
        self._peer = peer
        self._protocol = protocol
        self._number = connected.fileno()
        self._waiting = bytearray()
        self._reading = self._paused = self._closing = self._gone = self._ends = False

    def start(self) -> None:
        """Calls the protocol's ``connection_made``, then starts to read."""
        self._protocol.connection_made(self)
        self.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``peername``, ``sockname`` or ``socket``."""
        if name == "peername":
            return self._peer
        if name == "sockname":
            return default if self._gone else self._socket.getsockname()
        return self._socket if name == "socket" else default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Sets the protocol that receives all further calls."""
        assert isinstance(protocol, asyncio.Protocol), "the transport calls data_received"
        self._protocol = protocol

    def get_protocol(self) -> asyncio.Protocol:
        """The current protocol."""
        return self._protocol

    def is_closing(self) -> bool:
        """Whether it is closed, or closes after the last octet is sent."""
        return self._closing

    def is_reading(self) -> bool:
        """Whether it reads."""
        return self._reading

    def pause_reading(self) -> None:
        """Stops reading until ``resume_reading``."""
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._number)

    def resume_reading(self) -> None:
        """Reads again."""
        if not (self._reading or self._closing):
            self._reading = True
            self._loop.add_reader(self._number, self._read)

    def get_write_buffer_size(self) -> int:
        """The number of octets that wait to be sent."""
        return len(self._waiting)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Sends as much as possible at once, and the rest as the peer reads."""
        if self._closing or self._ends:
            return
        if not self._waiting:
            try:
                sent = self._socket.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError as error:
                self._fail(error)
                return
            if sent == len(data):
                return
            data = data[sent:]
            self._loop.add_writer(self._number, self._send)
        self._waiting += data
        if len(self._waiting) > HIGH and not self._paused:
            self._paused = True
            self._protocol.pause_writing()

    def can_write_eof(self) -> bool:
        """Always true."""
        return True

    def write_eof(self) -> None:
        """Ends the sending side after the last octet is sent. Still reads."""
        if not (self._ends or self._closing):
            self._ends = True
            if not self._waiting:
                self._shut()

    def close(self) -> None:
        """Closes the connection after the last octet is sent."""
        if self._closing:
            return
        self.pause_reading()
        self._closing = True
        if not self._waiting:
            self._loop.call_soon(self._finish, None)

    def abort(self) -> None:
        """Closes the connection at once."""
        self._fail(None)

    def _read(self) -> None:
        try:
            data = self._socket.recv(READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._fail(error)
            return
        try:
            if data:
                self._protocol.data_received(data)
                return
            self.pause_reading()
            if not self._protocol.eof_received():
                self.close()
        except BaseException as error:
            self._fail(error if isinstance(error, Exception) else None)
            raise

    def _send(self) -> None:
        try:
            sent = self._socket.send(self._waiting)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._fail(error)
            return
        del self._waiting[:sent]
        if self._paused and len(self._waiting) < LOW:
            self._paused = False
            self._protocol.resume_writing()
        if self._waiting or self._gone:
            return
        self._loop.remove_writer(self._number)
        if self._closing:
            self._finish(None)
        elif self._ends:
            self._shut()

    def _shut(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as error:  # the peer is gone already
            self._fail(error)

    def _fail(self, error: Exception | None) -> None:
        """Discards the octets that wait to be sent, and closes the connection."""
        if self._gone:
            return
        if self._waiting:
            self._waiting.clear()
            self._loop.remove_writer(self._number)
        self.pause_reading()
        self._closing = True
        self._loop.call_soon(self._finish, error)

    def _finish(self, error: Exception | None) -> None:
        if self._gone:
            return
        self._gone = True
        try:
            self._protocol.connection_lost(error)
        finally:
            self._socket.close()
