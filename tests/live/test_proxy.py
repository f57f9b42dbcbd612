"""The PROXY protocol: its header octet by octet, and a relay that judges by the address in it."""

from __future__ import annotations

import smtplib
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as some

import sim.live
from sim.live.proxy_protocol import SIGNATURE, Header, header
from tests.live.peer import PATIENCE

V4 = struct.pack(">4s4sHH", bytes([198, 18, 0, 7]), bytes([127, 0, 0, 1]), 4711, 25)
V6 = bytes(15) + b"\x01" + bytes(15) + b"\x02" + struct.pack(">HH", 1, 2)


def binary(command: int, family: int, addresses: bytes, more: bytes = b"") -> bytes:
    return (
        SIGNATURE
        + bytes([0x20 | command, family])
        + struct.pack(">H", len(addresses + more))
        + addresses
        + more
    )


GOOD = [
    (b"PROXY TCP4 198.18.0.7 127.0.0.1 4711 25\r\n", "198.18.0.7"),
    (b"PROXY TCP6 2001:db8::7 ::1 0 65535\r\n", "2001:db8::7"),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN ffff:f...f:ffff whatever 65535 65535\r\n", None),
    (binary(1, 0x11, V4), "198.18.0.7"),
    (binary(1, 0x21, V6, b"\x04\x00\x01x"), "::1"),
    (binary(0, 0x00, b""), None),
    (binary(0, 0x11, V4), None),
    (binary(1, 0x00, b""), None),
    (binary(1, 0x31, bytes(216)), None),
]
BAD = [
    b"EHLO x\r\n",
    b"PROXY TCP4 198.18.0.7 127.0.0.1 4711\r\n",
    b"PROXY TCP4 ::1 ::1 1 2\r\n",
    b"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
    b"PROXY TCP4 198.18.0.7 127.0.0.1 04711 25\r\n",
    b"PROXY TCP4 198.18.0.7 127.0.0.1 65536 25\r\n",
    b"PROXY TCP4 198.18.0.300 127.0.0.1 1 2\r\n",
    b"PROXY " + b"x" * 200,
    b"\r\n\r\nQUIT",
    SIGNATURE + b"\x11\x11\x00\x00",
    SIGNATURE + b"\x22\x11\x00\x00",
    binary(1, 0x11, V4[:8]),
    binary(1, 0x41, V4),
    binary(1, 0x13, V4),
]


@pytest.mark.parametrize(("octets", "ip"), GOOD)
def test_a_header_is_read_however_it_is_cut_and_whatever_follows(octets, ip):
    for cut in range(len(octets)):
        assert header(octets[:cut]) is None
    assert header(octets) == header(octets + b"EHLO x\r\n") == Header(len(octets), ip)


@pytest.mark.parametrize("octets", BAD)
def test_what_is_no_header_is_refused(octets):
    with pytest.raises(ValueError):
        header(octets)


@given(some.binary(max_size=300))
def test_any_octets_are_taken(octets):
    try:
        found = header(octets)
    except ValueError:
        return
    assert found is None or found.length <= len(octets)


def greeting(relay: sim.live.Running, octets: bytes) -> bytes:
    with socket.create_connection((relay.host, relay.port), timeout=PATIENCE) as connection:
        connection.sendall(octets)
        return connection.makefile("rb").readline()


def test_connections_are_counted_by_the_address_that_the_proxy_tells():
    policy = {"use": "mailersend", "connections_per_ip": 2}
    with sim.live.running(policy=policy, tls="none", proxy_protocol=True) as relay:
        told = [
            greeting(relay, b"PROXY TCP4 198.18.0.%d 127.0.0.1 1 25\r\n" % (number % 2))
            for number in range(6)
        ]
        assert [line[:3] for line in told] == [b"220"] * 4 + [b"421"] * 2
        assert greeting(relay, binary(1, 0x11, V4) + b"QUIT\r\n")[:3] == b"220"
        assert (
            greeting(relay, b"EHLO me.example\r\n") == b""
        )  # no header: no connection, and nothing is counted
        result = relay.result()
    assert (result.connections.opened, result.connections.refused) == (7, 2)
    assert {entry.ip for entry in result.incidents.log} == {"198.18.0.0", "198.18.0.1"}


def test_a_header_that_does_not_come_ends_the_connection():
    with sim.live.running(
        tls="none", proxy_protocol=True, timeouts=sim.live.Timeouts(handshake=100_000)
    ) as relay:
        assert greeting(relay, b"PROXY TCP4 ") == b""
        assert relay.call(lambda: len(relay.live.introductions)) == 0
        assert relay.result().connections.opened == 0


def test_implicit_tls_begins_behind_the_header():
    with sim.live.running(tls="implicit", proxy_protocol=True, network={"rtt": "2ms"}) as relay:

        class Behind(smtplib.SMTP_SSL):
            def _get_socket(self, host, port, timeout):
                plain = socket.create_connection((host, port), timeout)
                plain.sendall(b"PROXY TCP4 198.18.0.9 127.0.0.1 1 25\r\n")
                return self.context.wrap_socket(plain, server_hostname=host)

        import ssl

        with Behind(
            "127.0.0.1",
            relay.port,
            timeout=PATIENCE,
            context=ssl.create_default_context(cafile=str(relay.certificate)),
        ) as client:
            assert client.login("u", "p")[0] == 235
        assert relay.call(lambda: relay.live.tally.ips) == {"198.18.0.9"}


def test_connections_from_other_addresses_of_loopback_are_other_ips():
    with sim.live.running(
        policy={"use": "mailersend", "connections_per_ip": 1}, tls="none"
    ) as relay:
        codes = []
        for last in (2, 2, 3, 3):
            with socket.create_connection(
                (relay.host, relay.port), timeout=PATIENCE, source_address=(f"127.0.0.{last}", 0)
            ) as connection:
                codes.append(connection.makefile("rb").readline()[:3])
        assert codes == [b"220", b"421"] * 2
