"""What every connection of a live relay works with: the relay's clock, and a frozen Context.

A connection takes a Context and a place to register itself; it never sees the LiveRelay.
"""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass

from ..relay import Relay
from ..relay.wire import Notes
from ..smtp.lines import HEAD
from .network import LiveNetwork


class Clock:
    """Integer microseconds, never backwards. Nothing else in this package reads a clock.

    ``origin`` is the time at which it starts: 0, or the time that an earlier relay had reached when
    a state file continues it.
    """

    __slots__ = ("_last", "_zero", "origin")

    def __init__(self, origin: int = 0) -> None:
        self.origin = origin
        self._last = origin
        self._zero = time.monotonic_ns() - origin * 1_000

    def now(self) -> int:
        """Microseconds."""
        return (time.monotonic_ns() - self._zero) // 1_000

    def at_least(self, moment: int) -> int:
        """The time now, in a call that was scheduled for ``moment``; never earlier than that.

        A timer's float can fire a fraction early. The result is also never earlier than the last
        one, so that sessions are judged in the order of their arrival.
        """
        self._last = max(self.now(), moment, self._last)
        return self._last

    def of_loop(self, moment: int) -> float:
        """``moment`` in the seconds of an asyncio loop, whose clock is ``time.monotonic``."""
        return (self._zero + moment * 1_000) / 1e9


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of a live relay that a connection uses.

    ``body_kept`` is how many octets of a body ``deliveries`` receives. ``tls`` is None if the relay
    offers no TLS. With ``only_loopback``, a connection to an address outside 127.0.0.0/8 is closed.
    """

    relay: Relay
    network: LiveNetwork
    clock: Clock
    deliveries: Notes
    body_kept: int = HEAD
    tls: ssl.SSLContext | None = None
    only_loopback: bool = False
