"""The pace of logins without a simulation: which login may start, how a cycle, a wrong password and
hours without a refusal change the pace.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from sim.strategies.pace import CLEAN_S, FIRST_PROBE_S, FIRST_RATE, GROWTH, MARGIN, Pace


def go(pace, now):
    """Books and goes at ``now``; the epoch, or None if it may not."""
    at, epoch = pace.book(now)
    return epoch if at <= now and pace.may_go(epoch, now) else None


def started(took=0.1):
    """A pace whose first login passed at 0 s."""
    pace = Pace()
    pace.passed(go(pace, 0.0), 0.0, took)
    return pace


def measured(passed, lasted):
    """A pace at which ``passed`` logins went within ``lasted`` seconds, then one was refused and
    the next let in.
    """
    pace = started()
    for _ in range(passed - 1):
        pace.passed(0, 1.0, 0.1)
    stale = pace.gate.epoch
    pace.refused(stale, lasted, wrong=False)
    pace.passed(go(pace, lasted + 1), lasted + 1, 0.1)
    return pace


def test_the_first_login_goes_alone():
    pace = Pace()
    first = go(pace, 0.0)
    assert first is not None
    assert [go(pace, 0.1), go(pace, 2.0)] == [None, None]
    pace.passed(first, 2.5, 0.1)
    assert go(pace, 2.5 + 2 / FIRST_RATE) is not None


def test_a_first_login_that_never_came_about_lets_another_try():
    pace = Pace()
    pace.failed(go(pace, 0.0))
    assert go(pace, 0.0) is not None


def test_it_speeds_up_until_six_are_in_flight():
    pace = started(took=1.0)
    assert pace.rate == pytest.approx(FIRST_RATE + GROWTH)
    for _ in range(50):
        pace.passed(pace.gate.epoch, 1.0, 1.0)
    assert pace.rate == 6.0


def test_turns_are_apart_and_never_given_far_ahead():
    pace = started()
    turns = [pace.book(5.0) for _ in range(100)]
    given = [at for at, epoch in turns if epoch >= 0]
    assert all(later - at == pytest.approx(1 / pace.rate) for at, later in pairwise(given))
    assert given[-1] <= 6.0
    assert turns[-1] == (6.0, -1)
    assert not pace.may_go(-1, 6.0)


def test_a_cycle_sets_the_rate():
    assert measured(120, 60.0).rate == pytest.approx(MARGIN * 120 / 60)


def test_a_short_cycle_after_the_first_is_counted_with_the_next():
    pace = measured(120, 60.0)
    rate = pace.rate
    pace.refused(pace.gate.epoch, 70.0, wrong=False)
    pace.passed(go(pace, 71.0), 71.0, 0.1)
    assert pace.rate == rate
    for _ in range(60):
        pace.passed(pace.gate.epoch, 100.0, 0.1)
    pace.refused(pace.gate.epoch, 121.0, wrong=False)
    pace.passed(go(pace, 123.0), 123.0, 0.1)
    assert pace.rate == pytest.approx(MARGIN * (1 + 1 + 60) / 60)


def test_after_a_refusal_one_asks_at_a_time_and_turns_are_void():
    pace = started()
    before = go(pace, 1.0)
    late = pace.book(1.0)
    pace.refused(before, 1.2, wrong=False)
    assert not pace.may_go(late[1], late[0])
    assert go(pace, 1.2 + FIRST_PROBE_S - 0.01) is None
    asks = go(pace, 1.2 + FIRST_PROBE_S)
    assert asks is not None
    assert go(pace, 1.2 + FIRST_PROBE_S) is None
    pace.refused(asks, 2.0, wrong=False)
    assert go(pace, 2.0 + FIRST_PROBE_S - 0.01) is None


def test_a_login_that_was_under_way_at_a_refusal_opens_nothing():
    pace = started()
    first = go(pace, 1.0)
    second = go(pace, 2.0)
    pace.refused(first, 2.1, wrong=False)
    pace.passed(second, 2.2, 0.1)
    assert go(pace, 2.2) is None


def test_a_wrong_password_rests_and_teaches_no_rate():
    pace = started()
    rate = pace.rate
    pace.refused(go(pace, 1.0), 1.0, wrong=True)
    assert go(pace, 60.9) is None
    pace.refused(go(pace, 61.0), 61.0, wrong=True)
    assert go(pace, 180.9) is None
    pace.passed(go(pace, 181.0), 181.0, 0.1)
    assert pace.rate == pytest.approx(rate + GROWTH), "and the start goes on"


def test_a_clean_hour_raises_the_rate_if_logins_wait():
    pace = measured(120, 60.0)
    rate = pace.rate
    now = 61.0 + CLEAN_S
    pace.book(now)
    assert pace.rate == rate, "nobody waited"
    pace.book(now)
    assert pace.rate == pytest.approx(rate * 1.02)
    pace.book(now)
    assert pace.rate == pytest.approx(rate * 1.02), "once an hour"
    pace.book(now + CLEAN_S)
    pace.book(now + CLEAN_S)
    assert pace.rate == pytest.approx(rate * 1.02 * 1.04)
