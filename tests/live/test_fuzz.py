"""Random conversations over real sockets: the live relay answers as the pure Wire does.

A conversation arrives in random pieces, with or without delays. The replies over TCP must equal
those of a Wire that gets the same octets in one piece, and the relay's counts must be equal too.
With ``RELAYSIM_FUZZ_SECONDS`` more batches are drawn for this long, with the seeds 0, 1, 2 and
further, or from ``RELAYSIM_FUZZ_SEED``; without it there is one batch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings

import sim.live
from sim.measure import Result
from sim.smtp import replies
from tests.live.peer import Peer, until
from tests.relay.test_wire_fuzz import CUTS, conversations, pieces
from tests.relay.wire_talk import Seen, held

SECONDS = float(os.environ.get("RELAYSIM_FUZZ_SECONDS", "0"))
FIRST = int(os.environ.get("RELAYSIM_FUZZ_SEED", "0"))
BATCH = 150
"""Conversations per seed."""

GREETING = replies.READY.encode()
ALERT = b"\x15\x03"
"""The first octets of the alert with which TLS rejects other protocols."""

KINDS: dict[str, tuple[dict[str, Any] | None, bool]] = {
    "at once": (None, False),
    "at once, passwords wrong": (None, True),
    "held back": ({"rtt": "1ms", "relay_time": "0.2ms"}, False),
}
"""The network, and whether every password is wrong."""


@pytest.fixture(scope="module", params=KINDS)
def relay(request: pytest.FixtureRequest) -> Iterator[tuple[sim.live.Running, bool]]:
    """One relay for all conversations, reset after each, and whether every password is wrong."""
    network, wrong = KINDS[request.param]
    with sim.live.running(users={"nobody": "knows"} if wrong else None, network=network) as running:
        yield running, wrong


def talked(relay: sim.live.Running, parts: list[bytes]) -> bytes:
    """All octets that come back after ``parts`` are sent in order and the sending side ends."""
    with Peer(relay.port, greeted=False) as peer:
        try:
            for part in parts:
                peer.say(part)
            peer.half_close()
        except OSError:  # the relay has closed after a QUIT or a refusal
            pass
        return peer.rest()


def counts(result: Result) -> tuple[int, ...]:
    sums = result.messages
    logins = result.logins
    return (
        sums.accepted + sums.duplicated,
        logins.accepted,
        logins.failed,
        logins.refused,
        result.incidents.total,
    )


def expected(seen: Seen) -> tuple[int, ...]:
    """The value of :func:`counts` for a conversation, given the ``seen`` events of a pure Wire."""
    outcomes = [row[-1] for row in seen.logins]
    logins = (outcomes.count(each) for each in ("accepted", "failed", "refused"))
    return len(seen.acceptances), *logins, len(seen.incidents)


def check(relay: sim.live.Running, data: bytes, cuts: list[int], *, wrong: bool) -> None:
    """Compares one conversation over TCP with the same one on a Wire."""
    written, wire, seen = held([data], wrong=wrong)
    relay.forget()
    before = counts(relay.result())
    came = talked(relay, pieces(data, cuts))
    until(lambda: relay.call(lambda: len(relay.live.connections)) == 0, f"gone after {data!r}")
    rest = came.removeprefix(GREETING + written)
    assert came.startswith(GREETING + written), (data, cuts, came, written)
    assert rest == b"" or (wire.starttls and rest.startswith(ALERT)), (data, cuts, rest)
    counted = tuple(now - then for now, then in zip(counts(relay.result()), before, strict=True))
    assert counted == expected(seen), (data, cuts)


def test_the_byte_door_over_tcp_is_the_pure_one(relay):
    running, wrong = relay
    end = time.monotonic() + SECONDS / len(KINDS)
    number = 0
    while number == 0 or time.monotonic() < end:
        batch(running, number, wrong=wrong)
        number += 1


def batch(relay: sim.live.Running, number: int, *, wrong: bool) -> None:
    """Checks the conversations of one seed."""

    @seed(FIRST + number)
    @settings(
        max_examples=BATCH,
        derandomize=False,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(conversations(), CUTS)
    def drawn(data: bytes, cuts: list[int]) -> None:
        check(relay, data, cuts, wrong=wrong)

    drawn()
