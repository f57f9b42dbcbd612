"""Which messages wait, which each worker holds, and which are accepted or lost: the bookkeeping of
an outbox, the same in virtual time and in production.

The doors derive from :class:`Outbox` and add how messages arrive, how a worker waits for them and
what happens once all are settled. ``tests/test_outbox.py`` runs one state machine over all of them.
Knows no clock, thread or relay.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable

from .errors import StrategyError
from .strategies.api import Message


class Claim:
    """The messages that one worker holds, as their numbers in order of arrival."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        # Nearly always a worker holds just what one call took. A range needs no object per message
        # and can be checked against the accepted messages in one step.
        self.held: range | dict[int, None] = {}

    def let_go(self, index: int) -> bool:
        """Removes ``index``; returns False if this claim does not hold it."""
        held = self.held
        if index not in held:
            return False
        if isinstance(held, range):
            self.held = held = dict.fromkeys(held)
        del held[index]
        return True

    def hold(self, index: int) -> None:
        """Adds ``index``."""
        held = self.held
        if isinstance(held, range):
            self.held = held = dict.fromkeys(held)
        held[index] = None


class Outbox(ABC):
    """The messages of a run, numbered from 0 in order of arrival.

    A message is settled once it is accepted or lost. It is lost when the worker that holds it takes
    again, gives it up or ends. A lost message that is put back is unsettled again. A message that
    two workers hold counts once.
    """

    def __init__(self, total: int) -> None:
        # One byte per message: 1 where the relay accepted it. Written by accept() only.
        self.accepted = bytearray(total)
        self._lost = bytearray(total)
        self._is_back = bytearray(total)  # put back and not taken again
        self._back = deque[int]()
        self._next = 0  # the first message that was never taken
        self._unsettled = total
        self.latest = 0
        """The time of the latest acceptance, which in virtual time may be ahead of the present."""

    @abstractmethod
    def index(self, message: Message) -> int:
        """The number of ``message``; StrategyError if it did not come from this outbox."""

    @abstractmethod
    def take(self, claim: Claim, most: int) -> list[Message]:
        """Gives up what ``claim`` holds, then returns at most ``most`` messages, which it holds
        from then on.

        Messages that were put back come first, the last one put back before the others. Waits for
        the first message; returns an empty list once all are settled.
        """

    @abstractmethod
    def _arrived(self, stop: int) -> int:
        """The end of the messages that have arrived; need not look beyond ``stop``."""

    @abstractmethod
    def _serve(self) -> None:
        """Messages wait again: wakes the workers that wait for some."""

    @abstractmethod
    def _on_settled(self) -> None:
        """The last message was just settled."""

    @property
    def progress(self) -> tuple[int, int]:
        """The number of settled messages, and of all."""
        total = len(self.accepted)
        return total - self._unsettled, total

    def put_back(self, claim: Claim, message: Message) -> None:
        """Puts ``message`` first. StrategyError if it is in the outbox already or never came from
        it.
        """
        index = self.index(message)
        if index >= self._next or self._is_back[index]:
            raise StrategyError(f"put back message {message.id}, which is in the outbox already")
        claim.let_go(index)
        if self._lost[index]:
            self._lost[index] = 0
            self._unsettled += not self.accepted[index]
        self._is_back[index] = 1
        self._back.appendleft(index)
        self._serve()

    def accept(self, index: int, at: int = 0) -> None:
        """The relay accepts message ``index``. In virtual time ``at`` is when, now or a little
        later, because a whole transaction is judged in one step.
        """
        if not self.accepted[index]:
            self.accepted[index] = 1
            if at > self.latest:
                self.latest = at
            if not self._lost[index]:
                # Not a method of its own: this runs once for every message.
                self._unsettled -= 1
                if not self._unsettled:
                    self._on_settled()

    def give_up(self, claim: Claim) -> None:
        """Loses the messages that ``claim`` holds and the relay did not accept."""
        held = claim.held
        accepted = self.accepted
        if type(held) is range and accepted.find(0, held.start, held.stop) < 0:
            return  # nearly always: everything that was taken is accepted
        for index in held:
            if not accepted[index] and not self._lost[index] and not self._is_back[index]:
                self._lost[index] = 1
                self._unsettled -= 1
                if not self._unsettled:
                    self._on_settled()
        claim.held = {}

    def give_up_one(self, claim: Claim, message: Message) -> None:
        """Loses ``message`` as ``give_up`` does, if ``claim`` holds it."""
        index = self.index(message)
        if claim.let_go(index):
            one = Claim()
            one.hold(index)
            self.give_up(one)

    def hand_over(self, giver: Claim, receiver: Claim, messages: Iterable[Message]) -> None:
        """Moves those of ``messages`` that ``giver`` holds to ``receiver``."""
        for message in messages:
            index = self.index(message)
            if giver.let_go(index):
                receiver.hold(index)

    def abandon(self) -> None:
        """All workers have ended: each message that is not accepted is lost, also one that has yet
        to arrive.
        """
        for index, accepted in enumerate(self.accepted):
            if not accepted:
                self._lost[index] = 1

    def lost(self) -> list[int]:
        """The numbers of the lost messages. A message that was accepted after all is not lost."""
        if 1 not in self._lost:
            return []
        return [index for index, lost in enumerate(self._lost) if lost and not self.accepted[index]]

    def _pull(self, most: int) -> list[int]:
        """Takes out at most ``most`` of the messages that are there."""
        back = self._back
        start = self._next
        given = [back.popleft() for _ in range(min(most, len(back)))]
        for index in given:
            self._is_back[index] = 0
        end = self._arrived(start + most - len(given))
        given.extend(range(start, end))
        self._next = end
        return given


def check_most(most: object) -> None:
    """StrategyError unless ``most`` is a number of messages that ``take`` accepts."""
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise StrategyError(f"take({most!r}): a whole number of at least 1 is allowed")
