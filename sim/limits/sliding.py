"""A sliding window: a request passes while fewer than N counted requests are younger than ``per``.

Holds only the times of the last N counted requests of each key. That is enough, and it bounds the
memory also when refused requests count: N requests are younger than ``per`` exactly if the N-th
last one is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence

from .expiring import Keeping
from .window import Key


class Sliding(Keeping[deque[int]]):
    """At most ``count`` requests in any span of ``per``. A request that is exactly ``per`` old does
    not count any more.
    """

    def __init__(self, count: int, per: int, *, count_refused: bool = False) -> None:
        super().__init__(count, per, count_refused=count_refused)

    def request(self, key: Key, now: int) -> bool:
        held = self._kept.find(key, now)
        if held is None:
            self._kept.put(key, now + self.per, deque((now,), self.count))
            return True
        times = held.value
        old = now - self.per
        while times[0] <= old:  # the last is younger, else the key would be over
            times.popleft()
        passes = len(times) < self.count
        if passes or self.count_refused:
            times.append(now)
            self._kept.renew(key, held, now + self.per)
        return passes

    def used(self, key: Key, now: int) -> int:
        held = self._kept.look(key, now)
        return 0 if held is None else len(held.value) - bisect_right(held.value, now - self.per)

    def next_pass(self, key: Key, now: int) -> int:
        held = self._kept.look(key, now)
        return (
            now
            if held is None or len(held.value) < self.count
            else max(now, held.value[0] + self.per)
        )

    def _numbers(self, value: deque[int]) -> Iterable[int]:
        return value

    def _value(self, numbers: Sequence[int]) -> deque[int]:
        return deque(numbers, self.count)
