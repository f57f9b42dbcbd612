"""Several results in one figure: how many messages each had got accepted by when. Knows results,
not settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from ..measure.formatting import moment
from ..measure.result import Result
from ..units import MICRO
from .charts import INK, Spec, spec_of, zoom_by_key
from .curves import bins_of

COLOURS = {
    False: ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"],
    True: ["#56B4E9", "#FF8B3D", "#2CC295", "#E79AC4", "#E69F00"],
}
DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4]]
"""A dash for each, since a colour alone does not tell them apart for everybody."""


def compared(named: Sequence[tuple[str, Result]], *, dark: bool = False, height: int = 300) -> Spec:
    """A line for each result: accepted messages over time, from the start to the end of the longest
    run.
    """
    scale, unit = max((bins_of(result).scale, bins_of(result).unit) for _, result in named)
    rows = [row for name, result in named for row in _rows(name, result, scale)]
    names = [name for name, _ in named]
    legend = {
        "title": None,
        "orient": "top",
        "labelLimit": 300,
        "symbolStrokeWidth": 3,
        "symbolSize": 300,
    }
    colour = {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": names, "range": COLOURS[dark][: len(names)]},
        "legend": legend,
    }
    dash = {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": names, "range": DASHES[: len(names)]},
        "legend": legend,
    }
    x = {
        "field": "at",
        "type": "quantitative",
        "scale": {"nice": False},
        "axis": {"title": f"time since the start ({unit})", "grid": False},
    }
    y = {
        "field": "accepted",
        "type": "quantitative",
        "axis": {"title": "messages accepted", "format": ",.0f"},
    }
    tooltip = [
        {"field": "name", "title": "setting"},
        {"field": "time", "title": "at"},
        {"field": "accepted", "title": "accepted", "format": ",.0f"},
    ]
    line = {"type": "line", "strokeWidth": 2.4, "interpolate": "linear"}
    hover = {"type": "point", "filled": True, "size": 60, "opacity": 0.001, "color": INK[dark]}
    layers: list[Spec] = [
        {
            "mark": line,
            "encoding": {"x": x, "y": y, "color": colour, "strokeDash": dash},
            "params": [zoom_by_key()],
        },
        {"mark": hover, "encoding": {"x": x, "y": y, "tooltip": tooltip}},
    ]
    told = "; ".join(f"{name}: {result.messages.accepted:,} accepted" for name, result in named)
    return {
        **spec_of(layers, height, f"Accepted messages over time. {told}"),
        "data": {"values": rows},
    }


def _rows(name: str, result: Result, scale: float) -> list[dict[str, Any]]:
    bins = bins_of(result)
    ends = (bins.edges * bins.scale).tolist()
    counts = [0, *accumulate(result.series.accepted)]
    rows = []
    for end, count in zip(ends, counts, strict=True):
        at = min(end, result.duration_s)
        rows.append(
            {"name": name, "at": at / scale, "accepted": count, "time": moment(round(at * MICRO))}
        )
    return rows
