"""The smallest safe probe: the fewest logins with the right password whose fate tells how a relay
counts.

A script of logins is tried on a limiter of each algorithm, smallest first. Safe: it meets only the
limit on logins, whose refusals begin no block, and uses no wrong password. Knows nothing of plans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from ..limits import WINDOWS, make_limiter
from ..measure.formatting import number, plural
from ..relay.policy import Policy
from ..units import MICRO

BEFORE = 10
LAST = 1
AFTER = 1
"""Seconds of a minute: the filling ends so long before the clock's window does, a login comes just
before, others just after.
"""

MOST_EACH = 4
"""Logins of one step after the filling, at most."""


@dataclass(frozen=True, slots=True)
class Probe:
    """``steps`` are (seconds from the full minute of the relay's clock, logins); ``outcomes`` how
    many of each step pass.
    """

    steps: tuple[tuple[float, int], ...]
    outcomes: dict[str, tuple[int, ...]]
    spread_s: float
    """The second step's logins are spread over so long before its time."""

    @property
    def logins(self) -> int:
        """All of them."""
        return sum(many for _, many in self.steps)

    def to_dict(self) -> dict[str, object]:
        """As in the plan's JSON."""
        return {
            "steps": [{"at_s": at, "logins": many} for at, many in self.steps],
            "spread_s": self.spread_s,
            "outcomes": {window: list(passed) for window, passed in self.outcomes.items()},
        }

    def words(self) -> str:
        """What to do, and what each outcome means."""
        steps = [f"{plural(many, 'login')} at {number(at)} s" for at, many in self.steps]
        steps[1] = (
            f"{plural(self.steps[1][1], 'login')} spread over the {number(self.spread_s)} s "
            f"before {number(self.steps[1][0])} s"
        )
        told = [
            f"{'/'.join(map(str, passed))} pass: {window}"
            for window, passed in self.outcomes.items()
        ]
        return (
            "With the right password, counted from a full minute of the relay's clock: "
            f"{', '.join(steps)}. "
            f"Of the last {len(self.steps) - 2} steps {'; '.join(told)}."
        )


def smallest_probe(policy: Policy) -> Probe | None:
    """The smallest script that each algorithm answers differently; None for a policy without a
    limit on logins.
    """
    spec = policy.logins_per_username
    if spec is None or spec.count < 2:
        return None
    sizes = sorted(product(range(MOST_EACH + 1), repeat=3), key=lambda each: (sum(each), each))
    for each in sizes:
        steps = _steps(spec.count, spec.per, each)
        outcomes = {window: _passed(window, spec.count, spec.per, steps) for window in WINDOWS}
        if len(set(outcomes.values())) == len(WINDOWS):
            told = tuple((at / MICRO, many) for at, many in steps if many)
            return Probe(
                told,
                {window: _of_rest(passed, steps) for window, passed in outcomes.items()},
                spec.per / 4 / MICRO,
            )
    return None


def _steps(count: int, per: int, each: Sequence[int]) -> list[tuple[int, int]]:
    """One login early, so that a window which begins with it ends by itself; the rest of the count;
    then the steps that tell.
    """
    minute = per / 60
    early = -round(50 * minute)
    filled = -round(BEFORE * minute)
    # Of a sliding counter the share that has gone by must be worth a few requests, or telling it
    # costs too many.
    last = -round(LAST * minute)
    after = min(round(AFTER * minute), 2 * per // count)
    moments = (early, filled, last, after, early + per + after)
    return [*zip(moments, (1, count - 1, *each), strict=True)]


def _passed(window: str, count: int, per: int, steps: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """How many of each step pass. The logins of the second are spread before its time, those of the
    others 10 ms apart.
    """
    limiter = make_limiter(window, count, per)
    passed = []
    offset = 2 * per
    for place, (at, many) in enumerate(steps):
        apart = per // 4 // max(1, many) if place == 1 else per // 6_000
        start = at - (many - 1) * apart if place == 1 else at
        passed.append(
            sum(limiter.request("", offset + start + index * apart) for index in range(many))
        )
    return tuple(passed)


def _of_rest(passed: Sequence[int], steps: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Those of the steps that tell, without the ones that have no login."""
    return tuple(hits for hits, (_, many) in list(zip(passed, steps, strict=True))[2:] if many)
