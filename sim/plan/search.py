"""Finds the cheapest setting that meets a demand: closed form first, which costs nothing, then proof by simulation.

Cheapest means fewest usernames, then IPs, then connections at once. The time between logins is no cost: of those that do, the one
is taken that leaves most room on both sides, to the relay's limit and to the deadline. Knows nothing of how an answer is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..measure import Result
from . import ceilings as closed
from .cycle import Cycle
from .estimates import precise, runs_for, upper_bound
from .knobs import Setting
from .margins import edge_gap, least_gap
from .trials import Trials

LEAST_RUNS, MOST_MESSAGES = 5, 2_000_000
"""A proof has at least so many replications, and no more than make so many messages, unless a number is asked for."""

NO_LIMIT_SIZE = 100
"""Messages a connection where the policy has no limit on them: more would not make the login any smaller a part."""

LONGER = (1.05, 1.15, 1.3, 1.6, 2.0)
"""A library that keeps its pace only nearly is tried with gaps so many times the least."""

TRUST = 0.995
"""The closed form knows no jitter: a gap that it finds just enough is taken a little shorter."""


@dataclass(frozen=True, slots=True)
class Resources:
    """The most there is of each."""

    usernames: int = 1
    ips: int = 1
    workers: int = 100


@dataclass(frozen=True, slots=True)
class Standard:
    """How sure an answer must be: ``confidence`` of each interval; the ``share`` of runs that must meet the demand; replications
    (None: as many as put the low end of the share's interval there); ``precision`` of the means, as a share of themselves.
    """

    confidence: float = 0.95
    share: float = 0.9
    replications: int | None = None
    precision: float = 0.02

    def runs(self, messages: int) -> int:
        """How many replications a proof with so many messages each has at first."""
        if self.replications is not None:
            return self.replications
        return max(LEAST_RUNS, min(runs_for(self.share, self.confidence), MOST_MESSAGES // messages))


class Search:
    """The search for one demand. ``cycle`` is the slowest way there may be, ``quick`` the quickest."""

    def __init__(self, trials: Trials, cycle: Cycle, quick: Cycle, resources: Resources, standard: Standard) -> None:
        self.trials, self.demand, self.knobs = trials, trials.demand, trials.knobs
        self.cycle, self.quick, self.resources, self.standard = cycle, quick, resources, standard
        self.policy, self.network = trials.base()
        limit = self.policy.transactions_per_connection
        self.size = min(limit.count if limit else NO_LIMIT_SIZE, self.demand.messages)

    def proven(self) -> Iterator[tuple[Setting, list[Result]]]:
        """Settings with the replications that prove them, cheapest first."""
        for usernames in range(1, self.resources.usernames + 1):
            for ips in range(1, min(self.resources.ips, self.resources.workers) + 1):
                yield from self.proven_with(usernames, ips)

    def proven_with(self, usernames: int, ips: int) -> Iterator[tuple[Setting, list[Result]]]:
        """Those with exactly so many usernames and IPs."""
        suited = self.suited(usernames, ips)
        at = 0 if self.demand.batch else self._first_in_time(suited)
        while at is not None and at < len(suited):
            for setting in self._gaps(suited[at]):
                results = self.proof(setting)
                if results:
                    yield setting, results
            at += 1

    def suited(self, usernames: int, ips: int) -> list[Setting]:
        """Settings that the closed form allows, by workers, each with its least safe gap."""
        ceiling = self.policy.ceiling(usernames, ips)
        if ceiling is not None and ceiling < self.demand.per_min:
            return []
        made = (self.least(many, usernames, ips) for many in range(1, self.resources.workers + 1))
        return [setting for setting in made if setting is not None and self.enough(setting)]

    def least(self, many: int, usernames: int, ips: int) -> Setting | None:
        """The setting with ``many`` connections at once and its least safe gap; None where there is none."""
        pooled = self.knobs.parallel is not None
        workers, parallel = (max(usernames, ips), many) if pooled else (many, 1)
        if workers < max(usernames, ips):
            return None
        bare = Setting(workers, usernames, ips, self.size, 0, parallel)
        gap = least_gap(self.policy, self.quick, self.knobs, bare, trickle=not self.demand.batch)
        return None if gap is None else replace(bare, gap=gap)

    def enough(self, setting: Setting) -> bool:
        """Whether the closed form says that the setting carries the demand."""
        if self.demand.batch:
            assert self.demand.within is not None, "a batch has a deadline"
            return self.drain(setting) <= self.demand.within
        return self.ceilings(setting).per_min >= self.demand.per_min

    def drain(self, setting: Setting) -> int:
        """Microseconds to drain the demand's messages in closed form, were they all there at once."""
        return closed.drain(self.policy, self.cycle, self.knobs, setting, self.demand.messages)

    def ceilings(self, setting: Setting) -> closed.Ceilings:
        """The ceilings of the setting."""
        return closed.ceilings(self.policy, self.cycle, self.knobs, setting)

    def balanced(self, setting: Setting) -> Setting:
        """The setting with the gap that leaves the same room to the limit as to the deadline, never below the least safe one."""
        edge = edge_gap(self.policy, self.quick, self.knobs, setting)
        if not self.demand.batch or not edge or not setting.gap or self.demand.within is None:
            return setting
        low, high = setting.gap, max(setting.gap, self.demand.within)
        while high - low > self.knobs.step:
            middle = (low + high) // 2
            if self.drain(replace(setting, gap=middle)) <= self.demand.within * TRUST:
                low = middle
            else:
                high = middle
        return replace(setting, gap=max(setting.gap, math.isqrt(edge * low) // self.knobs.step * self.knobs.step))

    def proof(self, setting: Setting) -> list[Result]:
        """The replications that prove the setting; empty where one fails, or a further one could not be promised.

        Goes on until the means are as precise as asked, at most twice as long as the share needs.
        """
        needed, values = self.standard.runs(self.demand.messages), list[float]()
        self.trials.meter.expect("proof", needed)
        results: list[Result] = []
        while len(results) < needed or not self._precise(results, needed):
            more = range(len(results), min(max(needed, len(results) + 1), len(results) + 4))
            for number in [more] if len(more) > 1 and self.trials.jobs > 1 else [[one] for one in more]:
                results += self.trials.run(setting, list(number))
                if not all(self.demand.met(result) for result in results[-len(number) :]):
                    return []
        for index in range(len(self.demand.measured(results[0]))):
            values = [self.demand.measured(result)[index][0] for result in results]
            if upper_bound(values, self.standard.share) > self.demand.measured(results[0])[index][1]:
                return []
        return results

    def _precise(self, results: list[Result], needed: int) -> bool:
        if self.standard.replications is not None or len(results) >= 2 * needed:
            return True
        columns = zip(*(self.demand.measured(result) for result in results), strict=True)
        return all(
            precise([value for value, _ in column], self.standard.precision, self.standard.confidence) for column in columns
        )

    def _gaps(self, setting: Setting) -> list[Setting]:
        """The gaps to try for these workers, the roomiest first; longer ones too for a library whose pace is only nearly kept."""
        found = [self.balanced(setting), setting]
        if not self.knobs.plain:
            step = self.knobs.step
            found += [replace(setting, gap=math.ceil(setting.gap * longer / step) * step) for longer in LONGER]
        return [one for one in dict.fromkeys(found) if self.enough(one)]

    def _first_in_time(self, suited: list[Setting]) -> int | None:
        """The first setting whose pilot run is in time: doubled until one is, then halved back. None if none is."""
        self.trials.meter.expect("search", 6)
        below, at = -1, 0
        while at < len(suited) and not self.trials.holds(suited[at], [0]):
            below, at = at, min(max(at + 1, 2 * at), len(suited) - 1) if at < len(suited) - 1 else len(suited)
        if at >= len(suited):
            return None
        while at - below > 1:
            middle = (at + below) // 2
            below, at = (below, middle) if self.trials.holds(suited[middle], [0]) else (middle, at)
        return at
