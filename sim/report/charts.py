"""The figures of the page, as Vega-Lite: what `curves` says, to hover over and to zoom into. Plain
tables, no library needed.

The numbers are those of `figures`, which draws them for files. Colours come in two sets, for light
and for dark; each limit has a shape of its own besides. Knows nothing of browsers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..measure.formatting import moment
from ..measure.result import Result
from ..plan import Plan
from ..relay.kinds import title_of
from ..relay.policy import Policy
from ..units import MICRO
from . import curves
from .curves import look_of

Spec = dict[str, Any]

SHAPES = {
    "v": "triangle-down",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "X": "cross",
    "P": "circle",
    "<": "triangle-left",
    ">": "triangle-right",
}
"""Vega's name for each of the markers in ``curves.PALETTE``."""
INK = {False: "#31333f", True: "#e6e6e6"}
LINE = {False: "#0072B2", True: "#56B4E9"}
LIMIT = {False: "#C44E00", True: "#FF8B3D"}
WHOLE = {"title": None, "tickCount": 4, "tickMinStep": 1, "format": ",.0f"}
"""An axis of things that are counted, which has no mark between two of them."""
QUIET = {False: "#9aa0a6", True: "#7d8590"}


def colour_of(limit: str, *, dark: bool) -> str:
    """The limit's colour; the blue one is lighter on a dark ground, where it could not be told from
    it.
    """
    colour = look_of(limit)[1]
    return LINE[dark] if colour == LINE[False] else colour


def throughput(result: Result, *, dark: bool = False, height: int = 300) -> Spec:
    """Accepted a minute in each bin against the ceiling, with the incidents beneath the axis, one
    row a limit.
    """
    shown = curves.throughput(result)
    top = shown.top * 1.08 or 1.0
    rows = _bin_rows(result, shown)
    bins = shown.bins
    depth = 0.085 * top
    below = depth * (len(shown.marks) + 0.35) if shown.marks else 0
    y = {
        "type": "quantitative",
        "scale": {"domain": [-below, top], "nice": False},
        "axis": {"title": "messages a minute", "values": _ticks(top), "grid": True},
    }
    layers: list[Spec] = [_block_layer(shown, top)] if shown.blocks else []
    layers.append(
        {
            "data": {"values": rows},
            "mark": {
                "type": "area",
                "interpolate": "step-after",
                "opacity": 0.28,
                "color": LINE[dark],
            },
            "encoding": {"x": _x(bins), "y": {**y, "field": "rate"}},
        }
    )
    if shown.trailing is not None:
        layers.append(
            {
                "data": {"values": [row for row in rows if "trailing" in row]},
                "mark": {"type": "line", "strokeWidth": 2.2, "color": LINE[dark]},
                "encoding": {"x": {**_x(bins), "field": "end"}, "y": {**y, "field": "trailing"}},
            }
        )
    if shown.ceiling is not None and shown.shown:
        layers += _ceiling_layers(shown, y, dark=dark)
    if shown.marks:
        layers.append(_mark_layer(shown.marks, depth, dark=dark))
    layers.append(_hover_layer(rows, shown, top, below))
    return spec_of(layers, height + 44 * len(shown.marks), _told(result))


def key_of(result: Result) -> str:
    """What the parts of the throughput figure mean, for whoever cannot hover."""
    shown = curves.throughput(result)
    said = [f"Bars: accepted in {shown.bins.each}, as a rate."]
    if shown.trailing is not None:
        said.append("Line: accepted in the last 60 s.")
    if shown.blocks:
        said.append("Grey: a block shuts somebody out.")
    return " ".join(said)


def _told(result: Result) -> str:
    """What a screen reader says of the figure."""
    ceiling = result.throughput.ceiling_per_min
    against = f" against a ceiling of {ceiling:,.0f}" if ceiling is not None else ""
    mean = (
        "no rate"
        if result.throughput.mean_per_min is None
        else f"{result.throughput.mean_per_min:,.1f} a minute"
    )
    sent = result.messages
    return (
        f"Throughput over time: {sent.accepted:,} of {sent.submitted:,} messages accepted, {mean}{against}; "
        f"{result.incidents.total:,} incidents, {sent.lost:,} lost"
    )


def _bin_rows(result: Result, shown: curves.Throughput) -> list[dict[str, Any]]:
    edges = shown.bins.edges.tolist()
    rows: list[dict[str, Any]] = []
    for index, rate in enumerate(shown.rates.tolist()):
        row = {
            "at": edges[index],
            "end": edges[index + 1],
            "rate": rate,
            "time": _when(result.series.t_s[index]),
        }
        row["incidents"] = sum(counts[index] for counts in result.series.incidents.values())
        if shown.trailing is not None:
            row["trailing"] = float(shown.trailing[index])
        rows.append(row)
    rows.append(
        {**rows[-1], "at": edges[-1], "end": edges[-1]}
    )  # a step-after area ends where its last row is
    return rows


def _when(seconds: float) -> str:
    return "0 s" if seconds == 0 else moment(round(seconds * MICRO))


def _x(bins: curves.Bins) -> Spec:
    return {
        "field": "at",
        "type": "quantitative",
        "scale": {"domain": [0, float(bins.edges[-1])], "nice": False},
        "axis": {"title": f"time since the start ({bins.unit})", "grid": False},
    }


def _ticks(top: float) -> list[float]:
    """About five round values from 0 up; the rows of incidents beneath the axis have none."""
    step = next(
        size * 10**power
        for power in range(-3, 9)
        for size in (1, 2, 2.5, 5)
        if top / (size * 10**power) <= 6
    )
    return [step * index for index in range(int(top / step) + 1)]


def _block_layer(shown: curves.Throughput, top: float) -> Spec:
    spans = [
        {"at": from_, "end": until, "top": top, "what": "a block shuts somebody out"}
        for from_, until in shown.blocks[:200]
    ]
    return {
        "data": {"values": spans},
        "mark": {"type": "rect", "color": "#999999", "opacity": 0.18},
        "encoding": {
            "x": {"field": "at", "type": "quantitative"},
            "x2": {"field": "end"},
            "y": {"datum": 0},
            "y2": {"datum": top},
            "tooltip": {"field": "what", "title": " "},
        },
    }


def _ceiling_layers(shown: curves.Throughput, y: Spec, *, dark: bool) -> list[Spec]:
    values = {
        "values": [{"ceiling": shown.ceiling, "said": f"ceiling {shown.ceiling:,.0f}/min", "at": 0}]
    }
    return [
        {
            "data": values,
            "mark": {
                "type": "rule",
                "strokeDash": [6, 4],
                "strokeWidth": 1.6,
                "color": LIMIT[dark],
            },
            "encoding": {"y": {**y, "field": "ceiling"}},
        },
        {
            "data": values,
            "mark": {
                "type": "text",
                "align": "left",
                "baseline": "bottom",
                "dx": 6,
                "dy": -4,
                "fontSize": 12,
                "color": LIMIT[dark],
            },
            "encoding": {
                "y": {**y, "field": "ceiling"},
                "x": {"value": 0},
                "text": {"field": "said"},
            },
        },
    ]


def _mark_layer(marks: Sequence[curves.Marks], depth: float, *, dark: bool) -> Spec:
    """A row of marks for each limit that refused something; larger where more was refused. The
    legend counts them.
    """
    values = []
    names = [f"{title_of(one.limit)} refused {one.total:,}" for one in marks]
    for index, (one, name) in enumerate(zip(marks, names, strict=True)):
        most = float(one.counts.max())
        values += [
            {
                "at": at,
                "y": -depth * (index + 0.75),
                "size": 40 + 110 * (count / most) ** 0.5,
                "count": count,
                "limit": name,
            }
            for at, count in zip(one.at.tolist(), one.counts.tolist(), strict=True)
        ]
    colours = {"domain": names, "range": [colour_of(one.limit, dark=dark) for one in marks]}
    shapes = {"domain": names, "range": [SHAPES[look_of(one.limit)[0]] for one in marks]}
    legend = {
        "title": None,
        "orient": "bottom",
        "direction": "vertical",
        "labelLimit": 400,
        "symbolSize": 90,
    }
    return {
        "data": {"values": values},
        "mark": {"type": "point", "filled": True, "opacity": 0.9},
        "encoding": {
            "x": {"field": "at", "type": "quantitative"},
            "y": {"field": "y", "type": "quantitative"},
            "size": {"field": "size", "type": "quantitative", "scale": None, "legend": None},
            "color": {"field": "limit", "type": "nominal", "scale": colours, "legend": legend},
            "shape": {"field": "limit", "type": "nominal", "scale": shapes, "legend": legend},
        },
    }


def _hover_layer(
    rows: list[dict[str, Any]], shown: curves.Throughput, top: float, below: float
) -> Spec:
    tooltip = [
        {"field": "time", "title": "from"},
        {"field": "rate", "title": f"accepted a minute, in {shown.bins.each}", "format": ",.0f"},
    ]
    if shown.trailing is not None:
        tooltip.append(
            {"field": "trailing", "title": "accepted in the last 60 s", "format": ",.0f"}
        )
    tooltip.append({"field": "incidents", "title": "incidents", "format": ",.0f"})
    return {
        "data": {"values": rows[:-1]},
        "mark": {"type": "rect", "opacity": 0.001},
        "params": [zoom_by_key()],
        "encoding": {
            "x": {"field": "at", "type": "quantitative"},
            "x2": {"field": "end"},
            "y": {"datum": -below},
            "y2": {"datum": top},
            "tooltip": tooltip,
        },
    }


def zoom_by_key() -> Spec:
    """Dragging moves, the wheel zooms with Shift held: without, it scrolls the page as everywhere."""
    select = {"type": "interval", "encodings": ["x"], "zoom": "wheel![event.shiftKey]"}
    return {"name": "zoom", "select": select, "bind": "scales"}


def spec_of(layers: list[Spec], height: int, told: str) -> Spec:
    """A figure as wide as its place; ``told`` is what a screen reader says of it."""
    return {
        "height": height,
        "width": "container",
        "autosize": {"type": "fit", "contains": "padding", "resize": True},
        "description": told,
        "layer": layers,
    }


def window(result: Result, use: curves.Use, *, dark: bool = False, height: int = 150) -> Spec:
    """The use of one limit in each bin: what fills its count, and above its line what flows over."""
    bins = curves.bins_of(result)
    edges = bins.edges.tolist()
    rows = [
        {
            "at": edges[index],
            "end": edges[index + 1],
            "inside": min(value, use.count),
            "used": value,
            "time": _when(result.series.t_s[index]),
        }
        for index, value in enumerate(use.values)
    ]
    rows.append({**rows[-1], "at": edges[-1], "end": edges[-1]})
    top = max(use.most, use.count) * 1.12
    y = {"type": "quantitative", "scale": {"domain": [0, top], "nice": False}, "axis": WHOLE}
    step = {"type": "area", "interpolate": "step-after"}
    layers: list[Spec] = [
        {
            "data": {"values": rows},
            "mark": {**step, "opacity": 0.55, "color": colour_of(use.limit, dark=dark)},
            "encoding": {"x": _x(bins), "y": {**y, "field": "inside"}},
        }
    ]
    if use.most > use.count:
        over = {"y": {**y, "field": "inside"}, "y2": {"field": "used"}}
        layers.append(
            {
                "data": {"values": rows},
                "mark": {**step, "color": LIMIT[dark]},
                "encoding": {"x": _x(bins), **over},
            }
        )
    layers.append(
        {
            "data": {"values": [{"count": use.count}]},
            "mark": {"type": "rule", "strokeDash": [6, 4], "strokeWidth": 1.4, "color": INK[dark]},
            "encoding": {"y": {**y, "field": "count"}},
        }
    )
    tooltip = [
        {"field": "time", "title": "from"},
        {"field": "used", "title": use.title, "format": ",.0f"},
    ]
    layers.append(
        {
            "data": {"values": rows[:-1]},
            "mark": {"type": "rect", "opacity": 0.001},
            "encoding": {
                "x": {"field": "at", "type": "quantitative"},
                "x2": {"field": "end"},
                "y": {"datum": 0},
                "y2": {"datum": top},
                "tooltip": tooltip,
            },
        }
    )
    return spec_of(layers, height, f"{use.title}: {use.share}")


def windows(result: Result, policy: Policy, *, dark: bool = False) -> list[tuple[curves.Use, Spec]]:
    """A figure for each limit that saw any use."""
    return [(use, window(result, use, dark=dark)) for use in curves.uses(result, policy)]


def connections(result: Result, *, dark: bool = False, height: int = 150) -> Spec:
    """How many connections were open at most in each bin."""
    bins = curves.bins_of(result)
    edges = bins.edges.tolist()
    open_ = result.series.open_connections
    rows = [
        {"at": edges[i], "end": edges[i + 1], "open": value, "time": _when(result.series.t_s[i])}
        for i, value in enumerate(open_)
    ]
    rows.append({**rows[-1], "at": edges[-1], "end": edges[-1]})
    y = {"field": "open", "type": "quantitative", "axis": WHOLE}
    tooltip = [
        {"field": "time", "title": "from"},
        {"field": "open", "title": "open connections", "format": ",.0f"},
    ]
    layers: list[Spec] = [
        {
            "data": {"values": rows},
            "mark": {
                "type": "area",
                "interpolate": "step-after",
                "opacity": 0.45,
                "color": QUIET[dark],
            },
            "encoding": {"x": _x(bins), "y": y, "tooltip": tooltip},
        }
    ]
    return spec_of(layers, height, f"Open connections, at most {max(open_)}")


def ceilings(plan: Plan, *, dark: bool = False) -> Spec:
    """Messages a minute that each ceiling lets through; ceilings that set no rate of their own are
    left out.
    """
    asked = float(plan.demand.per_min)
    rows = [
        {
            "what": title_of(one.limit),
            "per_min": float(one.per_min),
            "because": one.term,
            "kind": "binds first" if one.limit == plan.binding else "above it",
        }
        for one in plan.ceilings
        if one.per_min is not None
    ]
    x = {
        "field": "per_min",
        "type": "quantitative",
        "axis": {"title": "messages a minute", "format": ",.0f", "tickCount": 6},
    }
    y = {
        "field": "what",
        "type": "nominal",
        "sort": "x",
        "axis": {"title": None, "labelLimit": 220},
    }
    colours = {"domain": ["binds first", "above it"], "range": [LIMIT[dark], LINE[dark]]}
    colour = {
        "field": "kind",
        "type": "nominal",
        "scale": colours,
        "legend": {"title": None, "orient": "bottom"},
    }
    tooltip = [
        {"field": "what", "title": "ceiling"},
        {"field": "per_min", "title": "messages a minute", "format": ",.0f"},
        {"field": "because", "title": "because"},
    ]
    line = {"values": [{"per_min": asked, "said": f"asked: {asked:,.0f}"}]}
    layers: list[Spec] = [
        {
            "data": {"values": rows},
            "mark": {"type": "bar", "height": {"band": 0.7}},
            "encoding": {"x": x, "y": y, "color": colour, "tooltip": tooltip},
        },
        {
            "data": line,
            "mark": {"type": "rule", "strokeDash": [6, 4], "strokeWidth": 2, "color": QUIET[dark]},
            "encoding": {"x": x},
        },
        {
            "data": line,
            "mark": {
                "type": "text",
                "align": "left",
                "dx": 5,
                "dy": -6,
                "baseline": "bottom",
                "color": QUIET[dark],
            },
            "encoding": {"x": x, "y": {"value": 0}, "text": {"field": "said"}},
        },
    ]
    return spec_of(
        layers,
        36 * len(rows) + 110,
        f"Ceilings of the plan; {title_of(plan.binding)} binds first",
    )
