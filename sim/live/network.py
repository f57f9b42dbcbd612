"""The network between a sender and the live relay, as a scenario describes it: delays and faults.

On loopback a real round trip takes almost no time, so the whole simulated round trip is waited for.
All times are microseconds of the relay's clock. Uses no sockets.
"""

from __future__ import annotations

from collections.abc import Callable

from .. import streams
from ..relay.session import Session, WrappedSession
from ..scenario.schema import Faults, Network
from ..smtp.commands import EVENTS, Command, Lost
from ..smtp.replies import Reply


class LiveNetwork:
    """Delays and faults; both can change while the relay runs.

    ``seed`` is for jitter and dropped connections. The times of faults count from ``origin`` of the
    relay's clock.
    """

    def __init__(self, network: Network, faults: Faults, seed: int = 0, origin: int = 0) -> None:
        self._origin = origin
        self._seed = seed
        self._luck = streams.uniforms(seed, "faults", "live")
        self.faults = faults
        self.network = network

    @property
    def network(self) -> Network:
        """Round trips and the relay's processing time."""
        return self._network

    @network.setter
    def network(self, network: Network) -> None:
        self._network = network
        self._steady = network.jitter == 0 or network.rtt == 0
        self._draw: Callable[[], float] = float
        if not self._steady:
            self._draw = streams.gammas(network.rtt, network.jitter, self._seed, "network", "live")

    @property
    def instant(self) -> bool:
        """Whether nothing is delayed."""
        return self._network.rtt == 0 and self._network.relay_time == 0

    def trip(self) -> int:
        """The next round trip."""
        return self._network.rtt if self._steady else round(self._draw())

    def thinking(self, at: int) -> int:
        """The relay's processing time for a command that arrives at ``at``."""
        slow = self.faults.slow
        own = self._network.relay_time
        at -= self._origin
        if slow is not None and slow.at <= at < slow.at + slow.for_:
            return round(own * slow.factor)
        return own

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

    def __init__(self, session: Session, network: LiveNetwork) -> None:
        super().__init__(session)
        self._network = network

    def handle(self, command: Command, now: int) -> Reply | None:
        """Handles ``command``, unless the connection dies before it or after it."""
        if isinstance(command, EVENTS):
            return super().handle(command, now)
        before, after = self._network.drops()
        reply = None if before else super().handle(command, now)
        if before or after:
            super().handle(Lost(), now)
            return None
        return reply
