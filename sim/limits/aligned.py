"""Fixed windows at the clock's multiples of ``per``, the same for all keys.

Only the current window is held. When the next one begins, the counts of all keys are dropped at
once, which costs each counted key once.
"""

from __future__ import annotations

from .expiring import NEVER
from .window import Key, State, Window


class Aligned(Window):
    """``count`` requests in [k per, (k + 1) per).

    A refused request finds the count used up, so ``count_refused`` makes no difference.
    """

    def __init__(self, count: int, per: int, *, count_refused: bool = True) -> None:
        super().__init__(count, per, count_refused=count_refused)
        self._end = -NEVER  # of the window that runs
        self._used: dict[Key, int] = {}

    def request(self, key: Key, now: int) -> bool:
        if now >= self._end:
            self._end = now - now % self.per + self.per
            self._used = {}
        used = self._used.get(key, 0)
        if used >= self.count:
            return False
        self._used[key] = used + 1
        return True

    def used(self, key: Key, now: int) -> int:
        return self._used.get(key, 0) if now < self._end else 0

    def next_pass(self, key: Key, now: int) -> int:
        return now if self.would_pass(key, now) else self._end

    def reset(self, key: Key) -> None:
        self._used.pop(key, None)

    def state(self, key: Key, now: int) -> State | None:
        used = self.used(key, now)
        return (self._end, used) if used else None

    def restore(self, key: Key, state: State, now: int) -> None:
        end, used = state
        if end > now:  # the window that runs: no other ends later
            self._end = end
            self._used[key] = used

    def __len__(self) -> int:
        return len(self._used)
