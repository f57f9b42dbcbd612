"""A sweep for people: a table of its rows, a line figure for each key, a heat map for each pair of
keys. Knows rows, not runs.

Where several seeds were run, a value is the mean over them, and the line has the interval of that
mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich import box
from rich.console import Console
from rich.table import Table

from ..plan.estimates import Estimate, estimate
from ..sweep import Swept
from .figures import INK, LINE

SHOWN = 40
"""Rows of the table on a terminal; CSV and Parquet have all."""

MOST_LINES = 6
MOST_CELLS = 60
"""Of a line figure; of a heat map's side."""

METRICS = ("throughput.mean_per_min", "messages.lost", "incidents.total", "latency_s.p99")
"""What is shown where nothing else is asked for."""


def print_sweep(swept: Swept, metrics: Sequence[str], console: Console) -> None:
    """The varied keys, the seed and the metrics of the first rows."""
    names = [*swept.sweep.varied, "seed", *metrics]
    rows = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for name in names:
        rows.add_column(name, justify="right" if name in metrics else "left", overflow="fold")
    for row in swept.rows[:SHOWN]:
        rows.add_row(*(_told(row.get(name)) for name in names))
    console.print(rows)
    if len(swept.rows) > SHOWN:
        console.print(f"and {len(swept.rows) - SHOWN:,} rows more; --csv writes all")


def _told(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.4g}"
    return f"{value:,}" if type(value) is int else str(value)


def write_sweep(swept: Swept, metrics: Sequence[str], folder: Path) -> list[Path]:
    """The figures of every varied key and every pair of them; returns what it wrote."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = swept.sweep.varied
    written = []
    for metric in metrics:
        named: list[tuple[str, Figure]] = []
        for key in keys:
            other = next((one for one in keys if one != key), None) if len(keys) == 2 else None
            named.append((f"{metric}.by.{key}", line(swept.rows, key, metric, other)))
        named += [
            (f"{metric}.by.{x}.and.{y}", heat_map(swept.rows, x, y, metric))
            for x, y in combinations(keys, 2)
        ]
        for name, figure in named:
            path = folder / f"{name.replace('/', '-')}.png"
            figure.savefig(path)
            written.append(path)
    return written


def line(rows: Sequence[dict[str, Any]], key: str, metric: str, other: str | None = None) -> Figure:
    """``metric`` against ``key``, one line for each value of ``other``, with the interval of the
    mean over seeds.
    """
    figure, axes = _figure(f"{metric} by {key}")
    families = _values(rows, other) if other is not None else [None]
    ordered = _values(rows, key)
    numbers = all(isinstance(value, int | float) for value in ordered)
    for family in families[:MOST_LINES]:
        chosen = [row for row in rows if other is None or row[other] == family]
        found = [(value, _mean(chosen, {key: value}, metric)) for value in ordered]
        drawn = [
            (place if not numbers else value, one)
            for place, (value, one) in enumerate(found)
            if one is not None
        ]
        if not drawn:
            continue
        at = [x for x, _ in drawn]
        means = np.array([one.mean for _, one in drawn])
        label = None if other is None else f"{other} = {family}"
        colour = LINE if other is None else None
        (made,) = axes.plot(
            at, means, marker="o", markersize=4, linewidth=1.8, color=colour, label=label
        )
        low, high = (
            np.array([getattr(one, name) for _, one in drawn]) for name in ("mean_low", "mean_high")
        )
        if (high > low).any():
            axes.fill_between(at, low, high, color=made.get_color(), alpha=0.2, linewidth=0)
    if not numbers:
        axes.set_xticks(range(len(ordered)), [str(value) for value in ordered])
    if other is not None:
        axes.legend(frameon=False, fontsize=8)
    axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    axes.set_xlabel(key)
    axes.set_ylabel(metric)
    return figure


def heat_map(rows: Sequence[dict[str, Any]], x: str, y: str, metric: str) -> Figure:
    """``metric`` over two keys, each cell the mean of its runs; many values of a key are put
    together into classes.
    """
    figure, axes = _figure(f"{metric} by {x} and {y}")
    across = _classes(rows, x)
    up = _classes(rows, y)
    cells = np.full((len(up), len(across)), np.nan)
    for place_y, (_, low_y) in enumerate(up):
        for place_x, (_, low_x) in enumerate(across):
            values = [
                row[metric]
                for row in rows
                if row[x] in low_x and row[y] in low_y and row.get(metric) is not None
            ]
            if values:
                cells[place_y, place_x] = float(np.mean(values))
    top = float(np.nanmax(cells)) if np.isfinite(cells).any() else 0.0
    low = min(0.0, float(np.nanmin(cells, initial=0.0)))
    image = axes.imshow(
        cells,
        origin="lower",
        aspect="auto",
        cmap="viridis",
        interpolation="nearest",
        vmin=low,
        vmax=top or 1.0,
    )
    bar = figure.colorbar(image, ax=axes, label=metric)
    bar.ax.tick_params(labelsize=8)
    for labels, set_ticks in ((across, axes.set_xticks), (up, axes.set_yticks)):
        step = max(1, len(labels) // 12)
        set_ticks(range(0, len(labels), step), [name for name, _ in labels[::step]])
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(visible=False)
    return figure


def _classes(rows: Sequence[dict[str, Any]], key: str) -> list[tuple[str, set[Any]]]:
    """The values of ``key`` with their names, neighbours together where there are more than a heat
    map has cells.
    """
    ordered = _values(rows, key)
    size = -(-len(ordered) // MOST_CELLS) if len(ordered) > MOST_CELLS else 1
    return [
        (_told(ordered[start]), set(ordered[start : start + size]))
        for start in range(0, len(ordered), size)
    ]


def _values(rows: Sequence[dict[str, Any]], key: str) -> list[Any]:
    """The values of ``key``: numbers in their order, others as they come."""
    found = list(dict.fromkeys(row[key] for row in rows))
    return sorted(found) if all(isinstance(value, int | float) for value in found) else found


def _mean(rows: Sequence[dict[str, Any]], where: dict[str, Any], metric: str) -> Estimate | None:
    chosen = [row for row in rows if all(row[key] == value for key, value in where.items())]
    values = [float(row[metric]) for row in chosen if isinstance(row.get(metric), int | float)]
    return estimate(values) if values else None


def _figure(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.5, 4.6), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    figure.suptitle(title, fontsize=12, color=INK, x=0.02, ha="left")
    axes.spines[["top", "right"]].set_visible(b=False)
    axes.tick_params(labelsize=8, colors=INK)
    axes.set_axisbelow(True)
    return figure, axes
