"""The token bucket at its edges, in whole numbers."""

from __future__ import annotations

from sim.limits import Gcra

MINUTE = 60_000_000


def test_lets_239_through_in_the_first_minute():
    limiter = Gcra(120, MINUTE)
    passed = 0
    for t in range(0, MINUTE, 250_000):
        while limiter.request("a", t):
            passed += 1
    assert passed == 239
    assert limiter.request("a", MINUTE)
    assert not limiter.request("a", MINUTE)


def test_the_refill_is_exact_where_a_third_of_a_microsecond_matters():
    limiter = Gcra(3, 10)  # a request every 3 1/3 us
    assert [limiter.request("a", 0) for _ in range(4)] == [True, True, True, False]
    assert [t for t in range(1, 31) if limiter.request("a", t)] == [
        4,
        7,
        10,
        14,
        17,
        20,
        24,
        27,
        30,
    ]


def test_the_bucket_is_never_fuller_than_the_burst():
    limiter = Gcra(2, 10)
    assert limiter.request("a", 0)
    assert [limiter.request("a", 1_000) for _ in range(3)] == [True, True, False]


def test_a_refused_request_that_counts_takes_what_there_is_but_no_more():
    limiter = Gcra(1, 10, count_refused=True)
    assert [limiter.request("a", t) for t in (0, 9, 18, 19, 28, 29)] == [
        True,
        False,
        False,
        False,
        False,
        False,
    ]
    assert [limiter.next_pass("a", 29), limiter.request("a", 38), limiter.next_pass("a", 38)] == [
        39,
        False,
        48,
    ]
    assert limiter.request("a", 48)
    kind = Gcra(1, 10)
    assert [kind.request("a", t) for t in (0, 9, 10, 19, 20)] == [True, False, True, False, True]


def test_used_counts_a_request_until_it_is_refilled_to_the_last_drop():
    limiter = Gcra(120, MINUTE)
    assert [limiter.request("a", 0) for _ in range(2)] == [True, True]
    assert [limiter.used("a", t) for t in (0, 499_999, 500_000, 999_999, 1_000_000)] == [
        2,
        2,
        1,
        1,
        0,
    ]
