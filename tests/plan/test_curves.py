"""The curves of a plan against runs of their own, and their figures."""

from __future__ import annotations

import numpy as np
import pytest

from sim.plan.curves import drain_curve, latency_curve
from sim.report import plan_figures
from sim.report.plan import write_plan
from tests.plan.plans import at, within


def test_latency_rises_with_load_and_is_the_round_trips_without_any():
    curve = latency_curve(at("200/min", "4s", lasts="10m"), replications=3)
    means = [one.mean for one in curve.found]
    assert all(one.mean_low <= one.mean <= one.mean_high for one in curve.found)
    assert means[0] < means[4] < means[-1]
    assert (
        0.455 <= means[0] < 2
    )  # one message alone takes 0.455 s; one that meets a busy worker waits for its connection
    assert (curve.marked, curve.bound) == (200.0, 4.0)


def test_more_workers_drain_faster_until_the_pace_binds():
    found = within(3000, "6m")
    curve = drain_curve(found, replications=2)
    means = dict(zip(curve.at, (one.mean for one in curve.found), strict=True))
    assert found.predicted is not None
    assert means[curve.marked] == pytest.approx(found.predicted.drain_s.mean, rel=0.01)
    assert means[1.0] > means[2.0] > means[3.0]
    assert means[6.0] == pytest.approx(means[5.0], rel=0.02)
    assert curve.bound == 360


def test_the_figures_show_the_curves_and_their_intervals(tmp_path):
    found = at("200/min", "4s", lasts="10m")
    curve = latency_curve(found, replications=3)
    axes = plan_figures.latency(curve, "asked").axes[0]
    assert np.asarray(axes.lines[0].get_ydata()).tolist() == [one.mean for one in curve.found]
    steps: list[int] = []
    written = write_plan(found, tmp_path, lambda: steps.append(1))
    assert sorted(path.name for path in written) == [
        "plan.drain.png",
        "plan.json",
        "plan.latency.png",
        "plan.snippet.txt",
        "plan.toml",
    ]
    assert len(steps) == (8 + len(drain_curve(found, replications=1).at)) * 6


def test_what_cannot_be_done_has_no_curves_but_its_json(tmp_path):
    assert [path.name for path in write_plan(at("600/min"), tmp_path)] == ["plan.json"]
