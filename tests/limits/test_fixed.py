"""The fixed window at its edges, and kept from the last request."""

from __future__ import annotations

from sim.limits import Fixed

MINUTE = 60_000_000


def test_the_120th_passes_and_the_121st_does_not():
    limiter = Fixed(120, MINUTE)
    assert [limiter.request("user1", i) for i in range(121)] == [True] * 120 + [False]


def test_begins_at_the_first_request_and_ends_before_its_end():
    limiter = Fixed(1, MINUTE)
    assert limiter.request("a", 7)
    assert [limiter.request("a", t) for t in (MINUTE + 6, MINUTE + 7)] == [False, True]
    assert not limiter.request("a", MINUTE + 8)


def test_a_burst_at_the_end_and_one_at_the_start_pass_twice_the_count():
    limiter = Fixed(120, MINUTE)
    passed = [limiter.request("a", 0)] + [limiter.request("a", MINUTE - 1) for _ in range(119)]
    passed += [limiter.request("a", MINUTE) for _ in range(120)]
    assert passed == [True] * 240


def test_a_refused_request_never_prolongs_the_window():
    for from_last in (False, True):
        limiter = Fixed(1, 10, from_last=from_last)
        assert [limiter.request("a", t) for t in (0, 9, 10)] == [True, False, True]


def test_from_last_each_passing_request_renews_the_window():
    first = Fixed(3, 10)
    last = Fixed(3, 10, from_last=True)
    times = (0, 8, 12, 17, 21, 22)  # from the last: 8 ends at 18, 12 at 22
    assert [first.request("a", t) for t in times] == [True, True, True, True, True, True]
    assert [last.request("a", t) for t in times] == [True, True, True, False, False, True]
    assert last.used("a", 22) == 1


def test_from_last_keeps_keys_in_the_order_of_their_ends():
    limiter = Fixed(5, 10, from_last=True)
    for key, t in (("a", 0), ("b", 1), ("a", 9)):
        limiter.request(key, t)
    assert limiter.request("c", 11)  # b is over, a is not
    assert (len(limiter), limiter.used("a", 18), limiter.used("a", 19)) == (2, 2, 0)


def test_used_never_passes_the_count():
    limiter = Fixed(2, 10)
    assert [limiter.request("a", 0) and limiter.used("a", 0) for _ in range(4)] == [
        1,
        2,
        False,
        False,
    ]
    assert (limiter.used("a", 0), limiter.next_pass("a", 3), limiter.next_pass("b", 3)) == (
        2,
        10,
        3,
    )
