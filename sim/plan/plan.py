"""From a demand to a Plan: searches, proves, reads the policy otherwise, looks at the neighbours,
and says it in words.

The one entry is :func:`plan`. Knows nothing of command lines or figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..measure import Result
from ..measure.formatting import lasting, moment, number, plural
from ..scenario.schema import Network
from ..scenario.toml import to_toml
from ..strategies.snippets import snippet_for
from ..units import MICRO, duration, spoken
from .answer import Nearest, Plan, Predicted
from .ceilings import Ceilings
from .connection_time import Cycle, cycle_of, measured_cycle
from .demand import Demand
from .estimates import Estimate, estimate, share
from .option_map import Knobs, Setting, knobs_for
from .probe import smallest_probe
from .readings import Reading, reversals, windows
from .refusal import FIRST_PART, refusal
from .scaled_proof import Proof, scaled
from .search import Resources, Search, Standard
from .sensitivity import frontier, round_trips
from .trials import Meter, OnProgress, Trials, sender_table

SETTINGS_TRIED = 3
"""Proven settings that are looked at for one that holds under all windows; then the first is taken,
with its readings.
"""

FIRST_WINDOWS = "until=5m"
"""Of a long batch under an assumption reversed that is no window."""

LONG = 12_000
"""With more messages a reading is judged by its first part: it can differ by refusals alone, and
twenty windows show those.
"""

FEW = 5_000
"""With so many messages at most a window is judged by two replications."""


@dataclass(frozen=True, slots=True)
class Way:
    """The round trips between sender and relay, microseconds: ``low`` to ``high``, and whether they
    are known at all.
    """

    low: int
    high: int
    known: bool = True


def plan(
    demand: Demand,
    *,
    strategy: str = "paced",
    resources: Resources | None = None,
    tables: Mapping[str, Any] | None = None,
    settings: Sequence[str] = (),
    rtt: Way | None = None,
    standard: Standard | None = None,
    seed: int = 1,
    jobs: int = 1,
    folder: Path | None = None,
    on_progress: OnProgress | None = None,
) -> Plan:
    """The cheapest settings of ``strategy`` (or library) that meet ``demand``, with their proof; or
    why there are none.

    ``tables`` are a scenario's ``policy``, ``network`` and ``faults``, ``settings`` further
    ``dotted.key=value``; paths in them are relative to ``folder``. Without ``rtt`` the network's is
    taken, and the plan says for which round trips it holds. ``on_progress(done, total, what)`` is
    called as runs are done; ``total`` grows while the search finds out what there is to do. Raises
    ScenarioError for a mistake in what was given. The same call gives the same plan.
    """
    knobs = knobs_for(strategy)
    told = on_progress or (lambda done, total, what: None)
    fixed = [*settings] if rtt is None else [*settings, f"network.rtt={spoken(rtt.high)}"]
    whole = Trials(
        demand,
        knobs,
        {"policy": {"use": "mailersend"}, **(tables or {})},
        seed,
        jobs,
        Meter(told),
        folder or Path(),
    )
    whole = replace(whole, tables=_laid(whole, fixed))
    _, network = whole.base()
    way = rtt or Way(network.rtt, network.rtt, known=False)
    cycle = cycle_over(whole, network)
    searches = [
        Search(whole, cycle, quick, resources or Resources(), standard or Standard())
        for quick in _quick(whole, network, way)
    ]
    planners = [Planner(search, strategy, way) for search in searches]
    plans = (planner.feasible() for planner in planners)
    return next((found for found in plans if found is not None), None) or planners[-1].infeasible()


def cycle_over(trials: Trials, network: Network) -> Cycle:
    """The time of a connection over ``network``, in closed form where the strategy allows it."""
    return cycle_of(network) if trials.knobs.plain else measured_cycle(trials, network)


def _quick(trials: Trials, network: Network, way: Way) -> list[Cycle]:
    """The quickest connections that the pace must be safe for. Where round trips are unknown, first
    those that take no time.

    Only a pause behind each connection depends on them. What must hold for any round trip may not
    be quick enough for the demand; then it is planned for the network's own, and the plan says from
    which round trip on it holds.
    """
    known = cycle_over(trials, network.model_copy(update={"rtt": way.low}))
    if way.known or trials.knobs.shape != "pause":
        return [known]
    return [cycle_over(trials, network.model_copy(update={"rtt": 0, "relay_time": 0})), known]


def _laid(trials: Trials, settings: Sequence[str]) -> dict[str, Any]:
    """The policy, network and faults with the settings laid on; what else is set stays where the
    scenario's own would be.
    """
    written = trials.written(Setting(1, 1, 1, 1, MICRO), overrides=settings)
    trials.scenario(Setting(1, 1, 1, 1, MICRO), overrides=settings)  # says what is wrong with them
    own = {"title", "seed", "workload", "sender", "expect"}
    return {key: value for key, value in written.items() if key not in own}


class Planner:
    """One plan in the making."""

    def __init__(self, search: Search, strategy: str, way: Way) -> None:
        self.search = search
        self.trials = search.trials
        self.demand = search.demand
        self.strategy = strategy
        self.way = way
        self.windows = windows(search.policy)
        self.reversals = reversals(search.policy)

    def feasible(self) -> Plan | None:
        """The plan, or None where nothing meets the demand."""
        found = self._robust()
        return None if found is None else self._feasible(*found)

    def _robust(self) -> tuple[Setting, Proof, dict[str, bool]] | None:
        """The cheapest proven setting that holds under all windows; if none of the first few does,
        the cheapest proven one.
        """
        first = None
        for tried, (setting, proof) in enumerate(self.search.proven(), 1):
            readings = self._windows(setting, met_by(self.demand, proof.whole))
            if all(readings.values()):
                return setting, proof, readings
            first = first or (setting, proof, readings)
            if tried >= SETTINGS_TRIED:
                break
        return first

    def _windows(self, setting: Setting, numbers: Sequence[int]) -> dict[str, bool]:
        self.trials.meter.expect("readings", len(self.windows) + len(self.reversals))
        few = numbers[: 2 if self.demand.messages <= FEW else 1]
        return {reading.name: self._reads(setting, few, reading) for reading in self.windows}

    def _reads(self, setting: Setting, numbers: Sequence[int], reading: Reading) -> bool:
        """Whether the proven setting still does it under ``reading``."""
        if not reading.overrides:
            return True  # it is what the proof assumes
        if reading.idle and all(is_quiet(result) for result in self.trials.run(setting, numbers)):
            return (
                True  # nothing happened that it says anything of, so that the run would be the same
            )
        if self.demand.messages <= LONG:
            return self.trials.holds(setting, numbers, reading.overrides)
        part = FIRST_PART if reading in self.windows else FIRST_WINDOWS
        results = self.trials.run(setting, numbers, [*reading.overrides, part])
        return all(result.incidents.total == 0 and result.messages.lost == 0 for result in results)

    def _feasible(self, setting: Setting, proof: Proof, readings: dict[str, bool]) -> Plan:
        confidence = self.search.standard.confidence
        numbers = met_by(self.demand, proof.whole)
        for reading in self.reversals:
            readings[reading.name] = self._reads(setting, numbers[:1], reading)
        ceilings = self.search.ceilings(setting)
        hits = len(numbers) + len(proof.parts)
        predicted = predict(self.demand, proof, confidence)
        settings = sender_table(self.search.knobs, setting)
        ceiling = self.search.policy.ceiling(setting.usernames, setting.ips)
        return Plan(
            self.demand,
            feasible=True,
            why=self._why(setting, ceilings, predicted, readings) + self._told(proof),
            ceiling_per_min=None if ceiling is None else float(ceiling),
            binding=binding(ceilings, self.search.knobs),
            ceilings=ceilings.all,
            settings=settings,
            predicted=predicted,
            headroom=self._headroom(proof.all, predicted),
            p_deadline=share(hits, len(proof.all), confidence),
            readings=readings,
            snippet=self._snippet(settings),
            scenario=to_toml(self.trials.written(setting, numbers[0])),
            frontier=tuple(frontier(self.trials, setting, proof)),
            probe=smallest_probe(self.search.policy),
            rtt_s=round_trips(self.trials, setting, numbers[0], self.way.low, self.way.high),
            replications=len(proof.all),
            proof=proof.to_dict(),
            setting=setting,
        )

    def infeasible(self) -> Plan:
        """The answer where nothing meets the demand."""
        why = refusal(self.search)
        most = self.search.resources
        ceiling = self.search.policy.ceiling(most.usernames, most.ips)
        readings = {reading.name: False for reading in [*self.windows, *self.reversals]}
        nearest = Nearest(sender_table(self.search.knobs, why.nearest), why.per_min, why.drain_s)
        held = (
            f" The nearest safe settings: {self._settings(why.nearest)}, "
            f"{number(why.per_min)} messages a minute."
        )
        return Plan(
            self.demand,
            feasible=False,
            why=f"{_upper(self.demand.asked)}: {why.why}{held}",
            ceiling_per_min=None if ceiling is None else float(ceiling),
            binding=why.limit,
            ceilings=why.ceilings.all,
            readings=readings,
            nearest=nearest,
            changes=why.changes,
            probe=smallest_probe(self.search.policy),
        )

    def _why(
        self, setting: Setting, ceilings: Ceilings, predicted: Predicted, readings: dict[str, bool]
    ) -> str:
        drained = moment(round(predicted.drain_s.mean * MICRO))
        parts = [f"{_upper(self.demand.asked)}: {self._settings(setting)}"]
        if self.demand.p99 is None:
            parts.append(
                f"sends {number(round(predicted.throughput.mean, 1))} messages a minute, the "
                f"last accepted after {drained}"
            )
        else:
            parts.append(
                f"99 of 100 are accepted within {number(round(predicted.latency_s.mean, 2))} "
                "s in the mean run"
            )
        against = [name for name, holds in readings.items() if not holds]
        parts.append(
            "holds under every reading of the policy"
            if not against
            else f"does not hold under {', '.join(against)}"
        )
        if self.search.is_burst(setting):
            parts.append(
                "a burst within one window, so nothing else may log in with its usernames in "
                "that minute"
            )
        said = "; ".join(parts) + f". First to bind: {binding(ceilings, self.search.knobs)}."
        return said + (f" {_upper(self.demand.note)}." if self.demand.note else "")

    def _told(self, proof: Proof) -> str:
        """Where not every run was of every message: which were not."""
        told = ""
        if proof.parts:
            told += (
                f" Proven by {plural(len(proof.whole), 'run')} of all messages and "
                f"{len(proof.parts)} of the first "
                f"{proof.messages:,} at the same pace: behind its start a batch goes on "
                "alike, and no window came near its count."
            )
        if self.demand.messages > LONG:
            told += (
                f" Readings are judged by the first {_first(FIRST_PART)}, those that are no "
                f"windows by {_first(FIRST_WINDOWS)}."
            )
        return told

    def _settings(self, setting: Setting) -> str:
        knobs = self.search.knobs
        many = [plural(setting.workers, "worker")]
        many += [plural(setting.usernames, "username")] * (setting.usernames > 1) + [
            plural(setting.ips, "IP")
        ] * (setting.ips > 1)
        options = ", ".join(f"{name} {value}" for name, value in knobs.options(setting).items())
        return (
            f"{' and '.join(many) if len(many) < 3 else ', '.join(many)} with "
            f"{knobs.strategy} ({options})"
        )

    def _headroom(self, results: Sequence[Result], predicted: Predicted) -> dict[str, float]:
        """The share of each limit's count that no key ever used, and of the deadline or
        objective.
        """
        found: dict[str, float] = {}
        for kind, spec in self.search.policy.by_kind():
            used = (
                max(result.series.in_window.get(kind.name, ()), default=0) for result in results
            )
            found[kind.name] = round(1 - max(used) / spec.count, 6)
        if self.demand.within is not None:
            found["within"] = round(1 - predicted.drain_s.mean * MICRO / self.demand.within, 6)
        if self.demand.p99 is not None:
            found["p99"] = round(1 - predicted.latency_s.mean * MICRO / self.demand.p99, 6)
        return found

    def _snippet(self, settings: dict[str, Any]) -> str | None:
        return snippet_for(self.strategy, settings)


def met_by(demand: Demand, results: Sequence[Result]) -> list[int]:
    """The numbers of the replications that meet the demand: what is compared with them must not
    differ by their luck.
    """
    return [number for number, result in enumerate(results) if demand.met(result)]


def binding(ceilings: Ceilings, knobs: Knobs) -> str:
    """The limit that binds first. The time between logins is chosen, so it is the limit behind it
    that is named.
    """
    chosen = {knobs.gap} if knobs.shape != "pause" else set()
    named = [one for one in ceilings.all if one.per_min is not None and one.limit not in chosen]
    return min(named, key=lambda one: one.per_min or 0).limit


def predict(demand: Demand, proof: Proof, confidence: float) -> Predicted:
    """The estimates from the replications. A run that accepted nothing has no latency, and
    no plan.
    """

    def found(value: Callable[[Result], float]) -> Estimate:
        whole = [value(result) for result in proof.whole]
        if not proof.parts:
            return estimate(whole, confidence)
        return scaled(
            whole,
            [value(result) for result in proof.parts],
            proof.messages / demand.messages,
            confidence,
        )

    return Predicted(
        found(lambda result: result.throughput.mean_per_min or 0.0),
        found(lambda result: result.latency_s.p99 or 0.0),
        found(demand.drain_s),
        found(lambda result: float(result.incidents.total)),
    )


def is_quiet(result: Result) -> bool:
    """Whether nothing was refused and no login failed."""
    return result.incidents.total == 0 and result.logins.failed == 0


def _first(override: str) -> str:
    """The time that ``until=20m`` says, in words."""
    return lasting(duration(override.partition("=")[2]))


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


__all__ = ["Cycle", "Planner", "Way", "binding", "plan", "predict"]
