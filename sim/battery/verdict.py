"""What the battery found: each run judged in words, and one verdict over all. Knows results, not
how they came about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..measure import Result
from ..measure.formatting import plural
from .worlds import Judged


@dataclass(frozen=True, slots=True)
class World:
    """One run of the battery. ``why`` is empty where it passed; ``command`` replays it."""

    world: str
    window: str
    seed: int
    passed: bool
    why: str
    command: str
    result: Result

    def to_dict(self) -> dict[str, Any]:
        """As ``validate --json`` prints it."""
        return {
            name: getattr(self, name)
            for name in ("world", "window", "seed", "passed", "why", "command")
        } | {"result": self.result.to_dict()}


@dataclass(frozen=True, slots=True)
class Verdict:
    """All runs, world by world, window by window, seed by seed."""

    worlds: tuple[World, ...]

    @property
    def passed(self) -> bool:
        """Whether every run passed."""
        return all(world.passed for world in self.worlds)

    @property
    def smallest_failing(self) -> World | None:
        """The failing run with the fewest messages, then the shortest, then the earliest; None if
        all passed.
        """
        return smallest([world for world in self.worlds if not world.passed])

    def to_dict(self) -> dict[str, Any]:
        """As ``validate --json`` prints it."""
        return {"passed": self.passed, "worlds": [world.to_dict() for world in self.worlds]}


def smallest(worlds: Sequence[World]) -> World | None:
    """The run that is the least to look at; None of none."""
    return min(
        worlds,
        key=lambda world: (world.result.messages.submitted, world.result.duration_s),
        default=None,
    )


def faults_found(result: Result, judged: Judged) -> str:
    """Why a run did not pass, in words; empty if it did."""
    found = []
    if result.ended == "aborted":
        found.append(f"aborted: {result.error or 'the strategy failed'}")
    if result.messages.lost:
        found.append(f"lost {plural(result.messages.lost, 'message')}: {_named(result)}")
    if result.ended == "until":
        found.append(
            f"{plural(result.messages.waiting, 'message')} still not sent after {result.duration_s / 60:g} min"
        )
    if judged == "no incident" and result.incidents.total:
        hit = ", ".join(
            f"{limit} {count:,}" for limit, count in result.incidents.by_limit.items() if count
        )
        found.append(
            f"{plural(result.incidents.total, 'incident')}, the first at {result.incidents.first_s:g} s ({hit})"
        )
    if judged == "no block" and result.blocks:
        first = result.blocks[0]
        found.append(
            f"{plural(len(result.blocks), 'block')}, the first from {first.from_s:g} s on ({first.limit})"
        )
    return "; ".join(found)


def _named(result: Result) -> str:
    more = result.messages.lost - len(result.first_lost)
    return ", ".join(result.first_lost) + (f" and {more:,} more" if more else "")
