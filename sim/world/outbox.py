"""The outbox of a run: messages in order of arrival, in whose hands each is, and when all are
settled.

Arrivals need no event of their own: a worker that takes looks at the time, and only one that waits
has an alarm. Knows the clock and messages; nothing of relays, and of workers only what they hold.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import islice

from greenlet import getcurrent, greenlet

from ..errors import StrategyError
from ..strategies.api import Message
from .clock import Clock

DATA = b"Subject: a message of the simulation\r\n\r\nIt is as short as it can be.\r\n"
"""Headers and body of every message in virtual time."""


BLOCK = 256
KEPT = 400
"""Messages made at once, and how many such blocks are kept for later runs: the first 102,400
messages, 21 MB.
"""


@cache
def block(number: int) -> list[Message]:
    """The messages of one of the KEPT blocks. They are the same in every run, and making them costs
    as much as sending them.
    """
    return made(range(number * BLOCK, number * BLOCK + BLOCK))


def made(places: Iterable[int]) -> list[Message]:
    """The messages that stand there in the order of arrival, from 0."""
    new = tuple.__new__
    messages = []  # a NamedTuple's own constructor costs more than all else here
    for place in places:
        number = str(place + 1)
        messages.append(new(Message, (number, f"m{number}@example.com", DATA)))
    return messages


class Hands:
    """What one worker has taken; ``alive`` until the worker has ended."""

    __slots__ = ("alive", "held")

    def __init__(self) -> None:
        # The indexes: a range as long as it is just what was taken in one go, which is nearly
        # always.
        self.held: range | dict[int, None] = {}
        self.alive = True

    def let_go(self, index: int) -> bool:
        """Takes ``index`` out of these hands; False if it is not in them."""
        held = self.held
        if index not in held:
            return False
        if isinstance(held, range):
            self.held = held = dict.fromkeys(held)
        del held[index]
        return True

    def hold(self, index: int) -> None:
        """Puts ``index`` into these hands."""
        held = self.held
        if isinstance(held, range):
            self.held = held = dict.fromkeys(held)
        held[index] = None


class Waiter:
    """A worker that waits for messages; ``given`` are the indexes it gets."""

    __slots__ = ("given", "hands", "most", "sleeper")

    def __init__(self, sleeper: greenlet, hands: Hands, most: int) -> None:
        self.sleeper = sleeper
        self.hands = hands
        self.most = most
        self.given: list[int] = []


class Outbox:
    """``arrivals`` are ascending microseconds. ``on_settled`` is called once, at the instant at
    which all are settled.
    """

    def __init__(
        self, clock: Clock, arrivals: Sequence[int], on_settled: Callable[[], None]
    ) -> None:
        self._clock = clock
        self.arrivals = arrivals
        self._on_settled = on_settled
        self._total = len(arrivals)
        self._at_hand: tuple[int, list[Message]] = (
            -1,
            [],
        )  # the block that was taken from last, and its number
        self._next = 0
        self._back = deque[int]()
        self._waiters = deque[Waiter]()
        self._alarm: int | None = None
        self._in_box = bytearray(len(arrivals))  # 1 where put back and not taken again
        # A 1 for each message that was accepted; read where every message passes, and written by
        # accept() alone.
        self.accepted = bytearray(len(arrivals))
        self._lost = bytearray(len(arrivals))
        self._unsettled = len(arrivals)
        self._latest = 0
        self.ended = False

    @property
    def progress(self) -> tuple[int, int]:
        """How many messages are settled, and how many the workload has."""
        return self._total - self._unsettled, self._total

    def take(self, hands: Hands, most: int) -> list[Message]:
        """At most ``most`` messages; waits for the first; empty once all are settled."""
        if hands.held:
            self.give_up(hands)
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
            self._next = (
                end  # nearly always: all that is asked for is there, and nothing stands before it
            )
            hands.held = range(start, end)
            number = start // BLOCK
            place = start % BLOCK
            if place + most <= BLOCK:
                if number != self._at_hand[0]:
                    self._at_hand = (
                        number,
                        block(number)
                        if number < KEPT
                        else made(range(start - place, start - place + BLOCK)),
                    )
                return self._at_hand[1][place : place + most]
        else:
            hands.held = dict.fromkeys(self._take_some(hands, most))
        return made(hands.held)

    def _take_some(self, hands: Hands, most: int) -> list[int]:
        given = [] if self._waiters else self._pull(most)
        if not given and not self.ended:
            self._clock.check_thread()
            waiter = Waiter(getcurrent(), hands, most)
            self._waiters.append(waiter)
            self._set_alarm()
            self._clock.park()
            given = waiter.given
        return given

    def put_back(self, hands: Hands, message: Message) -> None:
        """First into the outbox again. StrategyError for a message that is there already or never
        came from it.
        """
        if not isinstance(message, Message):
            raise StrategyError(
                f"put back {str(message)[:60]!r}, which is no message of the outbox"
            )
        index = self.index(message)
        if index >= self._next or self._in_box[index]:
            raise StrategyError(f"put back message {message.id}, which is in the outbox already")
        self._clock.tick()
        hands.let_go(index)
        if self._lost[index]:
            self._lost[index] = 0
            self._unsettled += not self.accepted[index]
        self._in_box[index] = 1
        self._back.appendleft(index)
        self._serve()

    def index(self, message: Message) -> int:
        """Where ``message`` stands in the order of arrival; StrategyError if it did not come from
        this outbox.
        """
        try:
            index = int(message[0]) - 1
        except (IndexError, KeyError, TypeError, ValueError):
            index = -1
        if 0 <= index < self._total:
            return index
        raise StrategyError(f"used {str(message)[:60]!r}, which is no message of the outbox")

    def accept(self, index: int, at: int) -> None:
        """The relay accepts the message ``index`` at ``at``, now or a little later."""
        if not self.accepted[index]:
            self.accepted[index] = 1
            if at > self._latest:
                self._latest = at
            if not self._lost[index]:
                self._unsettled -= 1
                if not self._unsettled:
                    self._clock.at(self._latest, self._end)

    def give_up(self, hands: Hands) -> None:
        """What is in ``hands``, neither accepted nor put back, is lost."""
        held = hands.held
        accepted = self.accepted
        if type(held) is range and accepted.find(0, held.start, held.stop) < 0:
            return
        for index in held:
            if not accepted[index] and not self._lost[index] and not self._in_box[index]:
                self._lost[index] = 1
                self._settle(self._clock.moment)
        hands.held = {}

    def give_up_one(self, hands: Hands, message: Message) -> None:
        """``message`` is lost, as in ``give_up``; nothing if it is not in ``hands``."""
        index = self.index(message)
        if hands.let_go(index):
            one = Hands()
            one.hold(index)
            self.give_up(one)

    def abandon(self) -> int:
        """All workers have ended: what is left, and what still arrives, is lost. Returns when the
        last of it arrives.
        """
        for index in range(len(self.arrivals)):
            if not self.accepted[index]:
                self._lost[index] = 1
        return max(self._clock.moment, self.arrivals[-1] if self.arrivals else 0, self._latest)

    def lost(self) -> list[int]:
        """The indexes of all that were given up."""
        return [index for index, flag in enumerate(self._lost) if flag] if 1 in self._lost else []

    def _pull(self, most: int) -> list[int]:
        back = self._back
        now = self._clock.moment
        arrivals = self.arrivals
        start = self._next
        given = [back.popleft() for _ in range(min(most, len(back)))]
        for index in given:
            self._in_box[index] = 0
        end = start
        stop = min(len(arrivals), start + most - len(given))
        while end < stop and arrivals[end] <= now:
            end += 1
        given.extend(range(start, end))
        self._next = end
        return given

    def _serve(self) -> None:
        """Hands what is there to the workers that wait, first come first served."""
        while self._waiters:
            given = self._pull(self._waiters[0].most)
            if not given:
                break
            waiter = self._waiters.popleft()
            waiter.given = given
            self._clock.wake(waiter.sleeper)
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._waiters and self._alarm is None and self._next < len(self.arrivals):
            self._alarm = self.arrivals[self._next]
            self._clock.at(self._alarm, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._serve()

    def _settle(self, at: int) -> None:
        self._unsettled -= 1
        if at > self._latest:
            self._latest = at
        if self._unsettled == 0:
            self._clock.at(self._latest, self._end)

    def _end(self) -> None:
        """All are settled, unless a lost one was put back in the meantime; then a later call ends
        it.
        """
        if self._unsettled or self.ended:
            return
        self.ended = True
        self._on_settled()
        for waiter in islice(self._waiters, None):
            self._clock.wake(waiter.sleeper)
        self._waiters.clear()
