"""What every limiter can do, and what all of them share: a count of requests per stretch of time.

Knows no algorithm. All times are integer microseconds.

``now`` never goes backwards between the ``request`` calls of one limiter; nothing checks it, since
that is the hot path. The looks (``would_pass``, ``used``, ``next_pass``) change nothing, so they
may also be asked about a later time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Protocol

Key = Hashable
"""What a limit tells apart: an IP, a username, a pair of both."""


State = tuple[int, ...]
"""What a limiter holds of one key, as numbers; the first is the time until which it matters."""


class Limiter(Protocol):
    """Counts the requests of each key and says which pass."""

    def request(self, key: Key, now: int) -> bool:
        """True if it passes. Counts it; a refused one too if the limiter was made with
        ``count_refused``.
        """

    def would_pass(self, key: Key, now: int) -> bool:
        """Whether a request at ``now`` would pass. Counts nothing."""

    def used(self, key: Key, now: int) -> int:
        """How much of the count is in use at ``now``: 0 to count, and a request passes while it is
        less than the count.
        """

    def next_pass(self, key: Key, now: int) -> int:
        """The earliest time from ``now`` on at which a request would pass if none came in between."""

    def reset(self, key: Key) -> None:
        """Empties the key, as if no request of it had ever come."""

    def state(self, key: Key, now: int) -> State | None:
        """What is held of ``key``, to be taken up later; None where that is nothing."""

    def restore(self, key: Key, state: State, now: int) -> None:
        """Takes up what ``state`` gave, into a limiter that has had no request yet, the state that
        ends first first.

        ``now`` is the time of the first request to come; what is over by then is not taken up.
        """

    def __len__(self) -> int:
        """How many keys are held in memory."""


class Window(ABC):
    """The half that all five algorithms share: ``count`` requests per ``per`` microseconds, both 1
    or more.
    """

    def __init__(self, count: int, per: int, *, count_refused: bool) -> None:
        if count < 1:
            raise ValueError(f"a limit's count is 1 or more, not {count}")
        if per < 1:
            raise ValueError(f"a limit's window is 1 microsecond or more, not {per}")
        self.count = count
        self.per = per
        self.count_refused = count_refused

    def would_pass(self, key: Key, now: int) -> bool:
        """Whether a request at ``now`` would pass. Counts nothing."""
        return self.used(key, now) < self.count

    @abstractmethod
    def used(self, key: Key, now: int) -> int:
        """How much of the count is in use at ``now``, 0 to count."""
