"""What the last stretch of time held, of events that come one by one and are not kept. Knows
nothing of SMTP.

Times are integer microseconds and never go backwards. The stretch is told in ticks, at most 6,000
of them, so memory is bounded whatever comes: an event counts from its tick on for exactly ``per``
rounded up to ticks.
"""

from __future__ import annotations

from collections import deque

TICKS = 6_000
"""Ticks of a stretch: 10 ms each of a minute."""
MOST_KEYS = 256
"""Keys of which each has its own count; a key beyond them is not counted while all the others are
in use.
"""


class Moving:
    """How many events the last ``per`` microseconds held, and the most that any such stretch held."""

    __slots__ = ("_counts", "_ticks", "peak", "tick", "total", "width")

    def __init__(self, per: int) -> None:
        self.tick = max(1, per // TICKS)
        self.width = -(-per // self.tick)
        self._ticks: deque[int] = deque()
        self._counts: deque[int] = deque()
        self.total = self.peak = 0

    def add(self, at: int) -> int:
        """One more event; returns how many the stretch that ends with it holds."""
        now = at // self.tick
        ticks = self._ticks
        counts = self._counts
        if ticks and ticks[-1] == now:
            counts[-1] += 1
        else:
            self._drop(now)
            ticks.append(now)
            counts.append(1)
        self.total = total = self.total + 1
        if total > self.peak:
            self.peak = total
        return total

    def level(self, at: int) -> int:
        """How many the stretch that ends at ``at`` holds; ``at`` is not before the latest event."""
        self._drop(at // self.tick)
        return self.total

    def empty(self) -> None:
        """Forgets the events, not the most that there were."""
        self._ticks.clear()
        self._counts.clear()
        self.total = 0

    def _drop(self, now: int) -> None:
        first = now - self.width
        ticks = self._ticks
        while ticks and ticks[0] <= first:
            ticks.popleft()
            self.total -= self._counts.popleft()


class MovingByKey:
    """A :class:`Moving` for each key."""

    __slots__ = ("_keys", "_per", "_purged")

    def __init__(self, per: int) -> None:
        self._per = per
        self._keys: dict[object, Moving] = {}
        self._purged = 0

    def add(self, key: object, at: int) -> int:
        """One more event of ``key``; returns how many its last ``per`` holds."""
        found = self._keys.get(key)
        if found is None:
            if len(self._keys) >= MOST_KEYS and not self._purge(at):
                return 1
            found = self._keys[key] = Moving(self._per)
        return found.add(at)

    def highest(self, at: int) -> int:
        """The most that any key's stretch that ends at ``at`` holds."""
        return max((moving.level(at) for moving in self._keys.values()), default=0)

    def level(self, key: object, at: int) -> int:
        """How many events of ``key`` the stretch that ends at ``at`` holds."""
        found = self._keys.get(key)
        return 0 if found is None else found.level(at)

    def peak(self, key: object) -> int:
        """The most that any stretch of this key held, while it was counted."""
        found = self._keys.get(key)
        return 0 if found is None else found.peak

    def empty(self, key: object) -> None:
        """Forgets the events of ``key``."""
        found = self._keys.get(key)
        if found is not None:
            found.empty()

    def _purge(self, at: int) -> bool:
        """Makes room; looked for ten times in a stretch at most."""
        if at - self._purged < self._per // 10:
            return False
        self._purged = at
        self._keys = {key: moving for key, moving in self._keys.items() if moving.level(at)}
        return len(self._keys) < MOST_KEYS
