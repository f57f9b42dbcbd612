"""Limiters by name, their defaults, and invalid arguments."""

from __future__ import annotations

import pytest

from sim.limits import WINDOWS, Aligned, Fixed, Gcra, Sliding, SlidingCounter, make_limiter
from sim.limits.window import Window


def count_refused(**options: bool) -> list[bool]:
    """Whether each algorithm, made with ``options``, counts the refused."""
    made = [make_limiter(window, 3, 10, **options) for window in WINDOWS]
    return [limiter.count_refused for limiter in made if isinstance(limiter, Window)]


def test_each_name_makes_its_algorithm_with_its_default():
    made = [make_limiter(window, 3, 10) for window in WINDOWS]
    assert WINDOWS == ("fixed", "aligned", "sliding", "sliding-counter", "gcra")
    assert [type(limiter) for limiter in made] == [Fixed, Aligned, Sliding, SlidingCounter, Gcra]
    assert count_refused() == [True, True, False, False, False]
    assert count_refused(count_refused=True) == [True] * 5
    assert count_refused(count_refused=False) == [False] * 5


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(
        ValueError,
        match=r'"slidding" is not a window algorithm; allowed: fixed, .*did you mean "sliding"',
    ):
        make_limiter("slidding", 3, 10)


@pytest.mark.parametrize("window", WINDOWS[1:])
def test_only_a_fixed_window_is_kept_from_the_last(window):
    made = make_limiter("fixed", 3, 10, from_last=True)
    assert isinstance(made, Fixed)
    assert made.from_last
    with pytest.raises(ValueError, match=f'only a "fixed" window.*not "{window}"'):
        make_limiter(window, 3, 10, from_last=True)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(("count", "per"), [(0, 10), (-1, 10), (3, 0)])
def test_a_count_or_window_below_one_is_refused(window, count, per):
    with pytest.raises(ValueError, match=r"1 or more|1 microsecond or more"):
        make_limiter(window, count, per)
