"""The ceilings of a plan as a figure: a bar for each, the one that binds first marked, and what was
asked as a line.
"""

from __future__ import annotations

from ..plan import Plan
from ..relay.kinds import title_of
from .charts import LIMIT, LINE, QUIET, Spec, spec_of


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
