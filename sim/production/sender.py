"""One worker's sender in production: implements ``api.Sender`` for a thread."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any, SupportsFloat

from .. import streams
from ..errors import StrategyError
from ..outbox import Claim, check_most
from ..strategies.api import Message, messages_among
from .connection import ProductionConnection
from .stage import Stage


class ProductionSender:
    """The ``index``-th worker, or one that it spawned. ``ip`` is empty where the system chooses;
    ``claim`` has the messages that it holds.
    """

    def __init__(self, stage: Stage, name: str, index: int) -> None:
        account = stage.account
        self.username, self._password = account.usernames[index % len(account.usernames)]
        self.ip = account.ips[index % len(account.ips)] if account.ips else ""
        self.name = name
        self.claim = Claim()
        self._stage = stage
        self._index = index
        self._spawned = 0
        self._random = streams.uniforms(stage.seed, "strategy", name)

    def take(self, most: int = 1) -> list[Message]:
        check_most(most)
        return self._stage.outbox.take(self.claim, most)

    def put_back(self, message: Message) -> None:
        self._stage.outbox.put_back(self.claim, message)

    def connect(self) -> ProductionConnection:
        self._stage.check()
        return ProductionConnection(self._stage, self.username, self._password, self.ip)

    def sleep(self, seconds: float) -> None:
        if (
            not isinstance(seconds, SupportsFloat)
            or isinstance(seconds, bool)
            or not 0 <= float(seconds) < math.inf
        ):
            raise StrategyError(
                f"sleep({seconds!r}): a finite number of seconds of 0 or more is allowed"
            )
        stage = self._stage
        end = time.monotonic() + float(seconds)
        with stage.changed:
            while not stage.stopped and (left := end - time.monotonic()) > 0:
                stage.changed.wait(min(left, threading.TIMEOUT_MAX))
        stage.check()

    def now(self) -> float:
        self._stage.check()
        return self._stage.elapsed()

    def random(self) -> float:
        self._stage.check()
        return self._random()

    def spawn(self, function: Callable[..., Any], *args: Any) -> None:
        stage = self._stage
        stage.check()
        self._spawned += 1
        child = ProductionSender(stage, f"{self.name}.{self._spawned}", self._index)
        known = filter(stage.outbox.knows, messages_among(args))
        stage.outbox.hand_over(self.claim, child.claim, known)
        stage.start(child.name, child.claim, lambda: function(child, *args))
