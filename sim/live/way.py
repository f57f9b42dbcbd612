"""The network between a sender and the live relay, as a scenario has it: held back on purpose, and
cut on purpose.

Real time on loopback takes next to nothing, so a round trip is waited for whole. All times are
microseconds of the relay's clock. Knows nothing of sockets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import streams
from ..relay import Session
from ..scenario import Scenario
from ..scenario.schema import Faults, Network
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


class Unlucky:
    """A session whose connection may die at each command; a dead one is one that the relay drops
    without a word.
    """

    def __init__(self, session: Session, way: Way) -> None:
        self._session = session
        self._way = way

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def _judge(self, now: int, call: Callable[[], Reply | None]) -> Reply | None:
        before, after = self._way.drops()
        reply = None if before else call()
        if before or after:
            self._session.lost(now)
            return None
        return reply

    def hello(self, name: str, now: int, *, extended: bool = True) -> Reply | None:
        """As in Session."""
        return self._judge(now, lambda: self._session.hello(name, now, extended=extended))

    def auth(self, username: str, password: str, now: int, **how: Any) -> Reply | None:
        """As in Session."""
        return self._judge(now, lambda: self._session.auth(username, password, now, **how))

    def mail(self, sender: str, now: int, **what: Any) -> Reply | None:
        """As in Session."""
        return self._judge(now, lambda: self._session.mail(sender, now, **what))

    def rcpt(self, recipient: str, now: int) -> Reply | None:
        """As in Session."""
        return self._judge(now, lambda: self._session.rcpt(recipient, now))

    def body(self, size: int, now: int, **what: Any) -> Reply | None:
        """As in Session."""
        return self._judge(now, lambda: self._session.body(size, now, **what))

    def starttls(self, now: int) -> Reply | None:
        """As in Session."""
        return self._judge(now, lambda: self._session.starttls(now))

    def data(self, now: int) -> Reply | None:
        """As in Session."""
        return self._judge(now, lambda: self._session.data(now))

    def rset(self, now: int) -> Reply | None:
        """As in Session."""
        return self._judge(now, lambda: self._session.rset(now))

    def noop(self, now: int) -> Reply | None:
        """As in Session."""
        return self._judge(now, lambda: self._session.noop(now))

    def quit(self, now: int) -> Reply | None:
        """As in Session."""
        return self._judge(now, lambda: self._session.quit(now))
