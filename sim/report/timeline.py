"""Vega-Lite figures of a run's connections: :func:`timeline` shows a row for each connection with its
greeting, login, transactions and refusals, :func:`window` the requests that a limit counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..measure.formatting import moment
from ..measure.story import Life
from ..records import Incident
from ..relay.kinds import title_of
from ..units import MICRO
from .charts import Spec, spec_of, zoom_by_key

STEPS = {
    "greeting": ("greeting", {False: "#bfc5cc", True: "#5a636e"}),
    "login": ("login", {False: "#E69F00", True: "#E69F00"}),
    "transaction": ("transaction", {False: "#0072B2", True: "#56B4E9"}),
    "failed": ("wrong password", {False: "#CC79A7", True: "#E79AC4"}),
    "refused": ("refused by a limit", {False: "#C44E00", True: "#FF8B3D"}),
    "open": ("nothing more", {False: "#e3e6e9", True: "#343b44"}),
}
"""Each kind of step: its label, and its colour by whether the page is dark."""

SHAPES = {"login": "circle", "failed": "diamond", "refused": "cross"}
"""The kinds of step that are a moment rather than a span of time."""

TOOLTIP = [
    {"field": "row", "title": "connection"},
    {"field": "what", "title": "what"},
    {"field": "time", "title": "when"},
]

ROOM = 0.022
"""The share of the width that a transaction's number needs."""


def timeline(lives: Sequence[Life], *, dark: bool = False) -> Spec:
    """The life of each connection, one row each: greeting, login, every transaction with its
    number, and each refusal.
    """
    names = [_name(life) for life in lives]
    low, high = _span(lives)
    rows = [
        row
        for life, name in zip(lives, names, strict=True)
        for row in _rows(life, name, high - low)
    ]
    axes = _axes(names, low, high)
    layers: list[Spec] = [
        _bars([row for row in rows if row["long"]], axes, dark=dark),
        _numbers([row for row in rows if row["number"]], axes, dark=dark),
        _points([row for row in rows if not row["long"]], axes, dark=dark),
    ]
    refused = sum(step.kind == "refused" for life in lives for step in life.steps)
    summary = f"The life of {len(lives)} connections, with {refused} refusals"
    return spec_of(layers, 24 * len(lives) + 150, summary)


def _axes(names: Sequence[str], low: float, high: float) -> dict[str, Spec]:
    """The encodings that all layers share: time from ``low`` to ``high`` seconds, and the row of
    each connection.
    """
    x = {
        "field": "at",
        "type": "quantitative",
        "scale": {"nice": False, "zero": False, "domain": [low, high]},
        "axis": {"title": "time since the start (s)", "orient": "top", "grid": True},
    }
    y = {
        "field": "row",
        "type": "nominal",
        "sort": names,
        "axis": {"title": None, "labelLimit": 200, "ticks": False, "domain": False},
    }
    return {"x": x, "y": y}


def _bars(rows: list[dict[str, Any]], axes: Mapping[str, Spec], *, dark: bool) -> Spec:
    """The steps that take time."""
    return {
        "data": {"values": rows},
        "mark": {
            "type": "bar",
            "height": {"band": 0.74},
            "stroke": _edge(dark=dark),
            "strokeWidth": 1,
        },
        "params": [zoom_by_key()],
        "encoding": {
            "x": axes["x"],
            "x2": {"field": "end"},
            "y": axes["y"],
            "color": _kinds(dark=dark),
            "tooltip": TOOLTIP,
        },
    }


def _numbers(rows: list[dict[str, Any]], axes: Mapping[str, Spec], *, dark: bool) -> Spec:
    """The number of each transaction, in the middle of its bar."""
    return {
        "data": {"values": rows},
        "mark": {"type": "text", "fontSize": 11, "color": _edge(dark=dark)},
        "encoding": {
            "x": {**axes["x"], "field": "middle"},
            "y": axes["y"],
            "text": {"field": "number"},
            "tooltip": TOOLTIP,
        },
    }


def _points(rows: list[dict[str, Any]], axes: Mapping[str, Spec], *, dark: bool) -> Spec:
    """Logins, wrong passwords and refusals, each with its shape."""
    shapes = {"domain": [STEPS[kind][0] for kind in SHAPES], "range": list(SHAPES.values())}
    return {
        "data": {"values": rows},
        "mark": {
            "type": "point",
            "filled": True,
            "size": 110,
            "opacity": 1,
            "stroke": _edge(dark=dark),
            "strokeWidth": 0.8,
        },
        "encoding": {
            "x": {**axes["x"], "field": "end"},
            "y": axes["y"],
            "color": {**_kinds(dark=dark), "legend": None},
            "shape": {"field": "kind", "type": "nominal", "legend": None, "scale": shapes},
            "tooltip": [*TOOLTIP, {"field": "limit", "title": "limit"}],
        },
    }


def _edge(*, dark: bool) -> str:
    """The page's background, which separates neighbouring marks."""
    return "#0e1117" if dark else "#ffffff"


def _span(lives: Sequence[Life]) -> tuple[float, float]:
    """From the first step to the last, in seconds, with a little room for the marks at the ends."""
    low = min((life.from_ for life in lives), default=0) / MICRO
    high = max((life.until for life in lives), default=MICRO) / MICRO
    room = max(0.02 * (high - low), 0.001)
    return low - room, high + room


def _rows(life: Life, name: str, span: float) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    number = 0
    for step in life.steps:
        from_ = step.from_ / MICRO
        until = step.until / MICRO
        number += step.kind == "transaction"
        wide = step.kind == "transaction" and until - from_ > ROOM * span
        rows.append(
            {
                "row": name,
                "at": from_,
                "end": until,
                "middle": (from_ + until) / 2,
                "kind": STEPS[step.kind][0],
                "what": step.what,
                "limit": title_of(step.limit) if step.limit else None,
                "number": str(number) if wide else "",
                "long": step.kind not in SHAPES,
                "time": f"{from_:,.3f} to {until:,.3f} s",
            }
        )
    return rows


def _kinds(*, dark: bool) -> Spec:
    legend = {
        "title": None,
        "orient": "bottom",
        "symbolType": "square",
        "columns": 2,
        "labelLimit": 300,
        "symbolSize": 110,
        "symbolOpacity": 1,
        "symbolStrokeWidth": 0,
    }
    scale = {
        "domain": [words for words, _ in STEPS.values()],
        "range": [colours[dark] for _, colours in STEPS.values()],
    }
    return {"field": "kind", "type": "nominal", "scale": scale, "legend": legend}


def _name(life: Life) -> str:
    who = f" {life.username}" if life.username else ""
    return f"#{life.connection}{who}"


def window(
    filled: Sequence[Any], incident: Incident, passes_at: int, key: str, *, dark: bool = False
) -> Spec:
    """The requests that a window still counts as ticks, the refused one as a cross, and the time at
    which it would have passed.
    """
    first = filled[0].at if filled else incident.at
    bins = _unit(passes_at - first)
    rows = [{"at": one.at / bins[0], "what": one.what, "time": moment(one.at)} for one in filled]
    refused = {"at": incident.at / bins[0], "what": "refused", "time": moment(incident.at)}
    passes = {"at": passes_at / bins[0], "what": "would have passed", "time": moment(passes_at)}
    x = {
        "field": "at",
        "type": "quantitative",
        "scale": {"nice": False, "zero": False, "padding": 12},
        "axis": {
            "title": f"time since the start ({bins[1]}); a tick for each counted request of {key}",
            "grid": False,
        },
    }
    tooltip = [{"field": "what", "title": "what"}, {"field": "time", "title": "when"}]
    ticks = {
        "type": "tick",
        "thickness": 1.6,
        "height": 34,
        "opacity": 0.75,
        "color": STEPS["transaction"][1][dark],
    }
    cross = {
        "type": "point",
        "filled": True,
        "shape": "cross",
        "size": 220,
        "opacity": 1,
        "color": STEPS["refused"][1][dark],
    }
    rule = {
        "type": "rule",
        "strokeDash": [5, 4],
        "strokeWidth": 2,
        "color": STEPS["login"][1][dark],
    }
    said = {
        "type": "text",
        "align": "right",
        "dx": -6,
        "dy": -34,
        "fontSize": 12,
        "color": STEPS["login"][1][dark],
    }
    layers: list[Spec] = [
        {"data": {"values": rows}, "mark": ticks, "encoding": {"x": x, "tooltip": tooltip}},
        {"data": {"values": [refused]}, "mark": cross, "encoding": {"x": x, "tooltip": tooltip}},
        {"data": {"values": [passes]}, "mark": rule, "encoding": {"x": x, "tooltip": tooltip}},
        {
            "data": {"values": [passes]},
            "mark": said,
            "encoding": {"x": x, "text": {"field": "what"}},
        },
    ]
    return spec_of(
        layers, 130, f"{len(rows)} requests of {key} before the refusal at {moment(incident.at)}"
    )


def _unit(span: int) -> tuple[int, str]:
    """Microseconds of the unit that suits ``span`` microseconds, and its name."""
    units = ((3 * 86_400, 86_400, "d"), (2 * 3_600, 3_600, "h"), (300, 60, "min"), (0, 1, "s"))
    return next((size * MICRO, name) for least, size, name in units if span >= least * MICRO)
