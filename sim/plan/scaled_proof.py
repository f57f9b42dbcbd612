"""A long batch proven by one run of all of it and by many runs of its first part.

Once a batch is under way nothing changes any more: the same connections at the same pace, until it
is sent. So its first part at the same pace tells of the rest, under two conditions that are looked
at and not assumed. The deadline: the part has the same share of the time, which is harder, as the
first and the last connection count for more in it. The limits: the fullest window of every run
leaves :data:`CLEAR` of each count, so that a refusal later on would need more than luck. Where one
does not hold, every replication is of the whole. Knows results, not how a setting is found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..measure import Result
from ..relay.policy import Policy
from .estimates import Estimate, t_quantile
from .option_map import Setting
from .trials import Trials

PART = 3_000
"""Messages of a part; a batch of fewer than twice as many is run whole."""

CLEAR = 0.05
"""The share of a window's count that must stay unused in every run."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The replications of a setting: of all messages, and of the first ``messages`` of them if
    there are ``parts``.
    """

    whole: tuple[Result, ...]
    parts: tuple[Result, ...] = ()
    messages: int = 0

    @property
    def all(self) -> tuple[Result, ...]:
        """Every run."""
        return (*self.whole, *self.parts)

    def to_dict(self) -> dict[str, int]:
        """As in the plan's JSON."""
        return {"whole": len(self.whole), "parts": len(self.parts), "part_messages": self.messages}


def is_long(trials: Trials) -> bool:
    """Whether it is a batch that a part of it may stand for: of a library's model, whose runs cost
    several times as much.
    """
    return not trials.knobs.plain and trials.demand.batch and trials.demand.messages >= 2 * PART


def first_parts(trials: Trials) -> Trials:
    """The same trials, of the first part at the same pace."""
    return replace(trials, demand=trials.demand.shortened(PART), kept={})


def by_parts(trials: Trials, policy: Policy, setting: Setting, runs: int) -> Proof | None:
    """A run of the whole and ``runs - 1`` of its first part; None where they do not prove it, and
    whole runs have to.
    """
    whole = trials.run(setting, [0])
    if not trials.demand.met(whole[0]) or not _clear(whole[0], policy):
        return None
    brief = first_parts(trials)
    parts = list[Result]()
    while len(parts) < runs - 1:
        first = 1 + len(parts)
        many = 1 if brief.jobs == 1 else runs - first
        parts += brief.run(setting, list(range(first, first + many)))
        if not all(brief.demand.met(result) and _clear(result, policy) for result in parts[-many:]):
            return None
    return Proof(tuple(whole), tuple(parts), PART)


def _clear(result: Result, policy: Policy) -> bool:
    """Whether no window of the run came near its count."""
    for kind, spec in policy.rates():
        most = max(result.series.in_window.get(kind.name, ()), default=0)
        if most > spec.count * (1 - CLEAR):
            return False
    return True


def scaled(
    whole: Sequence[float], parts: Sequence[float], share: float, confidence: float
) -> Estimate:
    """The estimate of a number of the whole from its few runs, with the spread of the parts, which
    are ``share`` of it each.

    A sum over so many connections spreads with the root of how many they are, so that the whole's
    relative spread is the parts' times the root of ``share``.
    """
    mean = math.fsum(whole) / len(whole)
    n = len(parts)
    middle = math.fsum(parts) / n
    spread = math.sqrt(math.fsum((value - middle) ** 2 for value in parts) / max(1, n - 1))
    deviation = spread / abs(middle) * abs(mean) * math.sqrt(share) if middle else 0.0
    t = t_quantile(confidence, max(1, n - 1))
    half = t * deviation / math.sqrt(len(whole))
    wide = t * deviation * math.sqrt(1 + 1 / len(whole))
    return Estimate(
        mean, min(mean - wide, *whole), max(mean + wide, *whole), mean - half, mean + half
    )
