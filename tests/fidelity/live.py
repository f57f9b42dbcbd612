"""The live relay of a row, and what a program is told of it. Knows no library."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sim import live
from sim.relay.transcript import Transcript
from sim.scenario import Scenario

USERNAME = "user1"
PASSWORD = "secret"

SETTLING = 600.0
"""Seconds that the relay has, at most, to hear of connections that a program left behind as it
ended.
"""


class Live:
    """A live relay while it runs."""

    def __init__(self, running: live.Running, tls: str) -> None:
        self._running = running
        self.tls = tls

    def environment(self) -> dict[str, str]:
        """What a program of the tests reads."""
        running = self._running
        implicit = self.tls == "implicit"
        return {
            "RELAY_HOST": running.host,
            "RELAY_PORT": str(running.port),
            "RELAY_USERNAME": USERNAME,
            "RELAY_PASSWORD": PASSWORD,
            "RELAY_TLS": "implicit" if implicit else self.tls,
            "RELAY_CA": str(running.certificate or ""),
        }

    def settle(self) -> None:
        """Waits until every connection has ended."""
        end = time.monotonic() + SETTLING
        while time.monotonic() < end and self._running.call(
            lambda: len(self._running.live.connections)
        ):
            time.sleep(0.01)

    def result(self) -> Mapping[str, Any]:
        """The live result, as plain tables."""
        return self._running.result().to_dict()

    def transcripts(self) -> list[Transcript]:
        """What was said on each connection so far, with its times."""

        def copied() -> list[Transcript]:
            kept = self._running.live.relay.transcripts
            assert kept is not None
            return [Transcript(list(each.lines), list(each.times)) for each in kept.values()]

        return self._running.call(copied)


@contextmanager
def live_relay(scenario: Scenario) -> Iterator[Live]:
    """The live relay of the scenario's policy, network and faults."""
    with live.running(scenario=scenario, users={USERNAME: PASSWORD}, transcripts=True) as running:
        yield Live(running, scenario.network.tls)
