"""How ``relaysim serve`` ends - after a signal, in order and in time, with its result - and its
memory with many connections.
"""

from __future__ import annotations

import resource
import signal
import time
from contextlib import ExitStack

import pytest

from sim.live import Timeouts
from tests.live.peer import EHLO, MESSAGE, OPEN, Peer
from tests.live.served import Served, served
from tests.real_time import takes_less_than

PLAIN = ("--tls", "none")

SECONDS = 5
"""The most seconds until it ends."""
LEAVING_S = Timeouts().leaving / 1_000_000
"""The most seconds for an open transaction to finish."""

NO_LIMITS = ("--set", "policy.use=unlimited")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    "network", [(), ("--set", "network.rtt=20ms")], ids=["at once", "held back"]
)
def test_a_signal_lets_a_message_in_flight_finish_and_writes_the_result(number, network, alone):
    def ends() -> float:
        with served(*PLAIN, *network) as relay, Peer(relay.port) as busy, Peer(relay.port) as idle:
            assert busy.logged_in().ask(OPEN, 3) == [250, 250, 354]
            busy.say(b"Subject: x\r\n\r\nhal")
            begun = time.monotonic()
            relay.process.send_signal(number)
            assert idle.codes(1) == [421]
            assert idle.rest() == b""
            busy.say(b"f\r\n.\r\n")
            answers = busy.codes(2)
            status, result = relay.ended()
            took = time.monotonic() - begun
        assert (status, result["ended"], result["incidents"]["total"]) == (0, "settled", 0)
        if took < LEAVING_S:
            assert (answers, result["messages"]["accepted"]) == ([250, 421], 1)
        return took

    takes_less_than(LEAVING_S, ends, alone)


def test_a_message_that_never_finishes_is_not_waited_for(alone):
    def ends() -> float:
        with served(*PLAIN) as relay, Peer(relay.port) as peer:
            assert peer.logged_in().ask(OPEN, 3) == [250, 250, 354]
            begun = time.monotonic()
            status, result = relay.stopped()
            took = time.monotonic() - begun
        assert (status, result["messages"]["accepted"]) == (0, 0)
        return took

    takes_less_than(SECONDS, ends, alone)


def test_peers_that_do_not_read_or_are_in_a_handshake_are_not_waited_for(alone):
    def ends() -> float:
        with served() as relay, Peer(relay.port) as deaf, Peer(relay.port) as shaking:
            assert shaking.ask(EHLO + b"STARTTLS\r\n", 2) == [250, 220]
            shaking.say(b"\x16\x03\x01")
            deaf.sock.settimeout(0.2)
            with pytest.raises((TimeoutError, ConnectionError)):
                deaf.sock.sendall(b"HELP\r\n" * 5_000_000)
            begun = time.monotonic()
            assert relay.stopped()[0] == 0
            return time.monotonic() - begun

    takes_less_than(SECONDS, ends, alone)


def test_two_thousand_idle_connections_cost_little_and_hold_nobody_up():
    raised(5_000)
    with served(*PLAIN, *NO_LIMITS) as relay, ExitStack() as stack:
        sends(relay, 1)
        before = relay.memory()
        for number in range(2_000):
            stack.enter_context(Peer(relay.port, source=f"127.0.{number % 200}.{2 + number % 250}"))
        assert relay.memory() - before < 2_000 * 40_000
        begun = time.monotonic()
        sends(relay, 10)
        took = time.monotonic() - begun
        status, result = relay.stopped()
    assert status == 0
    assert took < 10
    assert result["connections"]["peak_open"] >= 2_000
    assert result["messages"]["accepted"] + result["messages"]["duplicated"] == 11


def test_memory_is_bounded_whatever_is_sent():
    with served(*PLAIN, *NO_LIMITS) as relay:
        sends(relay, 20)
        before = relay.memory()
        with Peer(relay.port) as endless, Peer(relay.port) as huge:
            assert huge.logged_in().ask(OPEN, 3) == [250, 250, 354]
            for _ in range(1_000):
                endless.say(b"A" * 65_536)  # 65 MB without a line end
                huge.say((b"x" * 998 + b"\r\n") * 64)  # 64 MB of one message
            assert endless.ask(b"\r\n") == [500]
            assert huge.ask(b".\r\n") == [552]
        for _ in range(100):
            with Peer(relay.port) as peer:
                peer.say(EHLO + b"AUTH PLAIN " + b"A" * 12_000 + b"\r\n" + b"NOOP\r\n" * 100).codes(
                    102
                )
        assert relay.memory() - before < 20_000_000
        assert relay.stopped()[1]["messages"]["accepted"] == 1


def sends(relay: Served, messages: int) -> None:
    """Sends this many copies of a message to one recipient: one is accepted and the others are
    duplicates of it.
    """
    with Peer(relay.port) as peer:
        peer.logged_in()
        for _ in range(messages):
            assert peer.ask(MESSAGE, 4) == [250, 250, 354, 250]


def raised(number: int) -> None:
    """Raises this process's limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(number, hard), hard))
