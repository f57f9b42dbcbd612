"""A connection of the live relay that delays everything as the scenario's network would.

What arrives at T is judged at T + rtt/2 and answered at T + rtt + relay_time, in order. Commands
that arrive together share the round trip; the relay processes them one after the other, as in
virtual time. A flight of a handshake and a greeting each cost a round trip.

Timers are asyncio's, so an event happens at its moment or up to about 1 ms later, never earlier.
Each moment is computed from the moment before, not from the time at which a timer fired, so that
delays of timers do not accumulate. Knows nothing of SMTP.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from .connection import Connection, Registry
from .context import Context

MOST_HELD = 1 << 20
"""Octets of a peer that are delayed at once. Above this, nothing more is read until some of them
are judged.
"""


class Arrival(NamedTuple):
    """Octets on their way to the relay. ``data`` None is the peer's end."""

    reaches: int
    trip: int
    data: bytes | None


class Departure(NamedTuple):
    """Octets on their way to the peer. ``then`` is "", close, linger, abort, tls, or raw for octets
    of TLS itself.
    """

    due: int
    octets: bytes
    then: str


class DelayedConnection(Connection):
    """Judges and writes at the moments of the simulated network."""

    def __init__(self, context: Context, registry: Registry, *, implicit: bool) -> None:
        super().__init__(context, registry, implicit=implicit)
        self._arrivals: deque[Arrival] = deque()
        self._departures: deque[Departure] = deque()
        self._held = 0
        self._trip: int | None = None  # of octets that arrived and are not answered yet
        self._reached = 0
        self._busy = 0
        self._due = 0
        self._judging: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._ended = False

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        super().connection_lost(error)
        if self._judging is None and not self._arrivals and (self.wire is None or self._ended):
            self._registry.discard(self)  # no timer is left that would do it

    def kill(self, now: int) -> None:
        """The relay goes down: replies that are on their way still arrive, for half a round trip.

        Octets on their way to the relay are never judged.
        """
        if self.wire is not None:
            self.wire.eof(now)
            if self._judging is not None:
                self._judging.cancel()
                self._judging = None
        self._arrivals.clear()
        self._depart(now + self.context.network.trip() // 2, b"", "abort")

    def _begin(self, ip: str) -> None:
        trip = self.context.network.trip()
        self._reached = self.heard_at + trip // 2
        self._busy = self._reached
        self._due = self.heard_at + trip  # TCP's own handshake; nothing is written before its end
        self._judging = self._at(self._busy, self._judge_opening, ip)

    def _judge_opening(self, ip: str) -> None:
        self._judging = None
        network = self.context.network
        now = self.context.clock.at_least(self._busy)
        if network.down(now):
            self._ended = True
            self.abort(now)
            return
        greeting = self._open(ip, now)
        trip = network.trip()
        if self.implicit and not (self._tls and self._tls.up):
            self._greeting = greeting
        else:
            self._depart(self._due + trip, greeting, self._next())
        self._wake()

    def _tls_is_up(self) -> None:
        wire = self.wire
        if wire is not None and wire.starttls:
            wire.tls_started(self.context.clock.now())
        greeting = self._greeting
        self._greeting = b""
        if self.implicit and (greeting or (wire is not None and wire.closed)):
            due = self.context.clock.now() + self.context.network.trip()
            self._depart(due, greeting, self._next())

    # From the peer to the relay.

    def _take(self, data: bytes) -> None:
        if self.wire is not None and self.wire.starttls:
            return  # sent in the clear after STARTTLS
        self._arrive(data)
        self._acknowledge()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._arrive(None)

    def _arrive(self, data: bytes | None) -> None:
        now = self.context.clock.now()
        if data and self.in_transaction:
            self.heard_at = now
        if self._trip is None:
            self._trip = self.context.network.trip()
        self._reached = max(self._reached, now + self._trip // 2)
        self._arrivals.append(Arrival(self._reached, self._trip, data))
        self._held += len(data or b"")
        if self._held > MOST_HELD and self.transport is not None:
            self.transport.pause_reading()
        self._wake()

    def _wake(self) -> None:
        """Sets the timer for the next arrival."""
        if self._judging is None and self._arrivals and self.wire is not None:
            self._judging = self._at(max(self._arrivals[0].reaches, self._busy), self._judge)

    def _judge(self) -> None:
        self._judging = None
        reaches, trip, data = self._arrivals.popleft()
        moment = max(reaches, self._busy)
        wire = self.wire
        assert wire is not None, "set before anything is judged"
        if data is None:
            wire.eof(self.context.clock.at_least(moment))
            self._depart(moment, b"", "close")
            return
        self._held -= len(data)
        if self._held <= MOST_HELD and self.unread_since is None and self.transport is not None:
            self.transport.resume_reading()
        wire.feed(data)
        self._answer(moment, trip)

    def _answer(self, moment: int, trip: int) -> None:
        """Answers the complete commands, one after the other; each takes the processing time."""
        self._judging = None
        wire = self.wire
        assert wire is not None, "set before anything is judged"
        while (answer := wire.answer(self.context.clock.at_least(moment))) is not None:
            self._trip = None
            self.heard_at = moment
            thinking = self.context.network.thinking(moment)
            moment += thinking
            self._busy = moment
            self._depart(moment + trip - trip // 2, answer, self._next())
            if wire.starttls:
                ends = (arrival for arrival in self._arrivals if arrival.data is None)
                self._arrivals = deque(ends)
            elif thinking and not wire.closed:
                self._judging = self._at(moment, self._answer, moment, trip)
                return
        if self.leaving:
            self._leave_if_idle()
        self._wake()

    # From the relay to the peer.

    def _next(self) -> str:
        """What happens after the reply is written: a Departure's ``then``."""
        wire = self.wire
        if wire is None:
            return ""
        if not wire.closed:
            return "tls" if wire.starttls else ""
        if wire.dropped:
            return "abort"
        return "close" if wire.goodbye else "linger"

    def _depart(self, due: int, octets: bytes, then: str) -> None:
        self._due = max(self._due, due)
        self._departures.append(Departure(self._due, octets, then))
        if self._writing is None:
            self._writing = self._at(self._due, self._write_due)

    def _write_due(self) -> None:
        self._writing = None
        now = self.context.clock.at_least(self._departures[0].due)
        while self._departures and self._departures[0].due <= now:
            _, octets, then = self._departures.popleft()
            if then == "raw":
                self._write_raw(octets)
                continue
            self._write(octets)
            if then == "tls":
                self._heed()
            elif then:
                self._close(abort=then == "abort", linger=then == "linger")
        if self._departures:
            self._writing = self._at(self._departures[0].due, self._write_due)

    def _write_flight(self, flight: bytes, *, handshake: bool) -> None:
        if not handshake:
            self._write_raw(flight)
        elif flight:
            begins = max(self.context.clock.now(), self._due)
            self._depart(begins + self.context.network.trip(), flight, "raw")

    def _say_last(self, octets: bytes, now: int) -> None:
        if self.wire is None or self.wire.closed or self.in_handshake:
            super()._say_last(octets, now)
            return
        self.wire.eof(now)
        self._depart(now, octets, "linger")

    def _at(self, moment: int, call: Callable[..., None], *arguments: Any) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        return loop.call_at(self.context.clock.of_loop(moment), call, *arguments)
