"""Figures: the numbers in the axes are the result's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.patches import StepPatch

from sim.relay.kinds import KINDS
from sim.report import curves, figures


def stairs(axes, index=0):
    return [patch for patch in axes.patches if isinstance(patch, StepPatch)][index].get_data()


def levels(axes):
    return [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--"]


@pytest.mark.parametrize("name", ["one", "storm", "stale", "good"])
def test_throughput_shows_the_accepted_of_each_bin_as_a_rate(pairs, name):
    result = pairs[name][0]
    values, edges, _ = stairs(figures.throughput(result).axes[0])
    bins = curves.bins_of(result)
    assert values * bins.width / 60 == pytest.approx(result.series.accepted)
    assert edges[:-1] * bins.scale == pytest.approx(result.series.t_s)
    assert levels(figures.throughput(result).axes[0]) == [result.throughput.ceiling_per_min]


def test_incidents_are_marked_where_they_were_with_a_marker_of_their_limit(pairs):
    result = pairs["storm"][0]
    below = figures.throughput(result).axes[1]
    hit = {name: counts for name, counts in result.series.incidents.items() if any(counts)}
    assert {marks.get_label() for marks in below.collections} == set(hit)
    for marks in below.collections:
        counts = np.array(hit[str(marks.get_label())])
        assert np.asarray(marks.get_offsets())[:, 0] == pytest.approx(
            curves.bins_of(result).middles[counts > 0]
        )
    assert (
        len({look for look, _ in curves.PALETTE})
        == len({colour for _, colour in curves.PALETTE})
        >= len(KINDS)
    )


def test_the_line_of_the_last_minute_is_a_sum_over_sixty_seconds(pairs):
    result = pairs["good"][0]
    line = next(
        line for line in figures.throughput(result).axes[0].lines if line.get_linestyle() == "-"
    )
    per = round(60 / curves.bins_of(result).width)
    accepted = result.series.accepted
    assert np.asarray(line.get_ydata()).tolist() == [
        sum(accepted[max(0, i + 1 - per) : i + 1]) for i in range(len(accepted))
    ]


def test_windows_has_a_panel_for_each_limit_in_use_with_its_count(pairs):
    result, policy = pairs["stale"]
    panels = figures.windows(result, policy).axes
    used = [name for name in policy.limits if any(result.series.in_window[name])]
    assert len(panels) == len(used) == 5
    for axes, name in zip(panels, used, strict=True):
        assert list(stairs(axes)[0]) == result.series.in_window[name]
        assert levels(axes) == [getattr(policy, name).count]


def test_connections_shows_open_and_refused(pairs):
    result = replace(pairs["storm"][0])
    top, below = figures.connections(result).axes
    assert list(stairs(top)[0]) == result.series.open_connections
    assert list(stairs(below)[0]) == result.series.incidents["connections_per_ip"]
    assert len(figures.connections(pairs["good"][0]).axes) == 1


@pytest.mark.parametrize(
    ("seconds", "unit"), [(1, "s"), (119, "s"), (600, "min"), (10_000, "h"), (7 * 86_400, "d")]
)
def test_the_time_axis_has_the_unit_of_its_length(pairs, seconds, unit):
    result = replace(pairs["good"][0], duration_s=float(seconds))
    assert curves.bins_of(result).unit == unit
    assert f"({unit})" in figures.connections(result).axes[-1].get_xlabel()
