"""A limit at work: a limiter, the block that follows a request over it, and the limit's name.

``make_limiter`` makes a limiter from the name of its algorithm. All times are integer microseconds
and never go backwards between calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..errors import nearest
from .aligned import Aligned
from .expiring import Kept
from .fixed import Fixed
from .gcra import Gcra
from .sliding import Sliding
from .sliding_counter import SlidingCounter
from .window import Key, Limiter, State

_ALGORITHMS: dict[str, Callable[..., Limiter]] = {
    "fixed": Fixed,
    "aligned": Aligned,
    "sliding": Sliding,
    "sliding-counter": SlidingCounter,
    "gcra": Gcra,
}

WINDOWS = tuple(_ALGORITHMS)
"""The names of the algorithms, the default first."""


def make_limiter(
    window: str, count: int, per: int, *, count_refused: bool | None = None, from_last: bool = False
) -> Limiter:
    """An empty limiter that allows ``count`` requests per ``per`` microseconds.

    ``count_refused`` None is the algorithm's default: true for fixed and aligned, false for the
    others. ``from_last`` is only for fixed. Raises a ValueError with a message for the user.
    """
    if window not in _ALGORITHMS:
        raise ValueError(
            f'"{window}" is not a window algorithm; allowed: '
            f"{', '.join(WINDOWS)}{nearest(window, WINDOWS)}"
        )
    if from_last and window != "fixed":
        raise ValueError(f'only a "fixed" window can be kept from the last request, not "{window}"')
    options = {} if count_refused is None else {"count_refused": count_refused}
    if from_last:
        options["from_last"] = True
    return _ALGORITHMS[window](count, per, **options)


class Blocks:
    """The blocks of one limit, each ``duration`` microseconds long (at least 1): one that begins at
    t is [t, t + duration).
    """

    def __init__(self, duration: int) -> None:
        if duration < 1:
            raise ValueError(f"a block is 1 microsecond or longer, not {duration}")
        self.duration = duration
        self._kept: Kept[None] = Kept()

    def start(self, key: Key, now: int) -> int:
        """Begins a block of ``key`` and returns its end. Does not extend a running block."""
        held = self._kept.find(key, now)
        if held is not None:
            return held.end
        self._kept.put(key, now + self.duration, None)
        return now + self.duration

    def until(self, key: Key, now: int) -> int | None:
        """The end of the block that runs at ``now``, or None. Drops blocks that are over."""
        held = self._kept.find(key, now)
        return None if held is None else held.end

    def restore(self, key: Key, end: int) -> None:
        """Restores a block that ends at ``end``. Call it before anything else, and for the blocks
        in the order in which they end.
        """
        self._kept.put(key, end, None)

    def __len__(self) -> int:
        return len(self._kept)


class Verdict(NamedTuple):
    """The decision on one request; true in a condition if it passed. ``block_until`` is the end of
    the block that the request began, if any.
    """

    passed: bool
    block_until: int | None

    def __bool__(self) -> bool:  # a tuple with two items would always be true
        return self.passed


PASSED = Verdict(passed=True, block_until=None)
REFUSED = Verdict(passed=False, block_until=None)


class Limit:
    """``name`` is the policy's key; ``block`` is the length of the block in microseconds, or None
    for a limit without one.

    Has no ``__len__`` on purpose: ``if limit`` must be true also before the first request.
    """

    __slots__ = ("_blocks", "_ever_blocked", "block", "limiter", "name")

    def __init__(self, name: str, limiter: Limiter, block: int | None) -> None:
        self.name = name
        self.limiter = limiter
        self.block = block
        self._blocks = None if block is None else Blocks(block)
        # Most limits never block anything; until one does, ``blocked`` needs no look-up.
        self._ever_blocked = False

    def request(self, key: Key, now: int) -> Verdict:
        """Counts one request. During a block, requests are refused and not counted.

        The first request over the limit begins a block and empties the count, so that the key
        starts from zero after the block.
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
        """The end of the block of ``key`` that runs at ``now``, or None."""
        if not self._ever_blocked or self._blocks is None:
            return None
        return self._blocks.until(key, now)

    def state(self, key: Key, now: int) -> tuple[int | None, State | None]:
        """The end of the block of ``key``, and the state of its limiter; each None if there is
        none.
        """
        return self.blocked(key, now), self.limiter.state(key, now)

    def restore(self, key: Key, block: int | None, state: State | None, now: int) -> None:
        """Restores what ``state`` returned, before any request and in the order in which the blocks
        and states end. ``now`` as in ``Limiter.restore``.
        """
        if block is not None and block > now and self._blocks is not None:
            self._ever_blocked = True
            self._blocks.restore(key, block)
        if state is not None:
            self.limiter.restore(key, state, now)

    def reset(self, key: Key) -> None:
        """Empties the count of ``key``, as a success does. Ends no block."""
        self.limiter.reset(key)
