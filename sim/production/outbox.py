"""The outbox in production: messages that arrive while the run lasts, and threads that wait for
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Condition

from ..errors import StrategyError
from ..outbox import Claim, Outbox
from ..strategies.api import Message


class ProductionOutbox(Outbox):
    """One lock, ``changed``, guards it; each call that changes something holds it and notifies.

    ``check`` raises once the run is stopped, so that no worker waits for messages any longer.
    """

    def __init__(self, changed: Condition, check: Callable[[], None]) -> None:
        super().__init__(0)
        self._changed = changed
        self._check = check
        self.submitted: list[Message] = []
        self._numbers: dict[str, int] = {}
        # A strategy may put a message back with other data. That is then sent, but Outcome.unsent
        # has the message as it was submitted.
        self._rewritten: dict[int, Message] = {}
        self.accepted_ids: list[str] = []
        self.duplicated = 0
        self.complete = False

    def add(self, message: Message) -> bool:
        """A message arrives. Returns False if its id is not new."""
        with self._changed:
            if message.id in self._numbers:
                return False
            self._numbers[message.id] = len(self.submitted)
            self.submitted.append(message)
            for flags in (self.accepted, self._lost, self._is_back):
                flags.append(0)
            self._unsettled += 1
            self._changed.notify_all()
            return True

    def end_of_workload(self) -> None:
        """No more messages arrive."""
        with self._changed:
            self.complete = True
            self._changed.notify_all()

    @property
    def settled(self) -> bool:
        """Whether no more messages arrive and each is accepted or lost."""
        return self.complete and not self._unsettled

    def knows(self, message: Message) -> bool:
        """Whether ``message`` came from this outbox."""
        return isinstance(message, Message) and message.id in self._numbers

    def index(self, message: Message) -> int:
        if not self.knows(message):
            raise StrategyError(f"used {str(message)[:60]!r}, which is no message of the outbox")
        return self._numbers[message.id]

    def take(self, claim: Claim, most: int) -> list[Message]:
        with self._changed:
            self._check()
            self.give_up(claim)
            while not self._back and self._next == len(self.submitted) and not self.settled:
                self._changed.wait()
                self._check()
            claim.held = dict.fromkeys(self._pull(most))
            return [self._rewritten.get(index, self.submitted[index]) for index in claim.held]

    def put_back(self, claim: Claim, message: Message) -> None:
        with self._changed:
            self._check()
            super().put_back(claim, message)
            self._rewritten[self.index(message)] = message

    def accept(self, index: int, at: int = 0) -> None:
        with self._changed:
            if self.accepted[index]:
                self.duplicated += 1
            else:
                self.accepted_ids.append(self.submitted[index].id)
            super().accept(index, at)

    def give_up(self, claim: Claim) -> None:
        with self._changed:
            super().give_up(claim)

    def hand_over(self, giver: Claim, receiver: Claim, messages: Iterable[Message]) -> None:
        with self._changed:
            super().hand_over(giver, receiver, messages)

    def abandon(self) -> None:
        with self._changed:
            super().abandon()

    def _arrived(self, stop: int) -> int:
        return min(stop, len(self.submitted))

    def _serve(self) -> None:
        self._changed.notify_all()

    def _on_settled(self) -> None:
        self._changed.notify_all()
