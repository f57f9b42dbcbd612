"""A limiter that was saved and restored continues as if nothing had happened."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sim.limits import WINDOWS, Limit, make_limiter

PER = 20
steps = some.lists(some.tuples(some.integers(0, 15), some.sampled_from("abc")), max_size=40)
options = some.tuples(
    some.sampled_from(WINDOWS), some.integers(1, 4), some.sampled_from([None, True, False])
)


def made(option, block):
    window, count, count_refused = option
    return Limit("x", make_limiter(window, count, PER, count_refused=count_refused), block)


def put_away(limit, now):
    """What the limit says of itself, through a file."""
    return {key: json.loads(json.dumps(limit.state(key, now))) for key in "abc"}


def take_up(limit, told, now):
    """Blocks and counts, each in the order of their ends."""
    for key, (block, _) in sorted(told.items(), key=lambda pair: pair[1][0] or 0):
        limit.restore(key, block, None, now)
    for key, (_, state) in sorted(
        told.items(), key=lambda pair: pair[1][1][0] if pair[1][1] else 0
    ):
        limit.restore(key, None, None if state is None else tuple(state), now)


@given(options, some.sampled_from([None, 1, 30]), steps, some.integers(0, 45), steps)
def test_it_goes_on_as_if_nothing_had_happened(option, block, before, pause, after):
    limit = made(option, block)
    again = made(option, block)
    now = 0
    for wait, key in before:
        now += wait
        limit.request(key, now)
    told = put_away(limit, now)
    now += pause
    take_up(again, told, now)
    for wait, key in after:
        now += wait
        assert again.limiter.used(key, now) == limit.limiter.used(key, now)
        assert again.request(key, now) == limit.request(key, now)
        assert again.blocked(key, now) == limit.blocked(key, now)


@pytest.mark.parametrize("window", WINDOWS)
def test_nothing_is_held_of_a_key_that_never_came_or_is_over(window):
    limiter = make_limiter(window, 3, PER)
    assert limiter.state("a", 0) is None
    limiter.request("a", 0)
    assert limiter.state("a", 1) is not None
    assert limiter.state("a", 3 * PER) is None
    assert limiter.state("b", 1) is None
