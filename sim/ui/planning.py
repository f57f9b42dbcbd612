"""A plan as work for a child process: what is asked of the planner, and how it is carried out.

Plain values and functions. Knows no page, so that a child need not load Streamlit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple, TypeVar

from ..errors import ScenarioError
from ..plan import Demand, Plan, Resources, at_rate, by_deadline, plan
from ..runner.protocol import Watch, Work
from ..units import duration, rate

Value = TypeVar("Value")

PLACE = "this demand"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the planner. ``tables`` are a scenario's policy, network and faults; durations and
    rates are text.
    """

    kind: Literal["deadline", "rate"]
    messages: int
    within: str
    rate: str
    p99: str
    strategy: str
    usernames: int = 1
    ips: int = 1
    workers: int = 100
    seed: int = 1
    tables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> Hashable:
        """The same for calls that get the same plan."""
        return json.dumps(asdict(self), sort_keys=True, default=str)


class Planned(NamedTuple):
    """How far the planner is: runs done, runs expected in all, and what they are for."""

    done: int
    total: int
    what: str


class Planning(Work[Planned, Plan]):
    """Finding the plan for ``call``."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def carry_out(self, watch: Watch) -> Plan:
        call = self.call
        return plan(
            demand_of(call),
            strategy=call.strategy,
            resources=Resources(call.usernames, call.ips, call.workers),
            tables=call.tables,
            seed=call.seed,
            on_progress=lambda *progress: watch.report(Planned(*progress)),
        )

    def lost(self, how: str, progress: Planned | None) -> ScenarioError:
        return ScenarioError(PLACE, "", "the planner ended without an answer")


def demand_of(call: Call) -> Demand:
    """The demand of a call; ScenarioError for a value that cannot be read."""
    if call.kind == "deadline":
        return by_deadline(call.messages, _read("within", call.within, duration))
    p99 = _read("p99", call.p99, duration) if call.p99 else None
    return at_rate(_read("rate", call.rate, rate), p99)


def _read(key: str, text: str, reading: Callable[[object], Value]) -> Value:
    try:
        return reading(text)
    except ValueError as error:
        raise ScenarioError(PLACE, key, str(error)) from None
