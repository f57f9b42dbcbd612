"""A fixed window: it begins at the key's first request, and the first N requests in it pass.

Each key has its own window. ``from_last`` is the other reading of "failures are kept for a day":
each counted request that passes moves the end of the window to ``per`` after itself. A refused one
never does.
"""

from __future__ import annotations

from .expiring import KeepingNumber
from .window import Key


class Fixed(KeepingNumber):
    """``count`` requests in [first, first + per).

    A refused request finds the count used up, so ``count_refused`` makes no difference.
    """

    def __init__(
        self, count: int, per: int, *, count_refused: bool = True, from_last: bool = False
    ) -> None:
        super().__init__(count, per, count_refused=count_refused)
        self.from_last = from_last

    def request(self, key: Key, now: int) -> bool:
        held = self._kept.find(key, now)
        if held is None:
            self._kept.put(key, now + self.per, 1)
            return True
        if held.value >= self.count:
            return False
        held.value += 1
        if self.from_last:
            self._kept.renew(key, held, now + self.per)
        return True

    def used(self, key: Key, now: int) -> int:
        held = self._kept.look(key, now)
        return 0 if held is None else held.value

    def next_pass(self, key: Key, now: int) -> int:
        held = self._kept.look(key, now)
        return now if held is None or held.value < self.count else held.end
