"""The network between a sender and the live relay, as a scenario has it: held back on purpose, and
cut on purpose.

Real time on loopback takes next to nothing, so a round trip is waited for whole. All times are
microseconds of the relay's clock. Knows nothing of sockets.
"""

from __future__ import annotations

from collections.abc import Callable

from .. import streams
from ..relay.session import Session, WrappedSession
from ..scenario import Scenario
from ..scenario.schema import Faults, Network
from ..smtp.commands import EVENTS, Command, Lost
from ..smtp.replies import Reply


class Way:
    """Delays and faults; both may be changed while the relay runs. ``origin`` is the clock's time
    from which faults count.
    """

    def __init__(self, scenario: Scenario, origin: int = 0) -> None:
        self._origin = origin
        self.faults: Faults = scenario.faults
        self._seed = scenario.seed
        self._luck = streams.uniforms(scenario.seed, "faults", "live")
        self.network = scenario.network

    @property
    def network(self) -> Network:
        """Round trips and the relay's own time."""
        return self._network

    @network.setter
    def network(self, network: Network) -> None:
        self._network = network
        self._steady = network.jitter == 0 or network.rtt == 0
        self._draw: Callable[[], float] = (
            float
            if self._steady
            else streams.gammas(network.rtt, network.jitter, self._seed, "network", "live")
        )

    @property
    def instant(self) -> bool:
        """Whether nothing is ever held back."""
        return self._network.rtt == 0 and self._network.relay_time == 0

    def trip(self) -> int:
        """The next round trip."""
        return self._network.rtt if self._steady else round(self._draw())

    def thinking(self, at: int) -> int:
        """What the relay takes for a command that reaches it at ``at``."""
        slow = self.faults.slow
        own = self._network.relay_time
        at -= self._origin
        return (
            round(own * slow.factor)
            if slow is not None and slow.at <= at < slow.at + slow.for_
            else own
        )

    def down(self, at: int) -> bool:
        """Whether the relay refuses TCP at ``at``."""
        at -= self._origin
        return any(down.at <= at < down.at + down.for_ for down in self.faults.relay_down)

    def wrong_password(self, at: int) -> bool:
        """Whether every password is wrong at ``at``."""
        at -= self._origin
        wrong = self.faults.wrong_password
        return wrong is not None and wrong.from_ <= at < wrong.until

    def drops(self) -> tuple[bool, bool]:
        """Whether the connection dies at this command: before the relay acts, after it acted."""
        chance = self.faults.drop_connection
        if not chance:
            return False, False
        luck = self._luck()
        return luck < chance / 2, chance / 2 <= luck < chance


class DroppingSession(WrappedSession):
    """A session whose connection can die at each command. Then the relay closes without a reply."""

    def __init__(self, session: Session, way: Way) -> None:
        super().__init__(session)
        self._way = way

    def handle(self, command: Command, now: int) -> Reply | None:
        """Handles ``command``, unless the connection dies before it or after it."""
        if isinstance(command, EVENTS):
            return super().handle(command, now)
        before, after = self._way.drops()
        reply = None if before else super().handle(command, now)
        if before or after:
            super().handle(Lost(), now)
            return None
        return reply
