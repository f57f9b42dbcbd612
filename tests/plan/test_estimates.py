"""Intervals against scipy's own and against many draws: they contain what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sim import streams
from sim.plan import estimates as es


def draws(name: str) -> np.random.Generator:
    return streams.generator(1, "tests", name)


@pytest.mark.parametrize(("hits", "runs"), [(0, 5), (5, 5), (36, 36), (35, 36), (9, 10), (1, 200)])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_a_share_is_clopper_and_pearsons(hits, runs, confidence):
    found = es.share(hits, runs, confidence)
    told = stats.binomtest(hits, runs).proportion_ci(confidence, method="exact")
    assert (found.low, found.high) == pytest.approx((told.low, told.high), abs=1e-9)
    assert found.low <= found.mean <= found.high


@pytest.mark.parametrize(("asked", "runs"), [(0.9, 36), (0.95, 72), (0.5, 6)])
def test_so_many_runs_put_the_low_end_there(asked, runs):
    assert es.runs_for(asked) == runs
    assert es.share(runs, runs).low >= asked > es.share(runs - 1, runs - 1).low


def test_the_mean_is_in_its_interval_as_often_as_promised():
    source = draws("means")
    inside = 0
    runs = 2000
    for _ in range(runs):
        found = es.estimate(source.normal(10, 2, 8).tolist(), 0.9)
        inside += found.mean_low <= 10 <= found.mean_high
    assert inside / runs == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize("law", ["normal", "exponential", "lognormal"])
def test_a_further_value_is_in_the_range_at_least_as_often_as_promised(law):
    source = draws(law)
    inside = 0
    runs = 2000
    for _ in range(runs):
        values = getattr(source, law)(size=37)
        inside += (
            es.estimate(values[:36].tolist()).low
            <= values[36]
            <= es.estimate(values[:36].tolist()).high
        )
    assert inside / runs >= 0.94


def test_the_interval_is_the_textbooks():
    values = [3.0, 5.0, 4.0, 6.0]
    told = stats.t.interval(0.95, 3, loc=4.5, scale=np.std(values, ddof=1) / 2)
    found = es.estimate(values)
    assert (found.mean_low, found.mean_high) == pytest.approx(told)


def test_one_run_says_nothing_of_others():
    assert es.estimate([2.0]) == es.Estimate(2.0, 2.0, 2.0, 2.0, 2.0)
    assert not es.precise([2.0], 0.5)


def test_the_bound_of_a_further_value_holds_as_often_as_promised():
    source = draws("bound")
    below = 0
    runs = 2000
    for _ in range(runs):
        values = source.normal(100, 5, 11).tolist()
        below += values[10] <= es.upper_bound(values[:10], 0.9)
    assert below / runs >= 0.9
    assert es.upper_bound([1.0], 0.9) == 1.0


@pytest.mark.parametrize("part", [0.5, 0.9, 0.99])
def test_a_percentile_is_in_its_interval_at_least_as_often_as_promised(part):
    source = draws(f"percentile {part}")
    inside = 0
    runs = 1000
    true = stats.expon.ppf(part)
    for _ in range(runs):
        low, high = es.percentile_interval(source.exponential(size=600).tolist(), part)
        inside += low <= true <= high
    assert inside / runs >= 0.94


def test_common_luck_makes_a_difference_certain():
    source = draws("paired")
    luck = source.normal(0, 50, 10)
    first = (100 + luck).tolist()
    second = (103 + luck + source.normal(0, 1, 10)).tolist()
    found = es.paired(first, second)
    assert found.mean_low > 0
    assert (
        found.mean_high - found.mean_low
        < 4
        < es.estimate(second).mean_high - es.estimate(second).mean_low
    )


def test_the_warm_up_is_what_came_before_the_steady_state():
    source = draws("warm up")
    rising = np.concatenate([np.linspace(0, 100, 400), np.full(2000, 100)]) + source.normal(
        0, 3, 2400
    )
    assert 300 <= es.warm_up(rising.tolist()) <= 450
    assert es.warm_up((100 + source.normal(0, 3, 2400)).tolist()) < 600
    assert es.warm_up([1.0, 2.0]) == 0


def test_sequential_stopping_stops_once_the_mean_is_certain_enough():
    source = draws("sequential")
    values = list[float]()
    while not es.precise(values, 0.01):
        values.append(float(source.normal(100, 10)))
    assert 100 < len(values) < 1000  # 1.96 x 10 / sqrt(n) <= 1 at 384
    found = es.estimate(values)
    assert (found.mean_high - found.mean_low) / 2 <= 0.01 * found.mean
    assert not es.precise(values[: len(values) // 2], 0.01)


def test_a_number_in_json_has_nine_digits():
    told = es.Estimate(1 / 3, 0.1 + 0.2, 1.0, 0.0, 2.0).to_dict()
    assert told["mean"] == 0.333333333
    assert told["low"] == 0.3
    assert all(math.isfinite(value) for value in told.values())
