"""The network between a sender and the relay: round trips, the relay's own time, and faults.

Integer microseconds. Each worker draws from its own random streams. Of SMTP it knows only how many
commands and round trips a step takes.
"""

from __future__ import annotations

from collections.abc import Callable

from .. import streams
from ..scenario import Scenario

NEVER = 1 << 62
"""A time in microseconds that no run reaches."""


class NetworkPath:
    """One worker's path to the relay."""

    def __init__(self, scenario: Scenario, worker: str) -> None:
        network = scenario.network
        faults = scenario.faults
        seed = scenario.seed
        self.tls = network.tls
        self.before_connection = network.client_time.connection
        self.before_message = network.client_time.message
        self.rtt = network.rtt
        self.relay_time = network.relay_time
        self.steady = network.jitter == 0 or network.rtt == 0
        self._draw: Callable[[], int] = (
            int
            if self.steady
            else streams.whole_gammas(network.rtt, network.jitter, seed, "network", worker)
        )
        self._slow = faults.slow
        self._downs = sorted((down.at, down.at + down.for_) for down in faults.relay_down)
        self.chance = faults.drop_connection
        self._luck: Callable[[], float] = streams.uniforms(seed, "faults", worker)
        # The shortcuts of connection.py compute the end of several commands in one step. They may,
        # where no command can be lost or slowed down on the way...
        self.faultless = not self._slow and not self._downs and not self.chance
        # ... and need no random number at all where each round trip takes the same time.
        self.undisturbed = self.steady and self.faultless
        step = self.rtt + self.relay_time
        self.to_body = self.before_message + 3 * step + self.rtt // 2
        """Microseconds from ``send`` to the arrival of the body, on an undisturbed path."""
        self.to_answer = self.before_message + 4 * step
        """Microseconds from ``send`` to the answer to the body, on an undisturbed path."""
        # Up to the login: EHLO, or EHLO, STARTTLS and EHLO. The greeting and the TLS handshake cost
        # a round trip each, but no time of the relay.
        self._commands = {"none": 1, "implicit": 1, "starttls": 3}[self.tls]
        self._trips = {"none": 2, "implicit": 3, "starttls": 5}[self.tls]
        self.to_login = self._trips * self.rtt + self._commands * self.relay_time
        """Microseconds from the end of TCP's handshake to AUTH, on an undisturbed path."""

    def trip(self) -> int:
        """The next round trip."""
        return self.rtt if self.steady else self._draw()

    def drawn_to_login(self) -> int:
        """``to_login`` with drawn round trips."""
        draw = self._draw
        return sum([draw() for _ in range(self._trips)]) + self._commands * self.relay_time

    def drawn_transaction(self) -> tuple[int, int]:
        """``to_body`` and ``to_answer`` with drawn round trips."""
        draw = self._draw
        thinking = self.relay_time
        before = self.before_message + draw() + draw() + draw() + 3 * thinking
        last = draw()
        return before + last // 2, before + last + thinking

    def thinking(self, at: int) -> int:
        """The time that the relay takes for a command that reaches it at ``at``."""
        slow = self._slow
        if slow is not None and slow.at <= at < slow.at + slow.for_:
            return round(self.relay_time * slow.factor)
        return self.relay_time

    def down(self, at: int) -> bool:
        """Whether the relay refuses TCP at ``at``."""
        return bool(self._downs) and any(start <= at < end for start, end in self._downs)

    def next_death(self, opened: int) -> int:
        """When the relay next goes down after ``opened``, which ends a connection; or NEVER."""
        if not self._downs:
            return NEVER
        return min((start for start, _ in self._downs if start > opened), default=NEVER)

    def drops(self) -> tuple[bool, bool]:
        """Whether the connection dies at the next command: before the relay acts, or after."""
        if not self.chance:
            return False, False
        luck = self._luck()
        return luck < self.chance / 2, self.chance / 2 <= luck < self.chance


def wrong_password(scenario: Scenario) -> Callable[[str, str, int], bool]:
    """The relay's accounts: each login is right, unless the fault ``wrong_password`` is on."""
    wrong = scenario.faults.wrong_password
    if wrong is None:
        return lambda username, password, at: True
    start = wrong.from_
    end = wrong.until
    return lambda username, password, at: not start <= at < end
