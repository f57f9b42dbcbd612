"""The sliding window at its edges, and its memory."""

from __future__ import annotations

from sim.limits import Sliding

MINUTE = 60_000_000


def test_a_request_exactly_per_old_no_longer_counts():
    for age, passes in ((MINUTE - 1, False), (MINUTE, True), (MINUTE + 1, True)):
        limiter = Sliding(1, MINUTE)
        assert limiter.request("a", 3)
        assert limiter.request("a", 3 + age) is passes


def test_never_more_than_the_count_in_any_stretch():
    limiter = Sliding(3, 100)
    passed = [t for t in range(0, 1_000, 7) if limiter.request("a", t)]
    assert all(later - earlier >= 100 for earlier, later in zip(passed, passed[3:], strict=False))
    assert len(passed) > 20


def test_refused_requests_count_only_if_asked_to():
    times = (0, 6, 12, 18, 24)
    for count_refused, expected in (
        (False, [True, False, True, False, True]),
        (True, [True, False, False, False, False]),
    ):
        limiter = Sliding(1, 10, count_refused=count_refused)
        assert [limiter.request("a", t) for t in times] == expected


def test_remembers_no_more_than_the_count_however_many_are_refused():
    limiter = Sliding(5, MINUTE, count_refused=True)
    for t in range(10_000):
        limiter.request("a", t)
    held = limiter._kept.look("a", 10_000)
    assert held is not None
    assert len(held.value) == 5


def test_the_first_of_the_window_is_what_the_next_waits_for():
    limiter = Sliding(2, 10)
    assert [limiter.request("a", t) for t in (0, 4, 5)] == [True, True, False]
    assert [limiter.next_pass("a", t) for t in (5, 9, 10, 11)] == [10, 10, 10, 11]
    assert [limiter.used("a", t) for t in (9, 10, 13, 14)] == [2, 1, 1, 0]
