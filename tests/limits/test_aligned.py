"""The aligned window at its edges."""

from __future__ import annotations

from sim.limits import Aligned

MINUTE = 60_000_000


def test_windows_lie_on_the_multiples_of_the_clock():
    limiter = Aligned(1, MINUTE)
    times = (
        MINUTE - 1,
        MINUTE,
        MINUTE + 1,
        2 * MINUTE - 1,
        2 * MINUTE,
        9 * MINUTE + 5,
        10 * MINUTE - 1,
    )
    assert [limiter.request("a", t) for t in times] == [True, True, False, False, True, True, False]


def test_all_keys_start_afresh_together():
    limiter = Aligned(1, MINUTE)
    assert [
        limiter.request(key, t)
        for key, t in (("a", 5), ("b", MINUTE - 1), ("a", MINUTE), ("b", MINUTE))
    ] == [True] * 4
    assert limiter.next_pass("a", MINUTE) == 2 * MINUTE
    assert [limiter.used("a", 2 * MINUTE + d) for d in (-1, 0)] == [1, 0]


def test_time_zero_and_before_are_times_as_any_other():
    limiter = Aligned(1, 10)
    assert [limiter.request("a", t) for t in (-10, -1, 0, 9)] == [True, False, True, False]
