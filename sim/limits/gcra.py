"""The generic cell rate algorithm, a token bucket: a burst of N, refilled evenly at N per ``per``.

Holds one number for each key: the time at which its bucket is full again, in units of 1/N of a
microsecond, so that a request costs exactly ``per`` of them and nothing is rounded. The bucket
never holds more than N or less than nothing.
"""

from __future__ import annotations

from .expiring import KeepingNumber
from .window import Key


class Gcra(KeepingNumber):
    """Up to 2 ``count`` - 1 requests in the first ``per``. A refused request that counts takes the
    rest in the bucket, which is less than one request.
    """

    def __init__(self, count: int, per: int, *, count_refused: bool = False) -> None:
        super().__init__(count, per, count_refused=count_refused)
        # A request passes while its bucket is full again within this time.
        self._spare = (count - 1) * per

    def request(self, key: Key, now: int) -> bool:
        held = self._kept.find(key, now)
        scaled = now * self.count
        full = scaled if held is None else max(held.value, scaled)
        passes = full <= scaled + self._spare
        if passes:
            full += self.per
        elif self.count_refused:
            full = scaled + self.count * self.per
        else:
            return False
        # Held for ``per`` after the last counted request, when any bucket is full: later than need
        # be, but in order.
        if held is None:
            self._kept.put(key, now + self.per, full)
        else:
            held.value = full
            self._kept.renew(key, held, now + self.per)
        return passes

    def used(self, key: Key, now: int) -> int:
        held = self._kept.look(key, now)
        return 0 if held is None else max(0, -((now * self.count - held.value) // self.per))

    def next_pass(self, key: Key, now: int) -> int:
        held = self._kept.look(key, now)
        return now if held is None else max(now, -((self._spare - held.value) // self.count))
