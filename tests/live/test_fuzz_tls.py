"""The byte door behind TLS against conversations and handshakes that nobody would write down: it
answers as the pure Wire does.

A sender says something in the clear or nothing, begins TLS by STARTTLS or at once, and is then cut
short, spoilt or followed by octets of any kind at any place. What comes back, decrypted, is what a
Wire answers to what came whole; what is no TLS is never a command; the connection ends, and nothing
of it reaches the relay's loop as an exception. Half of ``RELAYSIM_FUZZ_SECONDS``, as in
``test_fuzz``.
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
"""Conversations of one seed."""

STARTTLS = b"STARTTLS\r\n"
RECORDS = range(20, 25)
"""How a record of TLS may begin: its type (RFC 8446 section 5.1, and heartbeats)."""

NETWORKS: dict[str, dict[str, Any] | None] = {
    "at once": None,
    "held back": {"rtt": "1ms", "relay_time": "0.2ms"},
}


class Script(NamedTuple):
    """What a sender does.

    ``before`` it says in the clear, None: TLS from the start; ``injected`` too, in one piece with
    STARTTLS. ``spoil`` is what becomes of the first octets of its handshake, at ``place``, and
    ``end`` what comes behind the ``parts`` that it says in TLS.
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
    """One relay for all conversations, and what its loop could not deal with."""

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
"""Alerts, records of nonsense, ChangeCipherSpec again and again, SSL 2's hello, and another
protocol.
"""


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Most come to TLS and say something in it."""
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
    """The sender's side of TLS over a Peer. Trusts anybody: what is tested is what comes over it."""

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
        """Whether TLS is up; never where its first flight is spoilt, behind which nothing more is
        said.
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
        # what has come already; the library would take it for something behind the end
        self._read()
        with suppress(ssl.SSLError):
            self.object.unwrap()
        return self._out.read()

    def decrypted(self, octets: bytes) -> bytes:
        """All that was said in TLS, these last ``octets`` included, up to their end or to what is
        no TLS.
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
    """What becomes of it."""
    at = script.place % len(flight)
    return {
        "before": script.junk + flight,
        "behind": flight + script.junk,
        "truncated": flight[:at],
        "changed": flight[:at] + bytes([flight[at] ^ 0x41]) + flight[at + 1 :],
    }[script.spoil]


def judged(script: Script) -> tuple[bytes, bytes, Seen]:
    """What a pure Wire answers in the clear and in TLS, where TLS comes to be."""
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
    """Whether the sender's TLS came to be; what came back in it; and where it did not, what came
    back at all.
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
        except OSError:  # the relay has closed behind a QUIT or a refusal
            pass
        return True, b"" if script.end == "reset" else tls.decrypted(peer.rest()), b""


def ended(peer: Peer, tls: Tls, script: Script) -> None:
    """The end of what the sender says."""
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
        # Held back, what is owed when TLS breaks cannot be encrypted any more.
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
    """The conversations of one seed; the first batch is the same every time."""

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
