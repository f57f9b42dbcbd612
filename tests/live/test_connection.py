"""A connection works with only a Context and a registry."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

from sim.live.connection import Connection, OpenConnections
from sim.live.context import Clock, Context
from sim.live.deliveries import DeliveryLog
from sim.live.network import LiveNetwork
from sim.measure import StreamingRecorder
from sim.relay import Relay, load
from sim.scenario.schema import Faults, Network


class FakeTransport:
    """Keeps what is written and whether the connection is closed."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def get_extra_info(self, name: str) -> Any:
        return None

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


def test_a_connection_on_a_context_of_a_few_fields():
    policy = load("mailersend", {}, "test", Path())
    recorder = StreamingRecorder(policy, 0)
    relay = Relay(policy, recorder, lambda username, password, at: True, login_required=False)
    network = LiveNetwork(Network(rtt=0, jitter=0, relay_time=0), Faults())
    context = Context(relay, network, Clock(), DeliveryLog(recorder, None))
    connections = OpenConnections()
    transport = FakeTransport()
    connection = Connection(context, connections, implicit=False)
    connection.begin(cast(asyncio.Transport, transport), "127.0.0.1")
    assert len(connections) == 1
    for line in (b"EHLO test", b"MAIL FROM:<a@b.example>", b"RCPT TO:<c@d.example>", b"DATA"):
        connection.data_received(line + b"\r\n")
    connection.data_received(b"Subject: Hi\r\n\r\nHi.\r\n.\r\nQUIT\r\n")
    codes = [line[:3] for line in transport.written.decode().splitlines() if line[3:4] != "-"]
    assert codes == ["220", "250", "250", "250", "354", "250", "221"]
    assert recorder.accepted_count == 1
    assert transport.closed
    connection.connection_lost(None)
    assert len(connections) == 0
