"""The sliding window of two counters at its edges, in whole numbers."""

from __future__ import annotations

from sim.limits import SlidingCounter

MINUTE = 60_000_000


def full(count_refused: bool = False) -> SlidingCounter:
    """A limiter whose window [0, 60 s) is used up."""
    limiter = SlidingCounter(120, MINUTE, count_refused=count_refused)
    assert [limiter.request("a", 0) for _ in range(121)] == [True] * 120 + [False]
    return limiter


def test_the_previous_window_counts_by_the_share_of_it_that_is_left():
    limiter = full()
    assert limiter.used("a", MINUTE) == 120  # the whole share of it at the very beginning
    assert limiter.used("a", MINUTE + 1) == 119  # 119.999998, rounded down
    assert [limiter.used("a", MINUTE + MINUTE // 2 + d) for d in (-1, 0, 1)] == [60, 60, 59]
    assert limiter.used("a", 2 * MINUTE) == 0


def test_passes_at_the_very_microsecond_at_which_there_is_room():
    limiter = full()
    assert [limiter.request("a", MINUTE + t) for t in (0, 1, 1)] == [False, True, False]
    half_second = MINUTE + 500_000  # 119 of the previous ones are left, and 1 of this window
    assert [limiter.request("a", half_second + d) for d in (0, 1, 2)] == [False, True, False]


def test_a_window_without_requests_in_between_empties_it():
    limiter = full()
    assert [limiter.request("a", 2 * MINUTE) for _ in range(121)] == [True] * 120 + [False]


def test_refused_requests_weigh_on_the_next_window_if_asked_to():
    limiter = full(count_refused=True)  # 121 counted
    assert (limiter.used("a", MINUTE), limiter.next_pass("a", MINUTE)) == (
        120,
        MINUTE + 495_868,
    )  # 121 x share < 120
    assert full().next_pass("a", MINUTE) == MINUTE + 1


def test_holds_two_windows_and_no_more():
    limiter = SlidingCounter(1, 10)
    sizes = []
    for key, t in (("a", 0), ("b", 9), ("b", 10), ("c", 11), ("c", 20), ("d", 90)):
        limiter.request(key, t)
        sizes.append(len(limiter))
    assert sizes == [1, 2, 2, 3, 1, 1]
