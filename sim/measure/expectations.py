"""Expectations of a scenario, and :func:`judged`, which checks a result against them.

``sim.scenario.expectations`` reads them from a file.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import NamedTuple

from . import result as parts
from .result import Outcome, Result

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


def judged(result: Result, expectations: Sequence[Expectation]) -> Result:
    """``result`` with its expectations judged; an aborted run never passes."""
    outcomes = [expectation.judge(result) for expectation in expectations]
    passed = result.ended != "aborted" and all(outcome.passed for outcome in outcomes)
    return replace(result, expectations=outcomes, passed=passed)
