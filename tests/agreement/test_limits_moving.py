"""The sliding window and the sliding window of two counters say on every request what the Python
package limits says.

Times are multiples of 1/1024 s, of which floats are exact; many requests are aimed at the moment at
which their key is let in again, one such unit before or after it. Each test states how many
verdicts it has compared.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.limits import make_limiter
from tests.agreement.oracle import LimitsOracle

ENOUGH = 10_000
TICKS = 1_024
"""Units of time in a second. A limiter is not told what its unit is."""

GAPS = st.one_of(
    st.just(0),
    st.integers(0, 3),
    st.integers(0, 2_000),
    st.sampled_from(["edge-1", "edge", "edge+1"]),
)


@pytest.mark.parametrize("window", ["sliding", "sliding-counter"])
def test_every_verdict(window):
    compared = refused = 0

    @settings(max_examples=110, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        count=st.integers(1, 9),
        per=st.sampled_from([1, 2, 4, 64])
        if window == "sliding-counter"
        else st.sampled_from([1, 2, 3, 60]),
        start=st.integers(0, 5_000),
        moves=st.lists(
            st.tuples(GAPS, st.sampled_from("aaab"), st.integers(0, 30)), min_size=120, max_size=160
        ),
    )
    def agree(count, per, start, moves):
        nonlocal compared, refused
        ours = make_limiter(window, count, per * TICKS)
        theirs = LimitsOracle(window, count, per, ticks=TICKS)
        now = per * TICKS + start
        for gap, key, dice in moves:
            now = (
                now + gap
                if isinstance(gap, int)
                else max(now, ours.next_pass(key, now) + int(gap.removeprefix("edge") or 0))
            )
            while theirs.clashes(key, now):
                now += 1
            if dice == 0:
                ours.reset(key)
                theirs.reset(key, now)
            passes = ours.request(key, now)
            assert theirs.request(key, now) is passes
            compared += 1
            refused += not passes

    agree()
    assert compared >= ENOUGH
    assert refused >= ENOUGH // 20  # the generated lists reach the limit


def test_a_minute_of_120_logins_in_microseconds():
    sixty_fourth = 15_625  # the only multiples of 1/1024 s that are whole microseconds
    ours = make_limiter("sliding", 120, 60_000_000)
    theirs = LimitsOracle("sliding", 120, 60)
    verdicts = []
    for i in range(6_000):
        now = 60_000_000 + sixty_fourth * (i * 31 // 2)
        if not theirs.clashes("user1", now):
            verdicts.append(ours.request("user1", now))
            assert theirs.request("user1", now) is verdicts[-1]
    assert len(verdicts) > 1_000
    assert set(verdicts) == {True, False}


def test_the_package_is_closed_at_the_edge_where_the_contract_is_open():
    """The reason for ``clashes``: if the package ever changes its mind, this says so."""
    ours = make_limiter("sliding", 1, 10 * TICKS)
    theirs = LimitsOracle("sliding", 1, 10, ticks=TICKS)
    assert ours.request("a", 10 * TICKS)
    assert theirs.request("a", 10 * TICKS)
    theirs._seen.clear()
    assert not theirs.request("a", 20 * TICKS)
    assert ours.request("a", 20 * TICKS)


@pytest.mark.parametrize(
    ("window", "per", "times", "words"),
    [
        ("sliding", 60, [60_000_001], "multiple of 1/1024 s"),
        ("sliding", 60, [59_000_000], "before 60 s"),
        ("sliding", 60, [60_000_000, 120_000_000], "exactly 60 s after"),
        ("sliding-counter", 60, [60_000_000], "not a power of two"),
    ],
)
def test_the_oracle_refuses_what_it_cannot_answer_exactly(window, per, times, words):
    def ask() -> None:
        oracle = LimitsOracle(window, 5, per)
        for now in times:
            oracle.request("a", now)

    with pytest.raises(ValueError, match=words):
        ask()
