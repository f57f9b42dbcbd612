"""The transport compared with asyncio's: for each behaviour of the peer the protocol gets the same
calls.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

import pytest

from sim.live.transport import HIGH, SocketTransport
from tests.live.peer import PATIENCE


class Told(asyncio.Protocol):
    """Records the calls that it gets. ``does`` is called with each piece of data."""

    def __init__(
        self, does: Callable[[asyncio.Transport, bytes], None] | None = None, *, half: bool = False
    ) -> None:
        self.told: list[str] = []
        self.does = does
        self.half = half
        self.transport: asyncio.Transport
        self.octets = b""
        self.lost = asyncio.Event()

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.octets += data
        if self.does:
            self.does(self.transport, data)

    def eof_received(self) -> bool:
        self.told.append("eof")
        return self.half

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, error: Exception | None) -> None:
        self.told.append("lost" if error is None else f"lost by {type(error).__name__}")
        self.lost.set()


async def ours(connected: socket.socket, protocol: Told) -> None:
    SocketTransport(
        asyncio.get_running_loop(), connected, connected.getpeername(), protocol
    ).start()


async def theirs(connected: socket.socket, protocol: Told) -> None:
    await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connected)


def pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        peer = socket.create_connection(listening.getsockname())
        connected, _ = listening.accept()
    for each in (peer, connected):
        each.setblocking(False)
    return peer, connected


async def all_of(peer: socket.socket) -> bytes:
    """Everything that arrives, to the end."""
    loop = asyncio.get_running_loop()
    found = b""
    while data := await loop.sock_recv(peer, 65_536):
        found += data
    return found


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


async def run(start, protocol: Told, act) -> list[str]:
    peer, connected = pair()
    try:
        await start(connected, protocol)
        await asyncio.wait_for(act(peer, protocol), PATIENCE)
        await asyncio.wait_for(protocol.lost.wait(), PATIENCE)
    finally:
        peer.close()
    assert connected.fileno() == -1
    return protocol.told


async def says_and_ends(peer, protocol):
    await asyncio.get_running_loop().sock_sendall(peer, b"abc")
    peer.shutdown(socket.SHUT_WR)
    assert await all_of(peer) == b""


async def closes_upon_a_word(peer, protocol):
    protocol.does = lambda transport, data: (
        transport.write(data.upper()),
        transport.close(),
        transport.write(b"late"),
    )
    await asyncio.get_running_loop().sock_sendall(peer, b"abc")
    assert await all_of(peer) == b"ABC"


async def resets(peer, protocol):
    await asyncio.get_running_loop().sock_sendall(peer, b"abc")
    while protocol.octets != b"abc":
        await asyncio.sleep(0.001)
    reset(peer)


async def reads_late(peer, protocol):
    """Sends much more than the kernel takes: the protocol is asked to pause and to resume, and
    everything arrives in order.
    """
    whole = bytes(range(256)) * (20 * HIGH // 256) * 8
    protocol.transport.write(whole)
    assert protocol.told[-1] == "pause"
    protocol.transport.write(b"!")
    protocol.transport.close()
    assert await all_of(peer) == whole + b"!"


async def half_closes(peer, protocol):
    protocol.half = True
    peer.shutdown(socket.SHUT_WR)
    while "eof" not in protocol.told:
        await asyncio.sleep(0.001)
    protocol.transport.write(b"still here")
    protocol.transport.write_eof()
    assert await all_of(peer) == b"still here"
    protocol.transport.close()


async def aborts(peer, protocol):
    protocol.transport.write(b"x" * 8 * HIGH * 8)
    protocol.transport.abort()
    protocol.transport.abort()


@pytest.mark.parametrize(
    "act", [says_and_ends, closes_upon_a_word, resets, reads_late, half_closes, aborts]
)
def test_a_protocol_is_told_what_asyncio_would_tell(act):
    told = [asyncio.run(run(start, Told(), act)) for start in (ours, theirs)]
    assert told[0] == told[1]


def test_a_mistake_of_the_protocol_closes_the_connection():
    def fails(transport, data):
        raise ValueError("ours")

    seen = []

    async def act(peer, protocol):
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: seen.append(context["exception"])
        )
        await asyncio.get_running_loop().sock_sendall(peer, b"abc")

    assert asyncio.run(run(ours, Told(fails), act)) == ["made", "lost by ValueError"]
    assert [type(error) for error in seen] == [ValueError]


def test_nothing_is_read_while_paused():
    async def act(peer, protocol):
        protocol.transport.pause_reading()
        await asyncio.get_running_loop().sock_sendall(peer, b"abc")
        await asyncio.sleep(0.05)
        assert (protocol.octets, protocol.transport.is_reading()) == (b"", False)
        protocol.transport.resume_reading()
        while protocol.octets != b"abc":
            await asyncio.sleep(0.001)
        protocol.transport.close()
        protocol.transport.resume_reading()
        assert protocol.transport.is_closing()

    assert asyncio.run(run(ours, Told(), act)) == ["made", "lost"]
