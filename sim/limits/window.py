"""The protocol of all limiters, and the base class of the five algorithms: a count of requests per
window.

All times are integer microseconds. ``now`` never goes backwards between the ``request`` calls of
one limiter; nothing checks it, because that is the hot path. ``would_pass``, ``used`` and
``next_pass`` change nothing, so they can also be asked about a later time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Protocol

Key = Hashable
"""The key that a limit counts for: an IP, a username, or a pair of both."""


State = tuple[int, ...]
"""The numbers that a limiter holds for one key; the first is the time at which they expire."""


class Limiter(Protocol):
    """Counts the requests of each key and decides which pass."""

    def request(self, key: Key, now: int) -> bool:
        """Whether the request passes. Counts it if it does; a refused one is counted only if the
        limiter was made with ``count_refused``.
        """

    def would_pass(self, key: Key, now: int) -> bool:
        """Whether a request at ``now`` would pass. Counts nothing."""

    def used(self, key: Key, now: int) -> int:
        """How much of the count is in use at ``now``, 0 to count. A request passes while it is less
        than the count.
        """

    def next_pass(self, key: Key, now: int) -> int:
        """The earliest time from ``now`` at which a request passes if no other arrives before."""

    def reset(self, key: Key) -> None:
        """Empties the count of ``key``, as if it had never made a request."""

    def state(self, key: Key, now: int) -> State | None:
        """The state of ``key``, for a later ``restore``; None if there is none."""

    def restore(self, key: Key, state: State, now: int) -> None:
        """Restores what ``state`` returned, into a limiter that has had no request yet. Restore the
        states in the order in which they expire.

        ``now`` is the time of the first request to come; a state that has expired by then is
        ignored.
        """

    def __len__(self) -> int:
        """The number of keys held in memory."""


class Window(ABC):
    """The part that all five algorithms share: ``count`` requests per ``per`` microseconds, both at
    least 1.
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
