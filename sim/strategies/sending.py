"""Shared by the strategies that lose no message: :func:`send_batch` puts back what was not
accepted, :func:`log_in` waits for a turn, and :class:`Gate` stops logins after a refusal.

Times are seconds since the start of the run, passed as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from .api import Connection, Disconnected, Message, Refused, Sender

POLL_S = 1.0
"""How often the others look again while one login tests a shut gate."""

TICK_S = 1e-5
"""A sleep may end this much early because of rounding."""

WRONG_PASSWORD = 535


class Attempt(NamedTuple):
    """The outcome of a batch: whether the login succeeded, how many messages were accepted, and the
    error that ended it early.
    """

    logged_in: bool
    accepted: int
    stopped: Refused | Disconnected | None


class Turns(Protocol):
    """Decides when the workers of one username, which may be threads, log in. ``epoch`` identifies
    a turn: turns of an earlier epoch are void.
    """

    def book(self, now: float) -> tuple[float, int]:
        """The time at which to call :meth:`may_go`, and the epoch to pass to it."""

    def may_go(self, epoch: int, now: float) -> bool:
        """Whether the login may start; if not, book another turn."""

    def passed(self, epoch: int, now: float, took: float) -> None:
        """Records that a login which took ``took`` seconds was accepted."""

    def refused(self, epoch: int, now: float, *, wrong: bool) -> None:
        """Records that a login was refused; ``wrong`` means for its password (535)."""

    def failed(self, epoch: int) -> None:
        """Records that a login ended without an answer, for example because the connection died."""


def send_batch(
    sender: Sender, batch: Sequence[Message], connect: Callable[[], Connection] | None = None
) -> Attempt:
    """Sends ``batch`` over one connection, and puts messages that were not accepted back at the
    front of the outbox, in their order.

    ``connect`` replaces ``sender.connect``.
    """
    accepted = 0
    logged_in = False
    stopped: Refused | Disconnected | None = None
    try:
        with (connect or sender.connect)() as connection:
            logged_in = True
            for message in batch:
                connection.send(message)
                accepted += 1
    except (Refused, Disconnected) as error:
        stopped = error
    for message in reversed(batch[accepted:]):
        sender.put_back(message)
    return Attempt(logged_in, accepted, stopped)


def log_in(sender: Sender, turns: Turns) -> Connection:
    """Waits for a turn, connects, and reports the outcome to ``turns``."""
    epoch = _wait_for_turn(sender, turns)
    begun = sender.now()
    try:
        connection = sender.connect()
    except Refused as refused:
        turns.refused(epoch, sender.now(), wrong=refused.code == WRONG_PASSWORD)
        raise
    except Disconnected:
        turns.failed(epoch)
        raise
    turns.passed(epoch, sender.now(), sender.now() - begun)
    return connection


def _wait_for_turn(sender: Sender, turns: Turns) -> int:
    """Sleeps until the worker may log in. Returns the epoch of its turn."""
    while True:
        at, epoch = turns.book(sender.now())
        sender.sleep(max(0.0, at - sender.now()))
        if turns.may_go(epoch, sender.now()):
            return epoch


class Gate:
    """Stops the logins of a username after a refusal. Then one login at a time tests whether logins
    work again, until one is accepted.

    Without it, all waiting logins would start when the wait ends, and each might be one more wrong
    password. It has no lock: the caller must hold one if threads share it.
    """

    __slots__ = ("_ask_at", "_asking", "epoch", "shut")

    def __init__(self, *, shut: bool) -> None:
        self.shut = shut
        self.epoch = 0
        """Counts how often the gate was shut or opened."""
        self._asking = False
        self._ask_at = 0.0

    def when(self, now: float) -> float:
        """While it is shut: the time at which to call :meth:`may_ask`."""
        return now + POLL_S if self._asking else max(now, self._ask_at)

    def may_ask(self, epoch: int, now: float) -> bool:
        """While it is shut: whether this login is the test. No other login may start until its
        outcome is known.
        """
        if epoch != self.epoch or self._asking or now < self._ask_at - TICK_S:
            return False
        self._asking = True
        return True

    def close(self, ask_at: float) -> None:
        """Stops all logins until ``ask_at``, then allows one at a time."""
        if not self.shut:
            self.shut = True
            self.epoch += 1
        self._asking = False
        self._ask_at = ask_at

    def came_to_nothing(self, epoch: int) -> None:
        """A login of ``epoch`` got no answer. If it was the test, another login may be."""
        if epoch == self.epoch:
            self._asking = False

    def open(self) -> None:
        """The test was accepted: allows all logins."""
        self.shut = False
        self._asking = False
        self.epoch += 1
