"""Expired values leave the memory, at a cost that does not grow with the number of keys."""

from __future__ import annotations

from collections import OrderedDict

import pytest

from sim.limits import WINDOWS, Limit, make_limiter
from sim.limits.expiring import Held, Kept

MILLION = 1_000_000


class Counted(int):
    """A key that counts its look-ups, which are the work of a store."""

    lookups = 0

    def __hash__(self) -> int:
        Counted.lookups += 1
        return int.__hash__(self)


@pytest.mark.parametrize("window", WINDOWS)
def test_a_million_keys_that_come_once_do_not_stay(window):
    limiter = make_limiter(window, 5, MILLION)  # a key every 100 us: 10,000 a window
    most = 0
    for i in range(MILLION):
        limiter.request(i, i * 100)
        if i % 5_000 == 0:
            most = max(most, len(limiter))
    assert most <= 2 * 10_000 + 2


def test_keys_that_were_blocked_once_do_not_stay():
    limit = Limit("x", make_limiter("fixed", 1, MILLION), MILLION)
    assert limit._blocks is not None
    most = 0
    for i in range(MILLION // 2):
        limit.request(i, i * 200)
        assert limit.request(i, i * 200).block_until == i * 200 + MILLION
        most = max(most, len(limit.limiter) + len(limit._blocks))
    assert most <= 5_000 + 2


@pytest.mark.parametrize("window", WINDOWS)
def test_the_work_of_a_request_is_constant_on_average(window):
    limit = Limit("x", make_limiter(window, 1, MILLION), MILLION)
    Counted.lookups = 0
    for i in range(20_000):  # a crowd in one window, then its like again after the first is over
        limit.request(Counted(i), i + i // 10_000 * 3 * MILLION)
    assert Counted.lookups <= 12 * 20_000


@pytest.mark.parametrize("window", ["fixed", "sliding", "gcra"])
def test_a_crowd_that_is_over_is_dropped_two_at_a_request_also_when_no_new_key_comes(window):
    limiter = make_limiter(window, 1_000, 100)
    for i in range(50):
        limiter.request(i, 0)
    sizes = []
    for i in range(30):
        limiter.request("one that stays", 100 + i)
        sizes.append(len(limiter))
    assert sizes == [max(1, 51 - 2 * (i + 1)) for i in range(30)]


@pytest.mark.parametrize("window", ["aligned", "sliding-counter"])
def test_windows_of_the_clock_drop_all_at_once(window):
    limiter = make_limiter(window, 1_000, 100)
    for i in range(50):
        limiter.request(i, 0)
    limiter.request("one that stays", 200)
    assert len(limiter) == 1


def value(held: Held[str] | None) -> str | None:
    """The value, or None if nothing is held."""
    return None if held is None else held.value


def test_a_key_that_is_renewed_is_not_dropped_with_its_neighbours():
    kept: Kept[str] = Kept()
    for key in "abc":
        kept.put(key, 10, key)
    held = kept.find("a", 5)
    assert held is not None
    kept.renew("a", held, 15)
    assert (kept.find("b", 10), kept.find("b", 11)) == (None, None)
    assert (len(kept), value(kept.find("a", 14)), kept.find("a", 15), len(kept)) == (
        1,
        "a",
        None,
        0,
    )


def test_what_is_over_is_not_found_even_while_a_crowd_before_it_is_still_held():
    kept: Kept[str] = Kept()
    for key in "abcdef":
        kept.put(key, 10, key)
    assert kept.find("f", 9) is not None
    assert kept.find("f", 10) is None
    assert len(kept) == 4


def test_looking_drops_nothing():
    kept: Kept[str] = Kept()
    kept.put("a", 10, "x")
    assert [value(kept.look("a", now)) for now in (9, 10, 9)] == ["x", None, "x"]


def test_what_is_forgotten_or_put_anew_leaves_the_order_right():
    kept: Kept[int] = Kept()
    for end, key in enumerate("abcd", start=10):
        kept.put(key, end, end)
    kept.forget("a")
    kept.forget("nobody")
    kept.put("b", 20, 20)
    assert [kept.find(key, 13) and key for key in "abcd"] == [None, "b", None, None]
    assert len(kept) == 1


def test_the_store_finds_its_first_key_at_once():
    # A dict would pass all of the above, but search its deleted front again for every key it drops.
    assert type(Kept()._held) is OrderedDict
