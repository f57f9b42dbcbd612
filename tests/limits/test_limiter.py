"""All five algorithms against the brute-force log, where windows of a few microseconds put every
other request at an edge.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.limits import WINDOWS, Limiter, make_limiter
from tests.limits.brute import BRUTE, COUNTS_REFUSED

ALGORITHMS = list(BRUTE)
STEP = st.tuples(
    st.integers(0, 9), st.sampled_from("aab"), st.sampled_from(["request"] * 9 + ["reset"])
)
STEPS = st.lists(STEP, max_size=60)


def made(algorithm: str, count: int, per: int, count_refused: bool | None = None) -> Limiter:
    last = algorithm == "from-last"
    return make_limiter(
        "fixed" if last else algorithm, count, per, count_refused=count_refused, from_last=last
    )


@dataclass
class Log:
    """The brute-force double of a limiter."""

    algorithm: str
    count: int
    per: int
    count_refused: bool
    counted: dict[str, list[int]] = field(default_factory=dict)

    def used(self, key: str, now: int) -> int:
        return min(
            self.count, BRUTE[self.algorithm](self.counted.get(key, []), now, self.count, self.per)
        )

    def request(self, key: str, now: int) -> bool:
        passes = self.used(key, now) < self.count
        if passes or self.count_refused:
            self.counted.setdefault(key, []).append(now)
        return passes

    def reset(self, key: str) -> None:
        self.counted.pop(key, None)


@pytest.mark.parametrize("count_refused", [None, False, True])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(count=st.integers(1, 6), per=st.integers(1, 13), start=st.integers(0, 30), steps=STEPS)
@settings(max_examples=60, deadline=None)
def test_agrees_with_the_log_on_every_request(algorithm, count_refused, count, per, start, steps):
    limiter = made(algorithm, count, per, count_refused)
    log = Log(
        algorithm, count, per, COUNTS_REFUSED[algorithm] if count_refused is None else count_refused
    )
    now = start
    for gap, key, what in steps:
        now += gap
        if what == "reset":
            limiter.reset(key)
            log.reset(key)
        used = log.used(key, now)
        assert (limiter.used(key, now), limiter.would_pass(key, now)) == (used, used < count)
        assert limiter.request(key, now) == log.request(key, now)


@pytest.mark.parametrize("count_refused", [False, True])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(
    count=st.integers(1, 6),
    per=st.integers(1, 13),
    gaps=st.lists(st.integers(0, 5), max_size=30),
    later=st.integers(0, 40),
)
@settings(max_examples=60, deadline=None)
def test_next_pass_is_the_first_time_that_passes(algorithm, count_refused, count, per, gaps, later):
    limiter = made(algorithm, count, per, count_refused)
    log = Log(algorithm, count, per, count_refused)
    now = 3
    for gap in gaps:
        now += gap
        limiter.request("a", now)
        log.request("a", now)
    now += later
    found = limiter.next_pass("a", now)
    expected = next(t for t in range(now, now + 3 * per + 1) if log.used("a", t) < count)
    assert (
        found
        == expected
        == next(t for t in range(now, now + 3 * per + 1) if limiter.would_pass("a", t))
    )
    assert limiter.request("a", found)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_looking_far_ahead_changes_nothing(algorithm):
    limiter = made(algorithm, 2, 10)
    verdicts = []
    for now in (4, 5, 6):
        for look in (limiter.would_pass, limiter.used, limiter.next_pass):
            look("a", 1_000)
        verdicts.append(limiter.request("a", now))
    assert verdicts == [True, True, False]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_microsecond_before_at_and_after_the_end_of_a_full_window(algorithm):
    minute = 60_000_000
    free = {
        "sliding-counter": 2 * minute - minute + 1,
        "gcra": minute // 120,
    }  # the others: the whole window after the burst
    first = free.get(algorithm, minute)
    for now, passes in ((first - 1, False), (first, True), (first + 1, True)):
        limiter = made(algorithm, 120, minute)
        assert [limiter.request("a", 0) for _ in range(121)] == [True] * 120 + [False]
        assert limiter.would_pass("a", now) is passes, (algorithm, now)
        assert limiter.request("a", now) is passes, (algorithm, now)


def refused(algorithm: str, start: int, spacing: int) -> int:
    limiter = made(algorithm, 120, 60_000_000)
    return sum(not limiter.request("user1", start + i * spacing) for i in range(1_000))


@pytest.mark.parametrize("algorithm", WINDOWS)
def test_logins_0_505_seconds_apart_are_safe(algorithm):
    assert [refused(algorithm, start, 505_000) for start in (0, 1, 59_999_999)] == [0, 0, 0]


@pytest.mark.parametrize("algorithm", WINDOWS)
def test_logins_exactly_0_5_seconds_apart_are_not_safe_under_every_algorithm(algorithm):
    assert (refused(algorithm, 0, 500_000) > 0) is (algorithm == "sliding-counter")
    assert (refused(algorithm, 1, 499_999) > 0) is (
        algorithm != "gcra"
    )  # whose burst makes up for a millisecond


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_keys_do_not_touch_each_other(algorithm):
    limiter = made(algorithm, 1, 10)
    assert [limiter.request(key, 0) for key in ("a", ("a", "b"), "b", "a")] == [
        True,
        True,
        True,
        False,
    ]
    assert len(limiter) == 3


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_reset_empties_the_key_alone(algorithm):
    limiter = made(algorithm, 1, 10)
    assert limiter.request("a", 0)
    assert limiter.request("b", 0)
    limiter.reset("a")
    assert (limiter.used("a", 0), limiter.used("b", 0), len(limiter)) == (0, 1, 1)
    assert limiter.request("a", 0)
    assert not limiter.request("b", 0)
