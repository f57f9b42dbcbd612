"""The way between a sender and the relay, and what goes wrong on it: round trips, the relay's own time, faults.

Integer microseconds. Every worker draws from streams of its own. Knows nothing of SMTP beyond that there are commands.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .. import streams
from ..scenario import Scenario

NEVER = 1 << 62
"""A time in microseconds that no run reaches."""


class Way:
    """One worker's way to the relay."""

    def __init__(self, scenario: Scenario, worker: str) -> None:
        network, faults, seed = scenario.network, scenario.faults, scenario.seed
        self.tls = network.tls
        self.before_connection, self.before_message = network.client_time.connection, network.client_time.message
        self.rtt, self.relay_time = network.rtt, network.relay_time
        self.steady = network.jitter == 0 or network.rtt == 0
        self._draw: Callable[[], float] = (
            float if self.steady else streams.gammas(network.rtt, network.jitter, seed, "network", worker)
        )
        self._slow = faults.slow
        self._downs = sorted((down.at, down.at + down.for_) for down in faults.relay_down)
        self.chance = faults.drop_connection
        self._luck: Callable[[], float] = streams.uniforms(seed, "faults", worker)
        step = self.rtt + self.relay_time
        self.to_body, self.transaction = 3 * step + self.rtt // 2, 4 * step
        """Microseconds from MAIL to the body's arrival, and to its answer, where nothing is random and nothing fails."""
        commands = {"none": 1, "implicit": 1, "starttls": 3}[self.tls]
        silent = {"none": 2, "implicit": 3, "starttls": 3}[self.tls]
        self.to_login = commands * step + silent * self.rtt + self.rtt // 2
        """From TCP's first packet to the arrival of AUTH, where the same holds: TLS and the greeting take the relay no time."""
        self.from_arrival = step - self.rtt // 2
        """From a command's arrival to that of its answer, where the same holds."""
        self.undisturbed = self.steady and not self._slow and not self._downs and not self.chance

    def trip(self) -> int:
        """The next round trip."""
        return self.rtt if self.steady else round(self._draw())

    def thinking(self, at: int) -> int:
        """What the relay takes for a command that reaches it at ``at``."""
        slow = self._slow
        if slow is not None and slow.at <= at < slow.at + slow.for_:
            return round(self.relay_time * slow.factor)
        return self.relay_time

    def down(self, at: int) -> bool:
        """Whether the relay refuses TCP at ``at``."""
        return bool(self._downs) and any(start <= at < end for start, end in self._downs)

    def next_death(self, opened: int) -> int:
        """When a connection opened at ``opened`` dies because the relay goes away; NEVER if it does not."""
        if not self._downs:
            return NEVER
        return min((start for start, _ in self._downs if start > opened), default=NEVER)

    def drops(self) -> tuple[bool, bool]:
        """Whether the connection dies at the next command: before the relay acts, after it acted."""
        if not self.chance:
            return False, False
        luck = self._luck()
        return luck < self.chance / 2, self.chance / 2 <= luck < self.chance


def wrong_password(scenario: Scenario) -> Callable[[str, str, int], bool]:
    """The relay's accounts: every login is right, but for the fault's stretch of time."""
    wrong = scenario.faults.wrong_password
    start, end = (wrong.from_, wrong.until) if wrong else (math.inf, math.inf)
    return lambda username, password, at: not start <= at < end
