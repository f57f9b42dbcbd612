"""The ``[expect]`` table of a scenario, read strictly: ``metric = comparison``.

:func:`parse_expectations` returns the expectations that ``sim.measure`` checks a result against.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ScenarioError, nearest
from ..measure.expectations import ENDS, Expectation, metrics
from ..text import shown
from .keys import leaves

_COMPARISON = re.compile(r"\s*(==|!=|<=|>=|<|>)\s*(\S+)\s*")


def parse_expectations(
    table: Mapping[str, Any], limits: Sequence[str], place: str
) -> tuple[Expectation, ...]:
    """The ``[expect]`` table; ScenarioError with every mistake in it."""
    allowed = metrics(limits)
    good: list[Expectation] = []
    bad: list[ScenarioError] = []
    for metric, comparison in dict(leaves(table)).items():
        try:
            good.append(_parse(metric, comparison, allowed))
        except ValueError as error:
            bad.append(ScenarioError(place, f"expect.{metric}", str(error)))
    if bad:
        raise ScenarioError.joined(bad)
    return tuple(good)


def _parse(metric: str, comparison: object, allowed: Sequence[str]) -> Expectation:
    if metric not in allowed and not re.fullmatch(r"incidents\.by_code\.[245]\d\d", metric):
        raise ValueError(
            f"is no metric of a result{nearest(metric, allowed)}; allowed: {', '.join(allowed)}, "
            "incidents.by_code.421"
        )
    found = _COMPARISON.fullmatch(comparison) if isinstance(comparison, str) else None
    if not found:
        raise ValueError(
            f"{shown(comparison)} is not a comparison; write ==, !=, <, <=, > or >= and a value, "
            'such as ">= 550"'
        )
    return Expectation(metric, str(comparison), found[1], _bound(metric, found[1], found[2]))


def _bound(metric: str, sign: str, text: str) -> float | str:
    if metric == "ended":
        if text not in ENDS or sign not in ("==", "!="):
            raise ValueError(
                f"{shown(text)} is not an end; write == or != and one of {', '.join(ENDS)}"
            )
        return text
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not a number") from None
    if not math.isfinite(value):
        raise ValueError(f"{shown(text)} is not a finite number")
    return value
