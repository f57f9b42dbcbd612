"""Blocks are half-open, are not prolonged and do not stay in memory."""

from __future__ import annotations

import pytest

from sim.limits import Blocks

HOUR = 3_600_000_000


def test_runs_from_its_first_microsecond_to_the_last_before_its_end():
    blocks = Blocks(HOUR)
    assert blocks.until("a", 5) is None
    assert blocks.start("a", 5) == HOUR + 5
    assert [blocks.until("a", t) for t in (5, 6, HOUR + 4, HOUR + 5, HOUR + 6)] == [
        HOUR + 5
    ] * 3 + [None, None]


def test_a_running_block_is_not_prolonged_and_one_that_is_over_begins_anew():
    blocks = Blocks(10)
    assert [blocks.start("a", t) for t in (0, 9, 10)] == [10, 10, 20]


def test_keys_are_blocked_one_by_one():
    blocks = Blocks(10)
    blocks.start(("user1", "198.18.0.1"), 0)
    assert blocks.until(("user1", "198.18.0.2"), 0) is None
    assert blocks.until(("user1", "198.18.0.1"), 0) == 10


def test_looking_for_blocks_drops_those_that_are_over_two_at_a_time():
    blocks = Blocks(10)
    for i in range(7):
        blocks.start(i, 0)
    assert len(blocks) == 7
    sizes = []
    for _ in range(5):
        blocks.until("none", 10)
        sizes.append(len(blocks))
    assert sizes == [5, 3, 1, 0, 0]


def test_a_block_of_no_length_is_refused():
    with pytest.raises(ValueError, match="1 microsecond or longer, not 0"):
        Blocks(0)
