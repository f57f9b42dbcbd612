"""Finds the smallest change of a setting that avoids a limit, by running each change that it tries.

:func:`remedies` is a generator: it yields tables to run, receives their results, and returns the
remedies. It tries every option of a strategy by its type, so that no list of a library's options is
needed.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import ScenarioError
from ..measure.result import Result
from ..relay.policy import Policy
from ..scenario.keys import Tables
from .candidates import Knob, knobs_of, set_to

NONE: Any = object()
"""No value was found. None is a value: it removes a key."""

Trials = Generator[Tables, Result | ScenarioError, "list[Remedy]"]

SEEDS = 3
"""The best remedy must avoid the limit with this many seeds, because one may hold by luck."""

MOST_MESSAGES = 2_000
"""A batch is cut to this size during the search; a remedy is then run with the whole batch."""

ENOUGH = 0.8
"""The share of the messages accepted before that must still be accepted, because sending nothing
avoids every limit.
"""

STEPS = 3
"""The most changes in a chain of remedies."""


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that was changed: its dotted key, before and after."""

    key: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Remedy:
    """Changes that avoid the limit, the incidents and losses that remain, and the size of the last
    change.
    """

    changes: tuple[Change, ...]
    tables: Tables
    size: float
    incidents: int
    lost: int
    per_min: float | None

    @property
    def clean(self) -> bool:
        """Whether nothing is refused or lost any more."""
        return not self.incidents and not self.lost


def remedies(tables: Mapping[str, Any], policy: Policy, limit: str) -> Trials:
    """The remedies against incidents of ``limit``, the best first: those that leave no incident and
    no loss, then the smallest.

    Where the best single change leaves other incidents, chains of further changes follow it until
    none is left.
    """
    found = yield from _single(dict(tables), policy, limit, ())
    if not found:
        return []
    best = found[0]
    chain = list[Remedy]()
    for _ in range(STEPS - 1):
        if best.clean:
            break
        result = yield best.tables
        if isinstance(result, ScenarioError) or not result.incidents.total:
            break
        more = yield from _single(best.tables, policy, result.incidents.log[0].limit, best.changes)
        further = [one for one in more if one.incidents < best.incidents]
        if not further:
            break
        best = further[0]
        chain.append(best)
    return [found[0], *chain, *found[1:]]


class _Aim(NamedTuple):
    """The goal of a change: the limit refuses nothing, and ``least`` messages are accepted."""

    limit: str
    least: int

    def reached(self, result: Result | ScenarioError) -> bool:
        """Whether this result reaches the goal."""
        return (
            self.avoided(result)
            and isinstance(result, Result)
            and result.messages.accepted >= self.least
        )

    def avoided(self, result: Result | ScenarioError) -> bool:
        """Whether the limit refused nothing in a run that sent something at all."""
        if isinstance(result, ScenarioError) or result.ended == "aborted":
            return False
        return not result.incidents.by_limit.get(self.limit, 0) and result.messages.accepted > 0


def _single(tables: Tables, policy: Policy, limit: str, before: tuple[Change, ...]) -> Trials:
    """Every single change that avoids ``limit``, the best first."""
    short = _shortened(tables)
    found = list[Remedy]()
    now = yield short
    aim = _Aim(
        limit, 0 if isinstance(now, ScenarioError) else round(ENOUGH * now.messages.accepted)
    )
    for knob in knobs_of(tables, policy):
        value = yield from _nearest(knob, short, aim)
        if value is NONE:
            continue
        changed = set_to(tables, knob.key, value)
        result = yield changed
        if aim.reached(result) and isinstance(result, Result):
            left = result.incidents.total, result.messages.lost, result.throughput.mean_per_min
            found.append(
                Remedy(
                    _joined(before, Change(knob.key, knob.value, value)),
                    changed,
                    knob.size(value),
                    *left,
                )
            )
    found.sort(key=_rank)
    while found and not (yield from _holds(found[0].tables, aim)):
        del found[0]
    return found


def _rank(one: Remedy) -> tuple[bool, bool, float, float]:
    """Sorts clean changes first, then the smallest, then the fastest. Another strategy is another
    program, so it comes last.
    """
    return (
        any(each.key == "sender.strategy" for each in one.changes),
        not one.clean,
        one.size,
        -(one.per_min or 0),
    )


def _joined(before: tuple[Change, ...], change: Change) -> tuple[Change, ...]:
    """One change for each setting, from its first value."""
    same = next((one for one in before if one.key == change.key), None)
    others = tuple(one for one in before if one.key != change.key)
    return (*others, change if same is None else Change(change.key, same.before, change.after))


def _nearest(
    knob: Knob, tables: Tables, aim: _Aim
) -> Generator[Tables, Result | ScenarioError, Any]:
    """The value of ``knob`` that is nearest to its present one and avoids the limit, or NONE.

    The farthest value of a ladder is tried first: if even that does not avoid the limit, the nearer
    ones are assumed not to.
    """
    best = NONE
    for ladder in filter(None, knob.ladders):
        farthest = yield set_to(tables, knob.key, ladder[-1])
        if not aim.avoided(farthest):
            continue
        last = knob.value
        holds = ladder[-1]
        for value in ladder[:-1]:
            result = yield set_to(tables, knob.key, value)
            if aim.avoided(result):
                holds = value
                break
            last = value
        holds = yield from _bisected(knob, tables, aim, last, holds)
        if best is NONE or knob.size(holds) < knob.size(best):
            best = holds
    return best


def _bisected(
    knob: Knob, tables: Tables, aim: _Aim, fails: Any, holds: Any
) -> Generator[Tables, Result | ScenarioError, Any]:
    """Moves from ``holds`` towards ``fails`` as long as the limit is avoided."""
    for _ in range(7):
        middle = knob.between(fails, holds)
        if middle is None:
            break
        result = yield set_to(tables, knob.key, middle)
        if aim.avoided(result):
            holds = middle
        else:
            fails = middle
    return holds


def _holds(tables: Tables, aim: _Aim) -> Generator[Tables, Result | ScenarioError, bool]:
    """Whether the limit is also avoided with other seeds."""
    for more in range(1, SEEDS):
        result = yield {**tables, "seed": tables.get("seed", 1) + more}
        if not aim.reached(result):
            return False
    return True


def _shortened(tables: Tables) -> Tables:
    workload = tables.get("workload", {})
    if workload.get("kind") != "batch" or workload.get("messages", 0) <= MOST_MESSAGES:
        return tables
    return {**tables, "workload": {**workload, "messages": MOST_MESSAGES}}
