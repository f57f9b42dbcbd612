"""The answer to a demand: a Plan, frozen, as JSON. Knows how an answer looks, not how it is
found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .ceilings import Ceiling
from .demand import Demand
from .estimates import Estimate, Share
from .option_map import Setting
from .probe import Probe


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the proof's replications found. Messages a minute, seconds, and incidents a run; latency
    is the p99 of each run.
    """

    throughput: Estimate
    latency_s: Estimate
    drain_s: Estimate
    incidents: Estimate

    def to_dict(self) -> dict[str, dict[str, float]]:
        """As in the plan's JSON."""
        return {
            name: getattr(self, name).to_dict()
            for name in ("throughput", "latency_s", "drain_s", "incidents")
        }


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A setting beside the answer: ``change`` in words, what it would do, and whether it meets the
    demand.

    ``later_s`` is how much later the last message arrives than with the answer, on the same luck.
    """

    change: str
    settings: dict[str, Any]
    meets: bool
    per_min: float
    drain_s: float
    p99_s: float | None
    incidents: int
    later_s: Estimate

    def to_dict(self) -> dict[str, Any]:
        """As in the plan's JSON."""
        plain = ("change", "settings", "meets", "per_min", "drain_s", "p99_s", "incidents")
        return {**{name: getattr(self, name) for name in plain}, "later_s": self.later_s.to_dict()}


@dataclass(frozen=True, slots=True)
class Nearest:
    """Where nothing meets the demand: the safe settings that come nearest, and what they do."""

    settings: dict[str, Any]
    per_min: float
    drain_s: float

    def to_dict(self) -> dict[str, Any]:
        """As in the plan's JSON."""
        return {"settings": self.settings, "per_min": self.per_min, "drain_s": self.drain_s}


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer. ``settings``, ``predicted``, ``p_deadline``, ``snippet`` and ``scenario`` are
    None where nothing meets the demand.

    ``binding`` names the limit that the settings meet first, or that forbids the demand: a policy
    key, or ``workers`` or ``round_trips`` for the sender's own times. ``headroom`` is the share of
    each limit, and of the deadline or objective, that stays unused. ``readings`` says under which
    readings of the policy the demand is met. ``rtt_s`` is the range of round trips for which the
    plan holds. ``proof`` counts the runs of all messages and of the first part. ``changes`` are the
    resources, or the demand, with which an infeasible one would be met.
    """

    demand: Demand
    feasible: bool
    why: str
    ceiling_per_min: float | None
    binding: str
    ceilings: tuple[Ceiling, ...]
    settings: dict[str, Any] | None = None
    predicted: Predicted | None = None
    headroom: dict[str, float] = field(default_factory=dict)
    p_deadline: Share | None = None
    readings: dict[str, bool] = field(default_factory=dict)
    snippet: str | None = None
    scenario: str | None = None
    frontier: tuple[Neighbour, ...] = ()
    probe: Probe | None = None
    nearest: Nearest | None = None
    changes: dict[str, float] = field(default_factory=dict)
    rtt_s: tuple[float, float] | None = None
    replications: int = 0
    proof: dict[str, int] = field(default_factory=dict)
    setting: Setting | None = None

    def to_dict(self) -> dict[str, Any]:
        """The object that ``plan --json`` prints: the answer first; behind it the frontier, the
        probe and what would change the answer.
        """
        return {
            "feasible": self.feasible,
            "why": self.why,
            "ceiling_per_min": self.ceiling_per_min,
            "binding": self.binding,
            "ceilings": [one.to_dict() for one in self.ceilings],
            "settings": self.settings,
            "predicted": self.predicted.to_dict() if self.predicted else None,
            "headroom": self.headroom,
            "p_deadline": self.p_deadline.to_dict() if self.p_deadline else None,
            "readings": self.readings,
            "snippet": self.snippet,
            "scenario": self.scenario,
            "asked": self.demand.asked,
            "replications": self.replications,
            "proof": self.proof or None,
            "rtt_s": list(self.rtt_s) if self.rtt_s else None,
            "frontier": [one.to_dict() for one in self.frontier],
            "probe": self.probe.to_dict() if self.probe else None,
            "nearest": self.nearest.to_dict() if self.nearest else None,
            "changes": self.changes,
        }
