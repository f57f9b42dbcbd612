"""One worker's sender in virtual time: implements ``api.Sender``, and ``dialogue.LibrarySender``
for models.

Knows no limits and no policy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import get_ident
from typing import Any, SupportsFloat

from .. import streams
from ..errors import StrategyError
from ..outbox import Claim, check_most
from ..strategies.api import Message, messages_among
from ..units import MICRO
from .connection import WorldConnection
from .dialogue import WorldDialogue
from .network import NetworkPath
from .signal import WorldSignal
from .stage import Stage

LONGEST_SLEEP = 10 * 366 * 86_400
"""Seconds. Beyond every horizon, so a longer sleep means the same."""


class WorldSender:
    """One worker. ``name`` names its random streams: ``w3``, and ``w3.1`` for the first worker that
    it spawns. ``claim`` has the messages that it holds.
    """

    def __init__(self, stage: Stage, name: str, username: str, ip: str) -> None:
        self.username = username
        self.ip = ip
        self.claim = Claim()
        self._stage = stage
        self._name = name
        self._spawned = 0
        self._path = NetworkPath(stage.scenario, name)
        self._random = streams.uniforms(stage.scenario.seed, "strategy", name)

    def take(self, most: int = 1) -> list[Message]:
        if type(most) is not int or most < 1:  # most calls need no more than this check
            check_most(most)
        return self._stage.outbox.take(self.claim, most)

    def take_more(self, most: int = 1) -> list[Message]:
        fresh = Claim()  # taking into the worker's own claim would give up its messages
        outbox = self._stage.outbox
        taken = outbox.take(fresh, most)
        outbox.hand_over(fresh, self.claim, taken)
        return taken

    def give_up(self, message: Message) -> None:
        self._stage.outbox.give_up_one(self.claim, message)

    def signal(self) -> WorldSignal:
        return WorldSignal(self._stage.clock)

    def put_back(self, message: Message) -> None:
        self._stage.outbox.put_back(self.claim, message)

    def connect(self) -> WorldConnection:
        stage = self._stage
        if get_ident() != stage.clock.thread:
            stage.refuse_thread()
        return WorldConnection.connect(stage, self._path, self.ip, self.username)

    def dial(self, patience: float | None = None) -> WorldDialogue:
        return WorldDialogue.dial(self._stage, self._path, self.ip, self.username, patience)

    @property
    def tls(self) -> str:
        """The network's TLS mode: none, starttls or implicit."""
        return self._path.tls

    def sleep(self, seconds: float) -> None:
        kind = type(seconds)
        if (kind is not float and kind is not int) or not 0 <= seconds < math.inf:
            seconds = _seconds(seconds)
        clock = self._stage.clock
        micros = round(seconds * MICRO) if seconds < LONGEST_SLEEP else LONGEST_SLEEP * MICRO
        clock.wait_until(clock.moment + micros)

    def now(self) -> float:
        clock = self._stage.clock
        clock.tick()
        return clock.moment / MICRO

    def random(self) -> float:
        self._stage.clock.tick()
        return self._random()

    def spawn(self, function: Callable[..., Any], *args: Any) -> None:
        stage = self._stage
        if get_ident() != stage.clock.thread:
            stage.refuse_thread()
        stage.clock.tick()
        self._spawned += 1
        child = WorldSender(stage, f"{self._name}.{self._spawned}", self.username, self.ip)
        stage.outbox.hand_over(self.claim, child.claim, messages_among(args))
        stage.start(child.claim, lambda: function(child, *args))


def _seconds(seconds: object) -> float:
    """A number of another type, such as numpy's, as a float. StrategyError if it is not a finite
    number of 0 or more.
    """
    if (
        isinstance(seconds, SupportsFloat)
        and not isinstance(seconds, bool)
        and 0 <= float(seconds) < math.inf
    ):
        return float(seconds)
    raise StrategyError(f"sleep({seconds!r}): a finite number of seconds of 0 or more is allowed")
