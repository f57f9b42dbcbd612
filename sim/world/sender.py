"""What one worker has of the virtual world: implements ``api.Sender``, and
``dialogue.LibrarySender`` for models.

Knows no limits and no policy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import get_ident
from typing import TYPE_CHECKING, Any, SupportsFloat

from .. import streams
from ..errors import StrategyError
from ..strategies.api import Message, messages_among
from ..units import MICRO
from .connection import WorldConnection
from .dialogue import WorldDialogue
from .network import Way
from .outbox import Hands
from .signal import WorldSignal

if TYPE_CHECKING:
    from .run import World

LONGEST_SLEEP = 10 * 366 * 86_400
"""Seconds; beyond every horizon, so that a longer sleep means the same."""


class WorldSender:
    """One worker. ``name`` names its random streams: ``w3``, and ``w3.1`` for the first that it
    spawns.
    """

    def __init__(self, world: World, name: str, username: str, ip: str) -> None:
        self.username = username
        self.ip = ip
        self._world = world
        self._name = name
        self._spawned = 0
        self._hands = Hands()
        self._way = Way(world.scenario, name)
        self._random = streams.uniforms(world.scenario.seed, "strategy", name)

    def take(self, most: int = 1) -> list[Message]:
        """As in api.Sender."""
        if (
            type(most) is not int and (not isinstance(most, int) or isinstance(most, bool))
        ) or most < 1:
            raise StrategyError(f"take({most!r}): a whole number of at least 1 is allowed")
        return self._world.outbox.take(self._hands, most)

    def take_more(self, most: int = 1) -> list[Message]:
        """As in dialogue.LibrarySender."""
        fresh = Hands()
        outbox = self._world.outbox
        taken = outbox.take(fresh, most)
        for message in taken:
            self._hands.hold(outbox.index(message))
        return taken

    def give_up(self, message: Message) -> None:
        """As in dialogue.LibrarySender."""
        self._world.outbox.give_up_one(self._hands, message)

    def signal(self) -> WorldSignal:
        """As in dialogue.LibrarySender."""
        return WorldSignal(self._world.clock)

    def put_back(self, message: Message) -> None:
        """As in api.Sender."""
        self._world.outbox.put_back(self._hands, message)

    def connect(self) -> WorldConnection:
        """As in api.Sender."""
        world = self._world
        if get_ident() != world.clock.thread:
            world.refuse_thread()
        return WorldConnection.connect(
            world.clock, self._way, world.outbox, world.relay, self.ip, self.username
        )

    def dial(self, patience: float | None = None) -> WorldDialogue:
        """As in dialogue.LibrarySender."""
        return WorldDialogue.dial(self._world, self._way, self.ip, self.username, patience)

    @property
    def tls(self) -> str:
        """As in dialogue.LibrarySender."""
        return self._way.tls

    def sleep(self, seconds: float) -> None:
        """As in api.Sender."""
        kind = type(seconds)
        if (kind is not float and kind is not int) or not 0 <= seconds < math.inf:
            seconds = _checked(seconds)
        clock = self._world.clock
        clock.wait_until(
            clock.moment
            + (round(seconds * MICRO) if seconds < LONGEST_SLEEP else LONGEST_SLEEP * MICRO)
        )

    def now(self) -> float:
        """As in api.Sender."""
        clock = self._world.clock
        clock.tick()
        return clock.moment / MICRO

    def random(self) -> float:
        """As in api.Sender."""
        self._world.clock.tick()
        return self._random()

    def spawn(self, function: Callable[..., Any], *args: Any) -> None:
        """As in api.Sender."""
        if get_ident() != self._world.clock.thread:
            self._world.refuse_thread()
        self._world.clock.tick()
        self._spawned += 1
        child = WorldSender(self._world, f"{self._name}.{self._spawned}", self.username, self.ip)
        for message in messages_among(args):
            index = self._world.outbox.index(message)
            if self._hands.let_go(index):
                child._hands.hold(index)
        self._world.start(child, lambda: function(child, *args))

    @property
    def hands(self) -> Hands:
        """What this worker has taken."""
        return self._hands


def _checked(seconds: object) -> float:
    """A number of another type, such as numpy's, as a float; StrategyError for what is no time to
    sleep.
    """
    if (
        isinstance(seconds, SupportsFloat)
        and not isinstance(seconds, bool)
        and 0 <= float(seconds) < math.inf
    ):
        return float(seconds)
    raise StrategyError(f"sleep({seconds!r}): a finite number of seconds of 0 or more is allowed")
