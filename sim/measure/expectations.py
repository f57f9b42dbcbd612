"""Expectations: ``metric = comparison``, read strictly and judged against a result. Knows nothing
of files.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

from ..errors import ScenarioError, nearest
from ..text import shown
from . import result as parts
from .result import Outcome, Result

_COMPARISON = re.compile(r"\s*(==|!=|<=|>=|<|>)\s*(\S+)\s*")
_OPERATORS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
ENDS = ("settled", "until", "aborted")
_GROUPS = {
    "messages": parts.Messages,
    "throughput": parts.Throughput,
    "latency_s": parts.Latency,
    "connections": parts.Connections,
    "logins": parts.Logins,
}


class Expectation(NamedTuple):
    """One line of ``[expect]``. ``bound`` is a number, or a word for ``ended``."""

    metric: str
    comparison: str
    sign: str
    bound: float | str

    def judge(self, result: Result) -> Outcome:
        """Whether it holds; a metric that is None fails."""
        actual = result.metric(self.metric)
        passed = actual is not None and bool(_OPERATORS[self.sign](actual, self.bound))
        return Outcome(self.metric, self.comparison, actual, passed)


def metrics(limits: Sequence[str]) -> list[str]:
    """Every metric that an expectation may name under a policy with these limits."""
    names = [f"{group}.{field.name}" for group, kind in _GROUPS.items() for field in fields(kind)]
    return [
        "ended",
        "duration_s",
        *names,
        "incidents.total",
        "incidents.first_s",
        *(f"incidents.by_limit.{name}" for name in limits),
    ]


def parse_expectations(
    table: Mapping[str, Any], limits: Sequence[str], place: str
) -> tuple[Expectation, ...]:
    """The ``[expect]`` table; ScenarioError with every mistake in it."""
    good: list[Expectation] = []
    bad: list[ScenarioError] = []
    for metric, comparison in flat(table).items():
        try:
            good.append(_parse(metric, comparison, limits))
        except ValueError as error:
            bad.append(ScenarioError(place, f"expect.{metric}", str(error)))
    if bad:
        raise ScenarioError.joined(bad)
    return tuple(good)


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted keys, whether written ``"a.b" = x`` or ``a.b = x``."""
    result: dict[str, Any] = {}
    for key, value in table.items():
        result.update(
            flat(value, f"{prefix}{key}.")
            if isinstance(value, Mapping)
            else {f"{prefix}{key}": value}
        )
    return result


def judged(result: Result, expectations: Sequence[Expectation]) -> Result:
    """``result`` with its expectations judged; an aborted run never passes."""
    outcomes = [expectation.judge(result) for expectation in expectations]
    passed = result.ended != "aborted" and all(outcome.passed for outcome in outcomes)
    return replace(result, expectations=outcomes, passed=passed)


def _parse(metric: str, comparison: object, limits: Sequence[str]) -> Expectation:
    allowed = metrics(limits)
    if metric not in allowed and not re.fullmatch(r"incidents\.by_code\.[245]\d\d", metric):
        raise ValueError(
            f"is no metric of a result{nearest(metric, allowed)}; allowed: {', '.join(allowed)}, incidents.by_code.421"
        )
    found = _COMPARISON.fullmatch(comparison) if isinstance(comparison, str) else None
    if not found:
        raise ValueError(
            f'{shown(comparison)} is not a comparison; write ==, !=, <, <=, > or >= and a value, such as ">= 550"'
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
