"""The life of each connection as a figure: a row each with greeting, login, transactions and what a limit refused.

For the page in Vega-Lite and for a file with matplotlib, from the same steps. Knows nothing of how a story is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..measure.story import Life
from ..units import MICRO
from .charts import Spec, limit_said, spec_of, zoom_by_key

STEPS = {
    "greeting": {False: "#c3c8ce", True: "#4d5560"},
    "login": {False: "#E69F00", True: "#E69F00"},
    "transaction": {False: "#0072B2", True: "#56B4E9"},
    "open": {False: "#e6e8eb", True: "#30363d"},
    "failed": {False: "#CC79A7", True: "#E79AC4"},
    "refused": {False: "#C44E00", True: "#FF8B3D"},
}
"""A colour for each kind of step, of the palette of Okabe and Ito; ``failed`` and ``refused`` have a shape besides."""


def timeline(lives: Sequence[Life], *, dark: bool = False) -> Spec:
    """The life of each connection, one row each: greeting, login, every transaction, and what was refused."""
    rows: list[dict[str, Any]] = []
    names = [_name(life) for life in lives]
    for life, name in zip(lives, names, strict=True):
        rows += [
            {"row": name, "at": step.from_ / MICRO, "end": step.until / MICRO, "kind": step.kind, "what": step.what,
             "limit": limit_said(step.limit) if step.limit else None,
             "time": f"{step.from_ / MICRO:,.3f} to {step.until / MICRO:,.3f} s"}
            for step in life.steps
        ]  # fmt: skip
    x = {"field": "at", "type": "quantitative", "scale": {"nice": False, "zero": False},
         "axis": {"title": "time since the start (s)", "orient": "top", "grid": True}}  # fmt: skip
    y = {
        "field": "row",
        "type": "nominal",
        "sort": names,
        "axis": {"title": None, "labelLimit": 200, "ticks": False, "domain": False},
    }
    bars = {"data": {"values": [row for row in rows if row["kind"] in ("greeting", "transaction", "open")]}}
    points = {"data": {"values": [row for row in rows if row["kind"] in ("login", "failed", "refused")]}}
    tooltip = [{"field": "row", "title": "connection"}, {"field": "what", "title": "what"}, {"field": "time", "title": "when"}]
    layers: list[Spec] = [
        {
            **bars,
            "mark": {"type": "bar", "height": {"band": 0.72}, "stroke": "#0e1117" if dark else "#ffffff", "strokeWidth": 1},
            "params": [zoom_by_key()],
            "encoding": {"x": x, "x2": {"field": "end"}, "y": y, "color": _kinds(dark=dark), "tooltip": tooltip},
        },
        {
            **points,
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1, "stroke": "#0e1117" if dark else "#ffffff",
                     "strokeWidth": 0.8},
            "encoding": {
                "x": {**x, "field": "end"}, "y": y, "color": _kinds(dark=dark),
                "shape": {"field": "kind", "type": "nominal", "legend": None,
                          "scale": {"domain": ["login", "failed", "refused"], "range": ["circle", "diamond", "cross"]}},
                "tooltip": [*tooltip, {"field": "limit", "title": "limit"}],
            },
        },
    ]  # fmt: skip
    refused = sum(row["kind"] == "refused" for row in rows)
    told = f"The life of {len(lives)} connections, with {refused} refusals"
    return spec_of(layers, max(90, 22 * len(lives) + 30), told)


def _kinds(*, dark: bool) -> Spec:
    named = {"greeting": "greeting", "login": "login", "transaction": "transaction", "open": "nothing more", "failed": "535",
             "refused": "refused by a limit"}  # fmt: skip
    return {
        "field": "kind", "type": "nominal",
        "scale": {"domain": list(named), "range": [STEPS[kind][dark] for kind in named]},
        "legend": {"title": None, "labelExpr": f"{named}[datum.value]".replace("'", '"'), "symbolType": "square"},
    }  # fmt: skip


def _name(life: Life) -> str:
    who = f" {life.username}" if life.username else ""
    return f"#{life.connection}{who}"
