"""Named streams: the same on every machine, apart from each other, and of the promised mean and
variation.
"""

from __future__ import annotations

from itertools import islice
from statistics import fmean, stdev
from typing import Any

import pytest

from sim import streams

PINNED = [0.5263473110001649, 0.6241813014317221]


def first(draw, number):
    return list(islice(iter(draw, None), number))


def test_a_stream_is_the_same_whoever_drew_before_and_however_much():
    alone = first(streams.uniforms(7, "faults", "w0"), 600)
    other = streams.uniforms(7, "faults", "w1")
    first(other, 1_000)
    assert first(streams.uniforms(7, "faults", "w0"), 600) == alone


def test_these_very_numbers_come_on_every_machine():
    assert first(streams.uniforms(1, "workload", "gaps"), 2) == PINNED


def test_names_and_seeds_make_streams_of_their_own():
    names: list[tuple[Any, ...]] = [
        (1, "a"),
        (2, "a"),
        (1, "b"),
        (1, "a", "b"),
        (1, "a", 0),
        (12,),
        (1, 2),
    ]
    assert len({tuple(first(streams.uniforms(*name), 3)) for name in names}) == len(names)


def test_uniforms_are_in_their_range_and_fill_it():
    drawn = first(streams.uniforms(1, "x"), 20_000)
    assert 0 <= min(drawn) < 0.001
    assert 0.999 < max(drawn) < 1
    assert fmean(drawn) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("variation", [0.1, 0.7, 1.5])
def test_gammas_have_their_mean_and_variation(variation):
    drawn = first(streams.gammas(40_000, variation, 1, "network", "w0"), 50_000)
    assert min(drawn) >= 0
    assert fmean(drawn) == pytest.approx(40_000, rel=0.03)
    assert stdev(drawn) / fmean(drawn) == pytest.approx(variation, rel=0.05)
