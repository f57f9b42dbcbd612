"""Postfix's queue manager for one destination, which decides how many deliveries run at a time.

Every success allows one more and every failure to reach the relay one less. After a cohort of such
failures in a row the destination is suspended, and all messages for it are deferred without a try.
Its timers count whole seconds. Written from qmgr(8) and the sources of Postfix (qmgr_queue.c,
qmgr_entry.c, qmgr_deliver.c).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import Enum

from ..dialogue import LibrarySender, Signal

LONG_AGO = -1_000_000


class Outcome(Enum):
    """The outcome of a delivery. UNREACHED is deferred too, and means that the relay itself has a
    problem.
    """

    SENT = "sent"
    DEFERRED = "deferred"
    UNREACHED = "unreached"
    BOUNCED = "bounced"


@dataclass(frozen=True, slots=True)
class Feedback:
    """A number such as 1, 0.5, 1/8, 1/concurrency or 1/sqrt_concurrency."""

    base: float
    root: float
    """The power of the window that it is divided by."""

    @classmethod
    def read(cls, name: str, text: str) -> Feedback:
        """Reads ``text`` as in main.cf. ValueError with a message for users if it is invalid."""
        above, _, below = text.partition("/")
        roots = {"": 0.0, "concurrency": 1.0, "sqrt_concurrency": 0.5}
        try:
            base = float(above) / (float(below) if below.strip() not in roots else 1)
        except (ValueError, ZeroDivisionError):
            base = -1
        if not 0 <= base <= 1:
            allowed = "a number from 0 to 1, such as 0.5, 1/8, 1/concurrency or 1/sqrt_concurrency"
            raise ValueError(f'{name} = "{text}" is no feedback; allowed: {allowed}')
        return cls(base, roots.get(below.strip(), 0.0))

    def at(self, window: int) -> float:
        """The value at this window."""
        return self.base / math.pow(window, self.root)


@dataclass(frozen=True, slots=True)
class Scheduling:
    """The parameters of main.cf for scheduling; times are seconds."""

    limit: int
    initial: int
    rate_delay: int
    backoff: int
    cohorts: float
    gain: Feedback
    loss: Feedback
    processes: int


class Delivery:
    """A message that waits for its turn. ``go`` is None until the decision: true to deliver it,
    false to defer it.
    """

    __slots__ = ("go", "load", "signal", "store")

    def __init__(self, signal: Signal) -> None:
        self.signal = signal
        self.go: bool | None = None
        self.load = False
        self.store = False


class Destination:
    """The one destination of a Postfix with a relayhost."""

    def __init__(self, sender: LibrarySender, spec: Scheduling) -> None:
        self._sender = sender
        self._spec = spec
        self._waiting = deque[Delivery]()
        self._busy = 0
        self._suspended_until: int | None = None
        self._paused = False
        self._forget()

    def submit(self, delivery: Delivery) -> None:
        """Queues a message; the decision may come immediately."""
        self._look_again()
        if self._suspended_until is not None:
            self._decide(delivery, go=False)
            return
        self._waiting.append(delivery)
        self._dispatch()

    def done(self, outcome: Outcome) -> None:
        """Records the outcome of a delivery."""
        self._look_again()
        if outcome is Outcome.UNREACHED:
            if self._suspended_until is None:
                self._worse()
        else:
            self._better()
        self._busy -= 1
        self._last_done = self._second()
        if self._spec.rate_delay:
            self._suspended_until = None
            self._paused = True
            self._sender.spawn(self._resume)
        elif not self._busy and not self._waiting and self._suspended_until is None:
            self._forget()
        self._dispatch()

    def _second(self) -> int:
        return math.floor(self._sender.now())

    def _forget(self) -> None:
        """Resets the destination, as Postfix does when the last message for it is gone."""
        self._window = self._spec.initial
        self._gained = 0.0
        self._lost = 0.0
        self._cohorts = 0.0
        self._load = self._store = False
        self._last_done = LONG_AGO

    def _look_again(self) -> None:
        """Ends the suspension of the destination when its time is over."""
        if self._suspended_until is not None and self._second() >= self._suspended_until:
            self._better()

    def _dispatch(self) -> None:
        while (
            self._waiting
            and not self._paused
            and self._busy < min(self._window, self._spec.processes)
        ):
            delivery = self._waiting.popleft()
            self._busy += 1
            back_to_back = self._last_done + 1 >= self._second()
            if not self._store:
                if back_to_back:
                    self._load = self._store = True
            elif self._busy <= 1 and not back_to_back:
                self._store = False
            delivery.load = self._load
            delivery.store = self._store
            self._decide(delivery, go=True)

    def _decide(self, delivery: Delivery, *, go: bool) -> None:
        delivery.go = go
        delivery.signal.set()

    def _better(self) -> None:
        """Positive feedback, or the end of a suspension."""
        self._cohorts = 0.0
        if self._suspended_until is not None:
            self._suspended_until = None
            self._window = self._busy or self._spec.initial
            self._gained = self._lost = 0.0
        elif self._window < min(self._spec.limit or math.inf, self._busy + self._spec.initial):
            gain = self._spec.gain.at(self._window)
            self._gained += gain
            while self._gained + gain / 2 >= 1:
                self._window = self._window + 1
                self._gained = self._gained - 1
                self._lost = 0.0
            if self._spec.limit:
                self._window = min(self._window, self._spec.limit)

    def _worse(self) -> None:
        """Negative feedback, or the start of a suspension, which defers all waiting messages."""
        self._cohorts += 1 / self._window
        if self._spec.cohorts and self._cohorts >= self._spec.cohorts:
            self._suspended_until = self._second() + self._spec.backoff
            self._load = self._store = False
            while self._waiting:
                self._decide(self._waiting.popleft(), go=False)
            return
        loss = self._spec.loss.at(self._window)
        self._lost -= loss
        while self._lost - loss / 2 < 0:
            self._window = self._window - 1
            self._gained = 0.0
            self._lost = self._lost + 1
        self._window = max(1, self._window)

    def _resume(self, sender: LibrarySender) -> None:
        """The end of a rate delay."""
        sender.sleep(self._spec.rate_delay)
        self._paused = False
        self._window = 1
        if not self._waiting and not self._busy:
            self._forget()
        self._dispatch()
