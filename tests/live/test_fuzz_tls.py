"""Random conversations and handshakes over TLS: the live relay answers as the pure Wire does.

A sender can send commands in the clear first. It begins TLS with STARTTLS or at once, and is then
cut short, corrupted, or followed by random octets at a random place. The decrypted replies must
equal those of a Wire that gets the same complete commands. Octets that are not TLS are never a
command, the connection ends, and the relay's loop sees no exception. Runs for half of
``RELAYSIM_FUZZ_SECONDS``; see ``test_fuzz``.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import sim.live
from sim.relay.wire import Wire
from tests.live.peer import Peer, until
from tests.live.test_fuzz import counts, expected
from tests.relay.test_wire_fuzz import CUTS, conversations, pieces
from tests.relay.wire_talk import EHLO, IP, MESSAGE, PLAIN, Seen
from tests.relay.wire_talk import relay as pure_relay

SECONDS = float(os.environ.get("RELAYSIM_FUZZ_SECONDS", "0")) / 2
BATCH = 50
"""Conversations per seed."""

STARTTLS = b"STARTTLS\r\n"
RECORDS = range(20, 25)
"""The first octet of a TLS record: its type (RFC 8446 section 5.1, and heartbeats)."""

NETWORKS: dict[str, dict[str, Any] | None] = {
    "at once": None,
    "held back": {"rtt": "1ms", "relay_time": "0.2ms"},
}


class Script(NamedTuple):
    """The actions of a sender.

    ``before`` is sent in the clear; None means TLS from the start. ``injected`` is sent in the
    clear together with STARTTLS. ``spoil`` is how the first flight of the handshake is corrupted at
    ``place``, and ``end`` is how the connection ends after the ``parts`` in TLS.
    """

    before: bytes | None
    injected: bytes
    version: ssl.TLSVersion
    spoil: str
    place: int
    parts: list[bytes]
    end: str
    junk: bytes


class Relay(NamedTuple):
    """One relay for all conversations, and the exceptions of its loop."""

    running: sim.live.Running
    held: bool
    errors: list[dict[str, Any]]


@pytest.fixture(scope="module", params=NETWORKS)
def relay(request: pytest.FixtureRequest) -> Iterator[Relay]:
    with sim.live.running(tls="starttls", tls_port=0, network=NETWORKS[request.param]) as running:
        errors: list[dict[str, Any]] = []
        running.call(
            lambda: running.live.loop.set_exception_handler(
                lambda loop, context: errors.append(context)
            )
        )
        yield Relay(running, request.param == "held back", errors)


JUNK = st.binary(min_size=1, max_size=40) | st.sampled_from(
    [
        EHLO + PLAIN + MESSAGE,
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"\x15\x03\x03\x00\x02\x01\x00",
        b"\x17\x03\x03\x00\x20" + b"x" * 32,
        b"\x17\x03\x03\xff\xff" + b"x" * 50,
        b"\x16\x03\x01\x00\x01\x00",
        b"\x16\x03\x03\x00\x04\x01\x00\x00\x00",
        b"\x14\x03\x03\x00\x01\x01" * 40,
        b"\x80\x2e\x01\x00\x02",
        b"GET / HTTP/1.1\r\n\r\n",
    ]
)
"""Alerts, random records, repeated ChangeCipherSpec, a hello of SSL 2, and another protocol."""


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Most scripts complete the handshake and send commands in TLS."""
    before: bytes | None = None
    if draw(st.booleans()):
        words = [
            EHLO,
            b"NOOP\r\n",
            b"HELP\r\n",
            b"MAIL FROM:<a@b>\r\n",
            b"nonsense\r\n",
            b"RSET\r\n",
            b"AUTH PLAIN ====\r\n",
        ]
        before = b"".join(draw(st.lists(st.sampled_from(words), max_size=4))) + EHLO
    injected = (
        draw(
            st.just(b"")
            | st.just(b"")
            | st.sampled_from([EHLO + PLAIN + MESSAGE, b"NOOP\r\n", b"NO"])
        )
        if before
        else b""
    )
    spoil = draw(st.sampled_from(["", "", "", "", "before", "truncated", "changed", "behind"]))
    end = draw(st.sampled_from(["half", "notify", "junk", "truncated", "changed", "reset"]))
    return Script(
        before,
        injected,
        draw(st.sampled_from([ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])),
        spoil,
        draw(st.integers(0, 700)),
        pieces(draw(conversations()), draw(CUTS)),
        end,
        draw(JUNK),
    )


class Tls:
    """The sender's side of TLS over a Peer. Checks no certificate, because the tests are about the
    octets inside.
    """

    def __init__(self, peer: Peer, version: ssl.TLSVersion) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        self.peer = peer
        self.came = b""
        self._said = b""
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self.object = context.wrap_bio(self._in, self._out)

    def shake(self, script: Script) -> bool:
        """Returns whether the handshake is complete. It never is if its first flight is corrupted;
        then nothing more is sent.
        """
        while True:
            try:
                self.object.do_handshake()
                self.peer.say(self._out.read())
                return True
            except ssl.SSLWantReadError:
                flight = self._out.read()
            except ssl.SSLError:
                self.peer.say(self._out.read())
                return False
            if script.spoil:
                self.peer.say(spoilt(flight, script)).half_close()
                return False
            self.peer.say(flight)
            piece = self.peer.piece()
            self.came += piece
            if not piece:
                return False
            self._in.write(piece)

    def encrypted(self, plain: bytes) -> bytes:
        if plain:
            self.object.write(plain)
        return self._out.read()

    def goodbye(self) -> bytes:
        # octets that have arrived; after unwrap the library would reject them
        self._read()
        with suppress(ssl.SSLError):
            self.object.unwrap()
        return self._out.read()

    def decrypted(self, octets: bytes) -> bytes:
        """Everything that was decrypted, including these last ``octets``, until TLS ends or octets
        follow that are not TLS.
        """
        self._in.write(octets)
        self._in.write_eof()
        self._read()
        return self._said

    def _read(self) -> None:
        with suppress(ssl.SSLError):
            while piece := self.object.read(65_536):
                self._said += piece


def spoilt(flight: bytes, script: Script) -> bytes:
    """The first flight, corrupted as the script defines."""
    at = script.place % len(flight)
    return {
        "before": script.junk + flight,
        "behind": flight + script.junk,
        "truncated": flight[:at],
        "changed": flight[:at] + bytes([flight[at] ^ 0x41]) + flight[at + 1 :],
    }[script.spoil]


def judged(script: Script) -> tuple[bytes, bytes, Seen]:
    """The replies of a pure Wire in the clear and in TLS, if the handshake completes."""
    seen = Seen()
    wire = Wire(pure_relay(seen).connect(IP, 0, secure=script.before is None))
    clear = wire.greeting(0)
    if script.before is not None:
        clear += wire.receive(script.before + STARTTLS, 1)
        assert wire.starttls
        wire.tls_started(1)
    else:
        clear, greeting = b"", clear
    written = wire.receive(b"".join(script.parts), 1)
    return clear, written if script.before is not None else greeting + written, seen


def played(relay: sim.live.Running, script: Script, clear: bytes) -> tuple[bool, bytes, bytes]:
    """Whether the handshake completed, the replies in TLS, and if it did not complete, all octets
    that came back.
    """
    with Peer(relay.tls_port if script.before is None else relay.port, greeted=False) as peer:
        tls = Tls(peer, script.version)
        try:
            if script.before is not None:
                peer.say(script.before + STARTTLS + script.injected)
                assert peer.exactly(len(clear)) == clear
            if not tls.shake(script):
                peer.half_close()
                return False, b"", tls.came + peer.rest()
        except OSError:
            return False, b"", tls.came + peer.rest()
        try:
            for part in script.parts:
                peer.say(tls.encrypted(part))
            ended(peer, tls, script)
        except OSError:  # the relay has closed after a QUIT or a refusal
            pass
        return True, b"" if script.end == "reset" else tls.decrypted(peer.rest()), b""


def ended(peer: Peer, tls: Tls, script: Script) -> None:
    """Ends the sender's side as the script defines."""
    if script.end == "reset":
        peer.reset()
        return
    last = tls.encrypted(b"NOOP\r\n") if script.end in ("truncated", "changed") else b""
    match script.end:
        case "notify":
            last = tls.goodbye()
        case "junk":
            last = script.junk
        case "truncated":
            last = last[: 1 + len(script.junk) % (len(last) - 1)]
        case "changed":
            last = last[:-1] + bytes([last[-1] ^ 1])
    peer.say(last).half_close()


def check(relay: Relay, script: Script) -> None:
    running = relay.running
    clear, written, seen = judged(script)
    running.forget()
    before = counts(running.result())
    up, came, raw = played(running, script, clear)
    until(lambda: running.call(lambda: len(running.live.connections)) == 0, f"gone after {script}")
    counted = tuple(now - then for now, then in zip(counts(running.result()), before, strict=True))
    assert not relay.errors, (script, relay.errors)
    assert raw == b"" or raw[0] in RECORDS, (script, raw)
    whole = up and not script.injected and script.end != "reset"
    if whole or came:
        # With delays, replies that are due when TLS breaks cannot be encrypted any more.
        owed = relay.held and script.end in ("junk", "changed")
        assert written.startswith(came) if owed else came == written, (script, came, written)
        assert counted == expected(seen), script
    elif not up:
        assert not any(counted), (script, counted)
    else:
        assert all(now <= most for now, most in zip(counted, expected(seen), strict=True)), (
            script,
            counted,
        )


def test_the_byte_door_behind_tls_is_the_pure_one(relay):
    end = time.monotonic() + SECONDS / len(NETWORKS)
    number = 0
    while number == 0 or time.monotonic() < end:
        batch(relay, number)
        number += 1


def batch(relay: Relay, number: int) -> None:
    """Checks the conversations of one seed. The first batch is the same in every run."""

    @seed(number if not SECONDS else time.time_ns())
    @settings(
        max_examples=BATCH,
        derandomize=False,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(scripts())
    def drawn(script: Script) -> None:
        check(relay, script)

    drawn()
