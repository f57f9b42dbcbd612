"""A connection of the live relay that holds everything back as the scenario's network would.

What arrives at T is judged at T + rtt/2 and answered at T + rtt + relay_time, in order; commands
that arrive together share the round trip, and the relay takes its own time for one after the other,
as in virtual time. A handshake's flight and a greeting each cost a round trip. Timers are
asyncio's, so whatever it is happens at its moment or up to about 1 ms later, never earlier; moments
are reckoned from moments, so that lateness does not add up. Knows nothing of SMTP.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from .connection import Connection

if TYPE_CHECKING:
    from .door import Door

MOST_HELD = 1 << 20
"""Octets of a peer's that are held back at once; beyond it nothing more is read until they are
judged.
"""


class Arrival(NamedTuple):
    """What the peer sent, on its way to the relay: ``data`` None is its end."""

    reaches: int
    trip: int
    data: bytes | None


class Departure(NamedTuple):
    """What the relay wrote, on its way to the peer; ``then`` is "", close, linger, abort, tls, or
    raw for octets of TLS itself.
    """

    due: int
    octets: bytes
    then: str


class DelayedConnection(Connection):
    """Judges and writes at the network's moments."""

    def __init__(self, door: Door, *, implicit: bool) -> None:
        super().__init__(door, implicit=implicit)
        self._arrivals: deque[Arrival] = deque()
        self._departures: deque[Departure] = deque()
        self._held = 0
        self._trip: int | None = None  # of what arrives and is not answered yet
        self._reached = self._busy = self._due = 0
        self._judging: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._ended = False

    def _begin(self, ip: str) -> None:
        trip = self.door.way.trip()
        self._busy = self._reached = self.heard_at + trip // 2
        self._due = self.heard_at + trip  # TCP itself; nothing is written before
        self._judging = self._at(self._busy, self._judge_opening, ip)

    def _judge_opening(self, ip: str) -> None:
        self._judging = None
        now = self.door.clock.at_least(self._busy)
        if self.door.way.down(now):
            self._ended = True
            self.abort(now)
            return
        greeting = self._open(ip, now)
        trip = self.door.way.trip()
        if self.implicit and not (self._tls and self._tls.up):
            self._greeting = greeting
        else:
            self._depart(self._due + trip, greeting, self._next())
        self._wake()

    def _tls_is_up(self) -> None:
        wire = self.wire
        if wire is not None and wire.starttls:
            wire.tls_started(self.door.clock.now())
        greeting = self._greeting
        self._greeting = b""
        if self.implicit and (greeting or (wire is not None and wire.closed)):
            self._depart(self.door.clock.now() + self.door.way.trip(), greeting, self._next())

    def connection_lost(self, error: Exception | None) -> None:
        """As in Connection."""
        super().connection_lost(error)
        if self._judging is None and not self._arrivals and (self.wire is None or self._ended):
            self.door.forget(self)  # nothing is under way that would find it gone

    def _take(self, data: bytes) -> None:
        if self.wire is not None and self.wire.starttls:
            return  # in the clear, behind STARTTLS
        self._arrive(data)
        self._acknowledge()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._arrive(None)

    def _arrive(self, data: bytes | None) -> None:
        now = self.door.clock.now()
        if data and self.in_transaction:
            self.heard_at = now
        if self._trip is None:
            self._trip = self.door.way.trip()
        self._reached = max(self._reached, now + self._trip // 2)
        self._arrivals.append(Arrival(self._reached, self._trip, data))
        self._held += len(data or b"")
        if self._held > MOST_HELD and self.transport is not None:
            self.transport.pause_reading()
        self._wake()

    def _wake(self) -> None:
        """Sets the timer for what is judged next."""
        if self._judging is None and self._arrivals and self.wire is not None:
            self._judging = self._at(max(self._arrivals[0].reaches, self._busy), self._judge)

    def _judge(self) -> None:
        self._judging = None
        reaches, trip, data = self._arrivals.popleft()
        moment = max(reaches, self._busy)
        wire = self.wire
        assert wire is not None, "set before anything is judged"
        if data is None:
            wire.eof(self.door.clock.at_least(moment))
            self._depart(moment, b"", "close")
            return
        self._held -= len(data)
        if self._held <= MOST_HELD and self.unread_since is None and self.transport is not None:
            self.transport.resume_reading()
        wire.feed(data)
        self._answer(moment, trip)

    def _answer(self, moment: int, trip: int) -> None:
        """Answers what is complete, one thing after the other; each takes the relay its own time."""
        self._judging = None
        wire = self.wire
        assert wire is not None, "set before anything is judged"
        while (answer := wire.answer(self.door.clock.at_least(moment))) is not None:
            self._trip = None
            self.heard_at = moment
            thinking = self.door.way.thinking(moment)
            moment += thinking
            self._busy = moment
            self._depart(moment + trip - trip // 2, answer, self._next())
            if wire.starttls:
                self._arrivals = deque(
                    arrival for arrival in self._arrivals if arrival.data is None
                )
            elif thinking and not wire.closed:
                self._judging = self._at(moment, self._answer, moment, trip)
                return
        if self.leaving:
            self._leave_if_idle()
        self._wake()

    def _next(self) -> str:
        wire = self.wire
        if wire is None or not (wire.closed or wire.starttls):
            return ""
        return (
            "tls"
            if not wire.closed
            else "abort"
            if wire.dropped
            else "close"
            if wire.goodbye
            else "linger"
        )

    def _depart(self, due: int, octets: bytes, then: str) -> None:
        self._due = due = max(self._due, due)
        self._departures.append(Departure(due, octets, then))
        if self._writing is None:
            self._writing = self._at(due, self._write_due)

    def _write_due(self) -> None:
        self._writing = None
        now = self.door.clock.at_least(self._departures[0].due)
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
            self._depart(
                max(self.door.clock.now(), self._due) + self.door.way.trip(), flight, "raw"
            )

    def _say_last(self, octets: bytes, now: int) -> None:
        if self.wire is None or self.wire.closed or self.in_handshake:
            super()._say_last(octets, now)
            return
        self.wire.eof(now)
        self._depart(now, octets, "linger")

    def kill(self, now: int) -> None:
        """The relay goes away: what was answered before still arrives, half a round trip later
        nothing does.
        """
        if self.wire is not None:
            self.wire.eof(now)
            if self._judging is not None:
                self._judging.cancel()  # nobody is there to judge what is under way
                self._judging = None
        self._arrivals.clear()
        self._depart(now + self.door.way.trip() // 2, b"", "abort")

    def _at(self, moment: int, call: Callable[..., None], *arguments: Any) -> asyncio.TimerHandle:
        return self.door.loop.call_at(self.door.clock.of_loop(moment), call, *arguments)
