"""A limit at work: a limiter, the block that follows a request over it, and the limit's name.

Knows what a block does to the count. Knows nothing of what is counted or of what is answered. Times
are integer microseconds and never go backwards between calls.
"""

from __future__ import annotations

from typing import NamedTuple

from .blocks import Blocks
from .limiter import Key, Limiter, State


class Verdict(NamedTuple):
    """Of one request; true in a condition if it passed. ``block_until`` is the end of the block
    that it began, if any.
    """

    passed: bool
    block_until: int | None

    def __bool__(self) -> bool:  # a tuple of two would always be true
        return self.passed


PASSED = Verdict(True, None)  # noqa: FBT003 - the field is named beside it
REFUSED = Verdict(False, None)  # noqa: FBT003


class Limit:
    """``name`` is the policy's key, ``block`` the length of the block in microseconds or None for a
    limit without one.

    Has no length on purpose: ``if limit`` asks whether there is one, also of a limit that has not
    counted yet.
    """

    __slots__ = ("_blocks", "_ever_blocked", "block", "limiter", "name")

    def __init__(self, name: str, limiter: Limiter, block: int | None) -> None:
        self.name = name
        self.limiter = limiter
        self.block = block
        self._blocks = None if block is None else Blocks(block)
        self._ever_blocked = (
            False  # most limits never block anybody, and then there is nothing to look up
        )

    def request(self, key: Key, now: int) -> Verdict:
        """Counts one request. During a block it is refused and counts nothing; the first one over
        the limit begins a block.

        The count is emptied when a block begins, so that the key starts afresh after it.
        """
        blocks = self._blocks
        if blocks is not None and blocks.until(key, now) is not None:
            return REFUSED
        if self.limiter.request(key, now):
            return PASSED
        if blocks is None:
            return REFUSED
        self.limiter.reset(key)
        self._ever_blocked = True
        return Verdict(passed=False, block_until=blocks.start(key, now))

    def blocked(self, key: Key, now: int) -> int | None:
        """The end of the block of ``key`` that runs at ``now``, else None."""
        return (
            self._blocks.until(key, now)
            if self._ever_blocked and self._blocks is not None
            else None
        )

    def state(self, key: Key, now: int) -> tuple[int | None, State | None]:
        """The end of the block of ``key``, and what its limiter holds; None for what is not there."""
        return self.blocked(key, now), self.limiter.state(key, now)

    def restore(self, key: Key, block: int | None, state: State | None, now: int) -> None:
        """Takes up what ``state`` gave, in the order of the ends, before any request; ``now`` as in
        Limiter.restore.
        """
        if block is not None and block > now and self._blocks is not None:
            self._ever_blocked = True
            self._blocks.restore(key, block)
        if state is not None:
            self.limiter.restore(key, state, now)

    def reset(self, key: Key) -> None:
        """Empties the count of ``key``, as a success does. Lifts no block."""
        self.limiter.reset(key)
