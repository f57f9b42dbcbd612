"""A limit with its block, against a definition by the log of everything that happened."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.limits import PASSED, REFUSED, WINDOWS, Limit, Verdict, make_limiter

HOUR = 3_600_000_000
DAY = 86_400_000_000


def failures(count: int = 10, per: int = 90 * DAY, block: int | None = HOUR) -> Limit:
    return Limit("failed_logins_per_username_ip", make_limiter("fixed", count, per), block)


def test_the_eleventh_failure_begins_the_block_and_says_until_when():
    limit = failures()
    assert [limit.request("a", t) for t in range(10)] == [PASSED] * 10
    assert limit.blocked("a", 9) is None
    assert limit.request("a", 50) == Verdict(passed=False, block_until=50 + HOUR)
    assert limit.blocked("a", 50) == 50 + HOUR


def test_requests_during_a_block_neither_prolong_it_nor_count():
    limit = failures(count=1)
    assert [limit.request("a", t).block_until for t in (0, 1)] == [None, 1 + HOUR]
    assert [limit.request("a", t) for t in (2, HOUR, HOUR)] == [REFUSED] * 3
    assert limit.blocked("a", HOUR) == 1 + HOUR
    assert limit.blocked("a", HOUR + 1) is None
    assert limit.request("a", HOUR + 1) == PASSED  # afresh: had one counted, this would be over
    assert limit.request("a", HOUR + 2).block_until == HOUR + 2 + HOUR


@pytest.mark.parametrize("window", WINDOWS)
def test_the_key_starts_afresh_after_a_block_shorter_than_the_window(window):
    limit = Limit("x", make_limiter(window, 2, DAY), HOUR)
    assert [limit.request("a", 0) for _ in range(3)] == [
        PASSED,
        PASSED,
        Verdict(passed=False, block_until=HOUR),
    ]
    assert [limit.request("a", t) for t in (HOUR - 1, HOUR, HOUR)] == [REFUSED, PASSED, PASSED]


def test_a_reset_empties_the_count_and_lifts_no_block():
    limit = failures(count=2)
    assert [limit.request("a", t) for t in (0, 1)] == [PASSED, PASSED]
    limit.reset("a")
    assert [limit.request("a", t) for t in (2, 3)] == [PASSED, PASSED]
    assert limit.request("a", 4).block_until == 4 + HOUR
    limit.reset("a")
    assert limit.blocked("a", 5) == 4 + HOUR
    assert limit.request("a", 5) == REFUSED


def test_without_a_block_it_only_refuses():
    limit = failures(count=1, per=10, block=None)
    assert [limit.request("a", t) for t in (0, 1, 10)] == [PASSED, REFUSED, PASSED]
    assert limit.blocked("a", 1) is None
    assert (limit.name, limit.block, limit.limiter.used("a", 10)) == (
        "failed_logins_per_username_ip",
        None,
        1,
    )


def test_a_limit_that_has_not_counted_yet_is_there_all_the_same():
    assert bool(failures())


def test_a_verdict_is_true_if_it_passed():
    assert PASSED
    assert not REFUSED
    assert not Verdict(passed=False, block_until=3)


@given(
    count=st.integers(1, 4),
    per=st.integers(1, 12),
    block=st.integers(1, 12),
    steps=st.lists(st.tuples(st.integers(0, 6), st.sampled_from("ab"), st.booleans()), max_size=60),
)
@settings(max_examples=150, deadline=None)
def test_agrees_with_the_log(count, per, block, steps):
    limit = failures(count, per, block)
    log: dict[str, list[int]] = {"a": [], "b": []}  # the requests of the window that runs
    ends = {"a": 0, "b": 0}
    now = 0
    for gap, key, success in steps:
        now += gap
        assert limit.blocked(key, now) == (ends[key] if now < ends[key] else None)
        if success:
            limit.reset(key)
            log[key] = []
        if log[key] and now - log[key][0] >= per:
            log[key] = []
        over = len(log[key]) == count
        if now < ends[key]:
            expected = REFUSED
        elif over:
            ends[key] = now + block
            log[key] = []
            expected = Verdict(passed=False, block_until=now + block)
        else:
            log[key].append(now)
            expected = PASSED
        assert limit.request(key, now) == expected
