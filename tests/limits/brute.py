"""The five algorithms again, each in a few lines over a log of everything that counted: slow, and
plain enough to believe.

``log`` holds the times of one key's counted requests. Each function returns how many of ``count``
are in use at ``now``, as an exact number: a request passes when that number, rounded as the
algorithm requires, leaves room for one more.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

Used = Callable[[list[int], int, int, int], int]


def fixed(log: list[int], now: int, count: int, per: int) -> int:
    begin = -per
    used = 0
    for t in [*log, now]:
        if t >= begin + per:
            begin = t
            used = 0
        used += 1
    return used - 1


def from_last(log: list[int], now: int, count: int, per: int) -> int:
    end = 0
    used = 0
    for t in [*log, now]:
        if t >= end:
            used = 0
            end = t + per
        elif used < count:
            end = t + per
        used += 1
    return used - 1


def aligned(log: list[int], now: int, count: int, per: int) -> int:
    return sum(t // per == now // per for t in log)


def sliding(log: list[int], now: int, count: int, per: int) -> int:
    return sum(now - t < per for t in log)


def sliding_counter(log: list[int], now: int, count: int, per: int) -> int:
    share = 1 - (Fraction(now, per) - now // per)
    return floor(aligned(log, now - per, count, per) * share + aligned(log, now, count, per))


def gcra(log: list[int], now: int, count: int, per: int) -> int:
    tokens = Fraction(count)
    last = 0
    for t in log:
        tokens = min(Fraction(count), tokens + Fraction((t - last) * count, per))
        tokens = max(Fraction(0), tokens - 1)
        last = t
    return ceil(count - min(Fraction(count), tokens + Fraction((now - last) * count, per)))


BRUTE: dict[str, Used] = {
    "fixed": fixed,
    "from-last": from_last,
    "aligned": aligned,
    "sliding": sliding,
    "sliding-counter": sliding_counter,
    "gcra": gcra,
}
"""By the name of the algorithm; ``from-last`` is ``fixed`` kept from the last request."""

COUNTS_REFUSED = {
    "fixed": True,
    "from-last": True,
    "aligned": True,
    "sliding": False,
    "sliding-counter": False,
    "gcra": False,
}
"""The default of ``count_refused``, as ``scenarios/REFERENCE.md`` has it."""
