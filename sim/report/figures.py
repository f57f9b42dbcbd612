"""Three figures of one run: throughput, the use of each limit, connections. Knows a Result and, for the counts, its policy.

Each returns a ``Figure`` that belongs to nobody: pyplot and its global state are never touched. Rates are in messages a minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..measure import statistics as st
from ..measure.result import Result
from ..measure.words import lasting
from ..relay.policy import Policy
from ..units import MICRO

# Okabe and Ito's colours, which people with any common kind of colour blindness can tell apart; the marker says it once more.
LOOKS = {
    "transactions_per_connection": ("v", "#D55E00"),
    "connections_per_ip": ("s", "#0072B2"),
    "logins_per_username": ("^", "#E69F00"),
    "failed_logins_per_ip": ("D", "#CC79A7"),
    "failed_logins_per_username_ip": ("X", "#009E73"),
}
FAR_BELOW = 20
"""A run that stays below a twentieth of its ceiling would be a flat line under it: then the ceiling is told, not shown."""
INK, LINE, LIMIT = "#333333", "#0072B2", "#D55E00"
USES = {
    "transactions_per_connection": "transactions on one connection",
    "connections_per_ip": "connections of the busiest IP",
    "logins_per_username": "logins of the busiest username",
    "failed_logins_per_ip": "wrong passwords of the worst IP",
    "failed_logins_per_username_ip": "wrong passwords in a row",
}
_UNITS = ((3 * 86_400, 86_400, "d"), (2 * 3_600, 3_600, "h"), (120, 60, "min"), (0, 1, "s"))


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins of a result on its time axis: ``edges`` in ``unit``, one more than there are bins; ``width`` in seconds."""

    edges: np.ndarray[Any, np.dtype[np.float64]]
    width: float
    unit: str
    scale: float

    @property
    def middles(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The middle of each bin, in ``unit``."""
        return np.asarray((self.edges[:-1] + self.edges[1:]) / 2)

    @property
    def each(self) -> str:
        """The width in words."""
        return lasting(round(self.width * MICRO))


def bins_of(result: Result) -> Bins:
    """Seconds for a short run, days for a long one."""
    starts = result.series.t_s
    width = starts[1] - starts[0] if len(starts) > 1 else st.bin_width(max(1, round(result.duration_s * MICRO))) / MICRO
    _, scale, unit = next(row for row in _UNITS if result.duration_s >= row[0])
    return Bins(np.array([*starts, starts[-1] + width]) / scale, width, unit, scale)


def throughput(result: Result) -> Figure:
    """Accepted a minute in each bin against the ceiling; beneath, when which limit refused; grey while a block runs."""
    bins, hit = bins_of(result), [name for name, counts in result.series.incidents.items() if any(counts)]
    figure, (top, *below) = _panels(result, "Accepted messages a minute", [6, 0.45 * len(hit) + 0.35] if hit else [6])
    rates = np.array(result.series.accepted) * 60 / bins.width
    top.stairs(rates, bins.edges, color=LINE, fill=True, alpha=0.35, label=f"accepted, in each {bins.each}")
    highest = [float(rates.max()), *_trailing_minute(top, result, bins)]
    ceiling = result.throughput.ceiling_per_min
    if ceiling is not None:
        low = max(highest) * FAR_BELOW < ceiling
        above = " (far above this figure)" if low and max(highest) else ""
        top.axhline(ceiling, color=LIMIT, linestyle="--", label=f"ceiling of this policy, {ceiling:,.0f}/min{above}")
        highest += [] if above else [ceiling]
    _shade_blocks(top, result, bins)
    top.set_ylim(0, max(highest) * 1.08 or 1)
    top.set_ylabel("messages a minute")
    for axes in below:
        _mark_incidents(axes, result, bins, hit)
    return _finished(figure, [top, *below], bins)


def _trailing_minute(axes: Axes, result: Result, bins: Bins) -> list[float]:
    """The mean of the last 60 s, where bins are short and a run is not; returns its highest value."""
    if bins.width >= 60 or result.duration_s <= 60:
        return []
    total = np.concatenate([[0], np.cumsum(result.series.accepted)])
    back = np.maximum(np.arange(1, len(total)) - round(60 / bins.width), 0)
    rates = (total[1:] - total[back]).astype(float)
    axes.plot(bins.edges[1:], rates, color=LINE, linewidth=1.8, label="accepted in the last 60 s")
    return [float(rates.max())]


def _shade_blocks(axes: Axes, result: Result, bins: Bins) -> None:
    end = result.duration_s
    shown = [block for block in result.blocks if block.from_s < end]
    for index, block in enumerate(shown):
        label = "a block shuts somebody out" if index == 0 else None
        span = (block.from_s / bins.scale, min(block.until_s, end) / bins.scale)
        axes.axvspan(*span, color="#999999", alpha=0.25, linewidth=0, label=label)


def _mark_incidents(axes: Axes, result: Result, bins: Bins, hit: list[str]) -> None:
    """A row of markers for each limit that refused something; larger where more was refused in the bin."""
    for row, name in enumerate(hit):
        counts = np.array(result.series.incidents[name])
        there, (marker, colour) = counts > 0, LOOKS[name]
        sizes = 22 + 60 * np.sqrt(counts[there] / counts.max())
        at = bins.middles[there]
        axes.scatter(at, np.full(len(at), row), s=sizes, marker=marker, color=colour, alpha=0.8, linewidths=0, label=name)
    axes.set_yticks(range(len(hit)), [f"{name}\n{sum(result.series.incidents[name]):,} refused" for name in hit], fontsize=7)
    axes.set_ylim(len(hit) - 0.4, -0.6)
    axes.grid(visible=False)
    axes.set_title("incidents, by the limit that refused", fontsize=9, loc="left", color=INK)


def windows(result: Result, policy: Policy) -> Figure:
    """A panel for each limit that saw any use: the most that one key had used of it in each bin, and the limit's count."""
    bins = bins_of(result)
    used = [name for name in policy.limits if any(result.series.in_window.get(name, ()))]
    figure, panels = _panels(result, "Use of each limit", [2.0] * max(1, len(used)))
    for axes, name in zip(panels, used, strict=False):
        _draw_use(axes, result.series.in_window[name], bins, policy, name)
    if not used:
        panels[0].text(0.5, 0.5, "no limit saw any use", ha="center", va="center", transform=panels[0].transAxes)
        panels[0].set_yticks([])
    return _finished(figure, panels, bins, legend=False)


def _draw_use(axes: Axes, use: list[int], bins: Bins, policy: Policy, name: str) -> None:
    spec = getattr(policy, name)
    window = f" in {lasting(spec.per)}" if getattr(spec, "per", None) and name != "failed_logins_per_username_ip" else ""
    top = max(*use, spec.count)
    axes.stairs(use, bins.edges, color=LOOKS[name][1], fill=True, alpha=0.6)
    axes.axhline(spec.count, color=INK, linestyle="--", linewidth=1.2)
    axes.set_ylim(0, top * 1.12)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_title(f"{name}: {USES[name]}{window}", fontsize=9, loc="left", color=INK)
    share = f"limit {spec.count:,}, most used {max(use):,} ({max(use) / spec.count:.0%})"
    axes.set_title(share, fontsize=9, loc="right", color=LIMIT if max(use) > spec.count else INK)
    axes.set_ylabel("number")


def connections(result: Result) -> Figure:
    """Open connections over time; beneath, those that ``connections_per_ip`` refused, in each bin."""
    bins, refused = bins_of(result), result.series.incidents.get("connections_per_ip", [])
    figure, (top, *below) = _panels(result, "Open connections", [4, 2] if any(refused) else [4])
    top.stairs(
        result.series.open_connections, bins.edges, color=LINE, fill=True, alpha=0.5, label=f"most open in each {bins.each}"
    )
    top.set_ylim(0, max(1, *result.series.open_connections) * 1.12)
    top.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    top.set_ylabel("connections")
    for axes in below:
        axes.stairs(refused, bins.edges, color=LIMIT, fill=True, alpha=0.8, label=f"refused in each {bins.each}")
        axes.set_ylim(0, max(refused) * 1.15)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.set_ylabel("refused")
    return _finished(figure, [top, *below], bins)


def _panels(result: Result, title: str, heights: list[float]) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(9, max(3.6, 1.3 + 0.62 * sum(heights))), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
    figure.suptitle(f"{title}: {_short(result.title)}", fontsize=12, color=INK, x=0.02, ha="left")
    return figure, list(grid[:, 0])


def _short(title: str) -> str:
    # A title is the person's own; a dollar would be read as mathematics.
    text = title.replace("$", r"\$")
    return text if len(text) <= 70 else text[:67] + "..."


def _finished(figure: Figure, panels: list[Axes], bins: Bins, *, legend: bool = True) -> Figure:
    """What all share: the time axis, quiet frames, and a legend beneath the axes, where it covers nothing."""
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(b=False)
        axes.tick_params(labelsize=8, colors=INK)
        axes.set_axisbelow(True)
    panels[-1].set_xlim(0, bins.edges[-1])
    panels[-1].set_xlabel(f"time since the start ({bins.unit})")
    if legend:
        drawn = [
            pair for axes in panels for pair in zip(*axes.get_legend_handles_labels(), strict=True) if pair[1] not in LOOKS
        ]
        handles, labels = zip(*drawn, strict=True)
        figure.legend(handles, labels, loc="outside lower left", ncols=2, frameon=False, fontsize=8)
    return figure
