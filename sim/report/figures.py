"""Three figures of one run: throughput, the use of each limit, connections; and the lives of some
connections.

Draws with matplotlib what `curves` says. Each returns a ``Figure`` that belongs to nobody: pyplot
and its global state are never touched. Rates are in messages a minute.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..measure.result import Result
from ..measure.story import Life
from ..relay.kinds import KINDS
from ..relay.policy import Policy
from ..text import cut
from ..units import MICRO
from . import curves
from .curves import Bins, bins_of, look_of
from .timeline import STEPS

INK = "#333333"
LINE = "#0072B2"
LIMIT = "#D55E00"


def throughput(result: Result) -> Figure:
    """Accepted a minute in each bin against the ceiling; beneath, when which limit refused; grey
    while a block runs.
    """
    shown = curves.throughput(result)
    bins = shown.bins
    hit = shown.marks
    figure, (top, *below) = _panels(
        result, "Accepted messages a minute", [6, 0.45 * len(hit) + 0.35] if hit else [6]
    )
    top.stairs(
        shown.rates,
        bins.edges,
        color=LINE,
        fill=True,
        alpha=0.35,
        label=f"accepted, in each {bins.each}",
    )
    if shown.trailing is not None:
        top.plot(
            bins.edges[1:],
            shown.trailing,
            color=LINE,
            linewidth=1.8,
            label="accepted in the last 60 s",
        )
    if shown.ceiling is not None:
        top.axhline(shown.ceiling, color=LIMIT, linestyle="--", label=shown.ceiling_said)
    for index, span in enumerate(shown.blocks):
        label = "a block shuts somebody out" if index == 0 else None
        top.axvspan(*span, color="#999999", alpha=0.25, linewidth=0, label=label)
    top.set_ylim(0, shown.top * 1.08 or 1)
    top.set_ylabel("messages a minute")
    for axes in below:
        _mark_incidents(axes, hit)
    return _finished(figure, [top, *below], bins)


def _mark_incidents(axes: Axes, hit: Sequence[curves.Marks]) -> None:
    """A row of markers for each limit that refused something; larger where more was refused in the
    bin.
    """
    for row, one in enumerate(hit):
        marker, colour = look_of(one.limit)
        sizes = 22 + 60 * np.sqrt(one.counts / one.counts.max())
        rows = np.full(len(one.at), row)
        axes.scatter(
            one.at,
            rows,
            s=sizes,
            marker=marker,
            color=colour,
            alpha=0.8,
            linewidths=0,
            label=one.limit,
        )
    axes.set_yticks(
        range(len(hit)), [f"{one.limit}\n{one.total:,} refused" for one in hit], fontsize=7
    )
    axes.set_ylim(len(hit) - 0.4, -0.6)
    axes.grid(visible=False)
    axes.set_title("incidents, by the limit that refused", fontsize=9, loc="left", color=INK)


def windows(result: Result, policy: Policy) -> Figure:
    """A panel for each limit that saw any use: the most that one key had used of it in each bin,
    and the limit's count.
    """
    bins = bins_of(result)
    used = curves.uses(result, policy)
    figure, panels = _panels(result, "Use of each limit", [2.0] * max(1, len(used)))
    for axes, use in zip(panels, used, strict=False):
        _draw_use(axes, use, bins)
    if not used:
        panels[0].text(
            0.5,
            0.5,
            "no limit saw any use",
            ha="center",
            va="center",
            transform=panels[0].transAxes,
        )
        panels[0].set_yticks([])
    return _finished(figure, panels, bins, legend=False)


def _draw_use(axes: Axes, use: curves.Use, bins: Bins) -> None:
    axes.stairs(list(use.values), bins.edges, color=look_of(use.limit)[1], fill=True, alpha=0.6)
    axes.axhline(use.count, color=INK, linestyle="--", linewidth=1.2)
    axes.set_ylim(0, max(use.most, use.count) * 1.12)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_title(f"{use.limit}: {use.title}", fontsize=9, loc="left", color=INK)
    axes.set_title(use.share, fontsize=9, loc="right", color=LIMIT if use.most > use.count else INK)
    axes.set_ylabel("number")


def connections(result: Result) -> Figure:
    """Open connections over time and, below, the connections that limits refused, in each bin."""
    bins = bins_of(result)
    by_limit = [
        counts
        for name, counts in result.series.incidents.items()
        if KINDS[name].counts.at == "connect"
    ]
    refused = [sum(counts) for counts in zip(*by_limit, strict=True)]
    figure, (top, *below) = _panels(result, "Open connections", [4, 2] if any(refused) else [4])
    top.stairs(
        result.series.open_connections,
        bins.edges,
        color=LINE,
        fill=True,
        alpha=0.5,
        label=f"most open in each {bins.each}",
    )
    top.set_ylim(0, max(1, *result.series.open_connections) * 1.12)
    top.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    top.set_ylabel("connections")
    for axes in below:
        axes.stairs(
            refused,
            bins.edges,
            color=LIMIT,
            fill=True,
            alpha=0.8,
            label=f"refused in each {bins.each}",
        )
        axes.set_ylim(0, max(refused) * 1.15)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.set_ylabel("refused")
    return _finished(figure, [top, *below], bins)


def timeline(lives: Sequence[Life], title: str) -> Figure:
    """The life of each connection, one row each: the bars and marks of the page's timeline."""
    figure = Figure(figsize=(9, max(2.4, 1.2 + 0.24 * len(lives))), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    figure.suptitle(
        f"Life of the connections: {_short(title)}", fontsize=12, color=INK, x=0.02, ha="left"
    )
    told: set[str] = set()
    for row, life in enumerate(lives):
        for step in life.steps:
            words, colours = STEPS[step.kind]
            label = None if step.kind in told else words
            told.add(step.kind)
            from_ = step.from_ / MICRO
            until = step.until / MICRO
            if step.kind in MARKERS:
                axes.scatter(
                    [until],
                    [row],
                    marker=MARKERS[step.kind],
                    color=colours[False],
                    s=34,
                    zorder=3,
                    label=label,
                )
            else:
                axes.barh(
                    row,
                    until - from_,
                    left=from_,
                    height=0.74,
                    color=colours[False],
                    edgecolor="white",
                    linewidth=0.6,
                    label=label,
                )
    axes.set_yticks(range(len(lives)), [f"#{life.connection}" for life in lives], fontsize=7)
    axes.set_ylim(len(lives) - 0.4, -0.6)
    axes.spines[["top", "right"]].set_visible(b=False)
    axes.set_xlabel("time since the start (s)")
    if told:
        figure.legend(loc="outside lower left", ncols=3, frameon=False, fontsize=8)
    return figure


MARKERS = {"login": "o", "failed": "D", "refused": "X"}


def _panels(result: Result, title: str, heights: list[float]) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(9, max(3.6, 1.3 + 0.62 * sum(heights))), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
    figure.suptitle(f"{title}: {_short(result.title)}", fontsize=12, color=INK, x=0.02, ha="left")
    return figure, list(grid[:, 0])


def _short(title: str) -> str:
    # A title is the person's own; a dollar would be read as mathematics.
    return cut(title.replace("$", r"\$"), 70)


def _finished(figure: Figure, panels: list[Axes], bins: Bins, *, legend: bool = True) -> Figure:
    """What all share: the time axis, quiet frames, and a legend beneath the axes, where it covers
    nothing.
    """
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(b=False)
        axes.tick_params(labelsize=8, colors=INK)
        axes.set_axisbelow(True)
    panels[-1].set_xlim(0, bins.edges[-1])
    panels[-1].set_xlabel(f"time since the start ({bins.unit})")
    if legend:
        drawn = [
            pair
            for axes in panels
            for pair in zip(*axes.get_legend_handles_labels(), strict=True)
            if pair[1] not in KINDS
        ]
        handles, labels = zip(*drawn, strict=True)
        figure.legend(handles, labels, loc="outside lower left", ncols=2, frameon=False, fontsize=8)
    return figure
