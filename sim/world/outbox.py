"""The outbox in virtual time: messages with known arrival times, and workers that wait for them.

An arrival costs no event: a worker that takes compares the arrival times with the clock, and only
one that has to wait sets an alarm. Knows the clock and messages, nothing of relays.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import cache

from greenlet import getcurrent, greenlet

from ..errors import StrategyError
from ..outbox import Claim, Outbox
from ..strategies.api import Message
from .clock import Clock

DATA = b"Subject: a message of the simulation\r\n\r\nIt is as short as it can be.\r\n"
"""Headers and body of every message in virtual time."""

BLOCK = 256
"""The number of messages that are made at once."""

KEPT = 400
"""The number of blocks that are kept for later runs: the first 102,400 messages, 21 MB."""


def block(number: int) -> list[Message]:
    """The messages of one block."""
    if number < KEPT:
        return kept_block(number)
    return made(range(number * BLOCK, number * BLOCK + BLOCK))


@cache
def kept_block(number: int) -> list[Message]:
    """The messages of one of the KEPT blocks. They are the same in every run, and making them costs
    as much as sending them.
    """
    return made(range(number * BLOCK, number * BLOCK + BLOCK))


def made(indexes: Iterable[int]) -> list[Message]:
    """The messages with these numbers, counted from 0 in order of arrival."""
    new = tuple.__new__  # the constructor of a NamedTuple costs more than everything else here
    messages = []
    for index in indexes:
        number = str(index + 1)
        messages.append(new(Message, (number, f"m{number}@example.com", DATA)))
    return messages


class PendingTake:
    """A worker that waits for messages; ``given`` are the numbers of those it gets."""

    __slots__ = ("given", "most", "sleeper")

    def __init__(self, sleeper: greenlet, most: int) -> None:
        self.sleeper = sleeper
        self.most = most
        self.given: list[int] = []


class WorldOutbox(Outbox):
    """``arrivals`` are ascending microseconds. ``on_settled`` is called once, at the instant at
    which all messages are settled.
    """

    def __init__(
        self, clock: Clock, arrivals: Sequence[int], on_settled: Callable[[], None]
    ) -> None:
        super().__init__(len(arrivals))
        self._clock = clock
        self.arrivals = arrivals
        self._end_run = on_settled
        self._total = len(arrivals)
        # The block that the latest take came from, and its number.
        self._at_hand: tuple[int, list[Message]] = (-1, [])
        self._waiters = deque[PendingTake]()
        self._alarm: int | None = None
        self.ended = False

    def take(self, claim: Claim, most: int) -> list[Message]:
        if claim.held:
            self.give_up(claim)
        clock = self._clock
        start = self._next
        clock.tick()
        end = start + most
        if (
            end <= self._total
            and self.arrivals[end - 1] <= clock.moment
            and not self._back
            and not self._waiters
        ):
            # Nearly always: as many as asked for have arrived, and nothing comes before them. If
            # they also lie within one block, they are a slice of it.
            self._next = end
            claim.held = range(start, end)
            number = start // BLOCK
            place = start % BLOCK
            if place + most <= BLOCK:
                if number != self._at_hand[0]:
                    self._at_hand = (number, block(number))
                return self._at_hand[1][place : place + most]
        else:
            claim.held = dict.fromkeys(self._take_some(most))
        return made(claim.held)

    def put_back(self, claim: Claim, message: Message) -> None:
        if not isinstance(message, Message):
            raise StrategyError(
                f"put back {str(message)[:60]!r}, which is no message of the outbox"
            )
        self._clock.tick()
        super().put_back(claim, message)

    def index(self, message: Message) -> int:
        # The id is the number, so a table of a million messages is not needed. A strategy may pass
        # anything.
        try:
            index = int(message[0]) - 1
        except (IndexError, KeyError, TypeError, ValueError):
            index = -1
        if 0 <= index < self._total:
            return index
        raise StrategyError(f"used {str(message)[:60]!r}, which is no message of the outbox")

    def last_moment(self) -> int:
        """When a run that no worker is left in is settled: with its last arrival or acceptance."""
        last_arrival = self.arrivals[-1] if self.arrivals else 0
        return max(self._clock.moment, last_arrival, self.latest)

    def _take_some(self, most: int) -> list[int]:
        given = [] if self._waiters else self._pull(most)
        if not given and not self.ended:
            self._clock.check_thread()
            waiter = PendingTake(getcurrent(), most)
            self._waiters.append(waiter)
            self._set_alarm()
            self._clock.park()
            given = waiter.given
        return given

    def _arrived(self, stop: int) -> int:
        arrivals = self.arrivals
        now = self._clock.moment
        end = self._next
        stop = min(self._total, stop)
        while end < stop and arrivals[end] <= now:
            end += 1
        return end

    def _serve(self) -> None:
        """First come, first served."""
        while self._waiters:
            given = self._pull(self._waiters[0].most)
            if not given:
                break
            waiter = self._waiters.popleft()
            waiter.given = given
            self._clock.wake(waiter.sleeper)
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._waiters and self._alarm is None and self._next < self._total:
            self._alarm = self.arrivals[self._next]
            self._clock.at(self._alarm, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._serve()

    def _on_settled(self) -> None:
        self._clock.at(max(self.latest, self._clock.moment), self._end)

    def _end(self) -> None:
        """Ends the run, unless a lost message was put back in the meantime: then settling it again
        schedules another call.
        """
        if self._unsettled or self.ended:
            return
        self.ended = True
        self._end_run()
        for waiter in self._waiters:
            self._clock.wake(waiter.sleeper)
        self._waiters.clear()
