"""Finds the cheapest setting that meets a demand: closed form first, which costs nothing, then
proof by simulation.

Cheapest means fewest usernames, then IPs, then connections at once. The time between logins is no
cost: of those that do, the one is taken that leaves most room on both sides, to the relay's limit
and to the deadline. Knows nothing of how an answer is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..measure import Result
from . import ceilings as closed
from .ceilings import edge_gap, least_gap
from .connection_time import Cycle
from .estimates import precise, runs_for, share, upper_bound
from .option_map import Setting
from .scaled_proof import Proof, by_parts, is_long
from .trials import Trials

LEAST_RUNS = 5
MOST_MESSAGES = 2_000_000
"""A proof has at least so many replications, and no more than make so many messages, unless a
number is asked for.
"""

LIBRARY_WEIGHT = 4
"""A message of a library's model costs several times one of a plain strategy, since it says every
command.
"""

NO_LIMIT_SIZE = 100
"""Messages a connection where the policy has no limit on them: more would not make the login any
smaller a part.
"""

MOST_FAILED = 16
"""Settings whose proof failed, after which more workers are not tried: what fails then is not for
want of them.
"""

EVEN = 0.9
"""Workers of several usernames share the connections of a batch out so evenly, at least."""

LONGER = (1.05, 1.15, 1.3, 1.6, 2.0)
"""A library that keeps its pace only nearly is tried with gaps so many times the least."""

FIRST = 1_500
START = 1.04
"""So many messages show whether a setting can do it at all; the first and the last connection slow
them by a few hundredths.
"""

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
    """How sure an answer must be: ``confidence`` of each interval; the ``share`` of runs that must
    meet the demand; replications (None: as many as put the low end of the share's interval there);
    ``precision`` of the means, as a share of themselves.
    """

    confidence: float = 0.95
    share: float = 0.9
    replications: int | None = None
    precision: float = 0.02

    def runs(self, messages: int, weight: int = 1) -> int:
        """How many replications a proof with so many messages each has at first; ``weight`` is what
        a message costs.
        """
        if self.replications is not None:
            return self.replications
        return max(
            LEAST_RUNS,
            min(runs_for(self.share, self.confidence), MOST_MESSAGES // (messages * weight)),
        )


class Search:
    """The search for one demand. ``cycle`` is the slowest way there may be, ``quick`` the
    quickest.
    """

    def __init__(
        self, trials: Trials, cycle: Cycle, quick: Cycle, resources: Resources, standard: Standard
    ) -> None:
        self.trials = trials
        self.demand = trials.demand
        self.knobs = trials.knobs
        self.cycle = cycle
        self.quick = quick
        self.resources = resources
        self.standard = standard
        self.policy, self.network = trials.base()
        carried = self.policy.carried
        self.size = min(NO_LIMIT_SIZE if carried is None else carried, self.demand.messages)

    def proven(self) -> Iterator[tuple[Setting, Proof]]:
        """Settings with the replications that prove them, cheapest first."""
        for usernames in range(1, self.resources.usernames + 1):
            for ips in range(1, min(self.resources.ips, self.resources.workers) + 1):
                yield from self.proven_with(usernames, ips)

    def proven_with(self, usernames: int, ips: int) -> Iterator[tuple[Setting, Proof]]:
        """Those with exactly so many usernames and IPs; gives up when several with ever more
        workers have failed.
        """
        suited = self.suited(usernames, ips)
        failed = 0
        at = 0 if self.demand.batch else self._first_in_time(suited)
        while at is not None and at < len(suited) and failed < MOST_FAILED:
            for setting in self._gaps(suited[at]):
                proof = self.proof(setting) if self._promises(setting) else None
                if proof:
                    yield setting, proof
                else:
                    failed += 1
            at += 1 + failed // 4  # the nearest ones first, then wider apart

    def suited(self, usernames: int, ips: int) -> list[Setting]:
        """Settings that the closed form allows, by workers, each with its least safe gap."""
        ceiling = self.policy.ceiling(usernames, ips)
        if (
            ceiling is not None
            and ceiling < self.demand.per_min
            and not self.in_one_window(usernames, ips)
        ):
            return []
        made = (self.least(many, usernames, ips) for many in range(1, self.resources.workers + 1))
        return [setting for setting in made if setting is not None and self.enough(setting)]

    def in_one_window(self, usernames: int, ips: int) -> bool:
        """Whether all connections of a batch together are within every limit's count, so that no
        gap is needed between them.

        The workers of several usernames share them out nearly evenly. A rate goes on, so it never
        is.
        """
        connections = -(-self.demand.messages // self.size)
        if not self.demand.batch or self.demand.rate:
            return False
        for kind, spec in self.policy.rates():
            keys = kind.for_each.keys(usernames, ips)
            requests = connections * kind.requests(self.size)
            if requests > spec.count * (1 if keys == 1 else keys * EVEN):
                return False
        return True

    def least(self, many: int, usernames: int, ips: int) -> Setting | None:
        """The setting with ``many`` connections at once and its least safe gap; None where there is
        none.
        """
        lasting = self._for_long(many, usernames, ips)
        if lasting is None or not self.in_one_window(usernames, ips):
            return lasting
        return replace(lasting, gap=0)

    def is_burst(self, setting: Setting) -> bool:
        """Whether the setting is safe only because all its connections are within one window's
        count.
        """
        many = setting.parallel if self.knobs.parallel is not None else setting.workers
        lasting = self._for_long(many, setting.usernames, setting.ips)
        return lasting is None or setting.gap < lasting.gap

    def _for_long(self, many: int, usernames: int, ips: int) -> Setting | None:
        """The same with the least gap that is safe however long the sender goes on."""
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
        """Microseconds to drain the demand's messages in closed form, were they all there
        at once.
        """
        return closed.drain(self.policy, self.cycle, self.knobs, setting, self.demand.messages)

    def ceilings(self, setting: Setting) -> closed.Ceilings:
        """The ceilings of the setting."""
        return closed.ceilings(self.policy, self.cycle, self.knobs, setting)

    def balanced(self, setting: Setting) -> Setting:
        """The setting with the gap that leaves the same room to the limit as to the deadline, never
        below the least safe one.

        Where only a burst within one window is in time, half of the longest gap that is.
        """
        if not self.demand.batch or self.demand.within is None:
            return setting
        many = setting.parallel if self.knobs.parallel is not None else setting.workers
        lasting = self._for_long(many, setting.usernames, setting.ips)
        step = self.knobs.step
        if lasting is None or not self.enough(lasting):
            return replace(setting, gap=self._longest(setting) // 2 // step * step)
        edge = edge_gap(self.policy, self.quick, self.knobs, lasting)
        if not edge:
            return lasting
        return replace(
            lasting, gap=max(lasting.gap, math.isqrt(edge * self._longest(lasting)) // step * step)
        )

    def _longest(self, setting: Setting) -> int:
        """The longest gap with which the closed form is in time, ``setting``'s at least."""
        assert self.demand.within is not None, "only a deadline bounds a gap"
        low = setting.gap
        high = max(setting.gap, self.demand.within)
        while high - low > self.knobs.step:
            middle = (low + high) // 2
            if self.drain(replace(setting, gap=middle)) <= self.demand.within * TRUST:
                low = middle
            else:
                high = middle
        return low

    def proof(self, setting: Setting) -> Proof | None:
        """The replications that prove the setting, or None. Those of a long batch may be of its
        first part, see ``parts``.
        """
        weight = 1 if self.knobs.plain else LIBRARY_WEIGHT
        needed = self.standard.runs(self.demand.messages, weight)
        self.trials.meter.expect("proof", needed)
        found = None
        if is_long(self.trials) and self.standard.replications is None:
            found = by_parts(self.trials, self.policy, setting, needed)
        return found or self._whole_proof(setting, needed)

    def _whole_proof(self, setting: Setting, needed: int) -> Proof | None:
        """The replications of all messages that prove the setting, or None: the low end of the
        share that meets the demand is the one asked for.

        A late replication is made up for by more of them, at most twice as many; a refused or lost
        message ends it. Where too few can be made to tell the share, all must meet it, and a
        further one must be expected to. Goes on until the means are as precise as asked.
        """
        results = list[Result]()
        while True:
            late = sum(not self.demand.met(result) for result in results)
            if late and not self._made_up_for(late, len(results), needed):
                return None
            if len(results) >= needed and (late or self._precise(results, needed)):
                enough = (
                    self._share_low(late, len(results)) >= self.standard.share
                    if late
                    else self._expected(results)
                )
                if enough or not late or len(results) >= 2 * needed:
                    return Proof(tuple(results)) if enough else None
            many = (
                1 if self.trials.jobs == 1 or not results else max(needed - len(results), 1)
            )  # a pilot, then all at once
            results += self.trials.run(setting, list(range(len(results), len(results) + many)))
            if not all(self.demand.safe(result) for result in results[-many:]):
                return None

    def _made_up_for(self, late: int, runs: int, needed: int) -> bool:
        """Whether twice as many runs as needed could still put the share where it must be, if no
        more are late.
        """
        if self.standard.replications is not None or needed < runs_for(
            self.standard.share, self.standard.confidence
        ):
            return False
        return self._share_low(late, max(runs, 2 * needed)) >= self.standard.share

    def _share_low(self, late: int, runs: int) -> float:
        return share(runs - late, runs, self.standard.confidence).low

    def _expected(self, results: list[Result]) -> bool:
        """Whether a further run is expected to meet the demand with the asked share."""
        for column in zip(*(self.demand.measured(result) for result in results), strict=True):
            if upper_bound([value for value, _ in column], self.standard.share) > column[0][1]:
                return False
        return True

    def _precise(self, results: list[Result], needed: int) -> bool:
        if self.standard.replications is not None or len(results) >= 2 * needed:
            return True
        columns = zip(*(self.demand.measured(result) for result in results), strict=True)
        return all(
            precise(
                [value for value, _ in column], self.standard.precision, self.standard.confidence
            )
            for column in columns
        )

    def _promises(self, setting: Setting) -> bool:
        """Whether the first few messages of a library's long batch go without a refusal, and nearly
        as fast as asked.

        The closed form knows a library only nearly; this costs a fraction of a run and ends most of
        those that cannot do it.
        """
        if self.knobs.plain or not self.demand.batch or self.demand.messages < 2 * FIRST:
            return True
        first = replace(self.trials, demand=self.demand.shortened(FIRST), kept={}).run(
            setting, [0]
        )[0]
        pace = (first.throughput.mean_per_min or 0.0) * START
        return first.incidents.total == 0 and pace >= self.demand.per_min

    def _gaps(self, setting: Setting) -> list[Setting]:
        """The gaps to try for these workers, the roomiest first; longer ones too for a library
        whose pace is only nearly kept.
        """
        found = [self.balanced(setting), setting]
        if not self.knobs.plain:
            step = self.knobs.step
            found += [
                replace(setting, gap=math.ceil(setting.gap * longer / step) * step)
                for longer in LONGER
            ]
        return [one for one in dict.fromkeys(found) if self.enough(one)]

    def _first_in_time(self, suited: list[Setting]) -> int | None:
        """The first setting whose pilot run is in time: doubled until one is, then halved back.
        None if none is.
        """
        self.trials.meter.expect("search", 6)
        below = -1
        at = 0
        while at < len(suited) and not self.trials.holds(suited[at], [0]):
            below = at
            at = min(max(at + 1, 2 * at), len(suited) - 1) if at < len(suited) - 1 else len(suited)
        if at >= len(suited):
            return None
        while at - below > 1:
            middle = (at + below) // 2
            below, at = (below, middle) if self.trials.holds(suited[middle], [0]) else (middle, at)
        return at
