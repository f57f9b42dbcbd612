"""The two figures of a plan: p99 of latency against load, time to drain against connections at
once. Knows curves, not runs.

The band is the interval of the mean over replications, at 95%.
"""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..plan.curves import Curve
from ..text import cut
from .figures import INK, LIMIT, LINE


def latency(curve: Curve, asked: str) -> Figure:
    """Seconds of p99 by messages a minute; the demand's rate and objective are marked."""
    figure, axes = _drawn(curve, "p99 of latency against load", asked, "p99 of each run")
    if max(one.mean for one in curve.found) > 20 * min(one.mean for one in curve.found):
        axes.set_yscale("log")
    axes.set_xlabel("messages a minute, arriving at random")
    axes.set_ylabel("seconds from submission to acceptance")
    return _finished(figure, axes, curve, "asked for", "objective")


def drain(curve: Curve, asked: str) -> Figure:
    """Minutes to drain by connections at once; the plan's own number and the deadline are marked."""
    figure, axes = _drawn(
        curve, "Time to drain against connections at once", asked, "mean of the runs"
    )
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("connections at once")
    axes.set_ylabel("seconds until the last acceptance")
    return _finished(figure, axes, curve, "the plan", "deadline")


def _drawn(curve: Curve, title: str, asked: str, label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.5, 4.6), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    figure.suptitle(title, fontsize=12, color=INK, x=0.02, ha="left")
    axes.set_title(cut(asked, 100), fontsize=8, loc="left", color=INK)
    axes.plot(
        curve.at,
        [one.mean for one in curve.found],
        marker="o",
        markersize=4,
        color=LINE,
        label=label,
    )
    low = [max(0.0, one.mean_low) for one in curve.found]
    high = [one.mean_high for one in curve.found]
    axes.fill_between(
        curve.at, low, high, color=LINE, alpha=0.25, linewidth=0, label="95% interval of the mean"
    )
    return figure, axes


def _finished(figure: Figure, axes: Axes, curve: Curve, mark: str, bound: str) -> Figure:
    if curve.at[0] <= curve.marked <= curve.at[-1]:
        axes.axvline(curve.marked, color=INK, linestyle=":", linewidth=1.2, label=mark)
    if curve.bound is not None:
        axes.axhline(curve.bound, color=LIMIT, linestyle="--", linewidth=1.2, label=bound)
    axes.spines[["top", "right"]].set_visible(b=False)
    axes.tick_params(labelsize=8, colors=INK)
    figure.legend(loc="outside lower left", ncols=4, frameon=False, fontsize=8)
    return figure
