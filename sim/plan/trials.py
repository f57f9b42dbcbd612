"""Runs settings: a scenario for each, its replications with common random numbers, kept so that
none is run twice.

Knows demands and settings, not the search. Replication i of every setting has the seed ``seed +
i``, so that two settings meet the same luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import ScenarioError
from ..measure import Result
from ..relay.policy import Policy
from ..runner import run_many
from ..scenario import Scenario, build
from ..scenario.overrides import with_override
from ..scenario.schema import Network
from .demand import Demand
from .option_map import Knobs, Setting

OnProgress = Callable[[int, int, str], None]
"""Called with the runs done, the runs expected in all as far as is known, and what is being done.
"""


@dataclass(slots=True)
class Meter:
    """Counts runs for a progress bar; the total grows as the search finds out what there is
    to do.
    """

    told: OnProgress
    done: int = 0
    total: int = 0
    what: str = ""

    def expect(self, what: str, runs: int) -> None:
        """``runs`` more are coming."""
        self.what = what
        self.total = max(self.total, self.done + runs)
        self.told(self.done, self.total, what)

    def step(self) -> None:
        """One run is done."""
        self.done += 1
        self.total = max(self.total, self.done)
        self.told(self.done, self.total, self.what)


@dataclass(slots=True)
class Trials:
    """Everything that a plan's runs share. ``tables`` are the scenario's policy, network and
    faults.
    """

    demand: Demand
    knobs: Knobs
    tables: Mapping[str, Any]
    seed: int
    jobs: int
    meter: Meter
    folder: Path = field(default_factory=Path)
    kept: dict[tuple[Setting, tuple[str, ...], int], Result] = field(default_factory=dict)

    def scenario(
        self, setting: Setting, number: int = 0, overrides: Sequence[str] = ()
    ) -> Scenario:
        """Replication ``number`` of ``setting``."""
        return build(self.written(setting, number, overrides), "plan", "plan", self.folder)

    def written(
        self, setting: Setting, number: int = 0, overrides: Sequence[str] = ()
    ) -> dict[str, Any]:
        """The tables of that scenario, as they would stand in a file."""
        whole: dict[str, Any] = {
            "title": self.demand.asked,
            "seed": self.seed + number,
            **deepcopy(dict(self.tables)),
            "workload": dict(self.demand.workload),
            "sender": sender_table(self.knobs, setting),
            "expect": self.demand.expectations(),
        }
        for override in overrides:
            whole = with_override(whole, override)
        return whole

    def base(self) -> tuple[Policy, Network]:
        """The policy and the network, read once."""
        made = self.scenario(Setting(1, 1, 1, 1, 1_000_000))
        return made.policy, made.network

    def run(
        self, setting: Setting, numbers: Sequence[int], overrides: Sequence[str] = ()
    ) -> list[Result]:
        """The results of these replications; ScenarioError for a setting that the strategy
        refuses.
        """
        key = tuple(overrides)
        missing = [number for number in numbers if (setting, key, number) not in self.kept]
        scenarios = [self.scenario(setting, number, overrides) for number in missing]
        answers = run_many(
            scenarios,
            jobs=self.jobs if len(missing) > 1 else 1,
            on_result=lambda *_: self.meter.step(),
        )
        for number, answer in zip(missing, answers, strict=True):
            if isinstance(answer, ScenarioError):
                raise answer
            self.kept[setting, key, number] = _small(answer)
        return [self.kept[setting, key, number] for number in numbers]

    def holds(
        self, setting: Setting, numbers: Sequence[int], overrides: Sequence[str] = ()
    ) -> bool:
        """Whether every one of these replications meets the demand; stops at the first that does
        not.
        """
        return all(self.demand.met(self.run(setting, [number], overrides)[0]) for number in numbers)


def sender_table(knobs: Knobs, setting: Setting) -> dict[str, Any]:
    """The scenario's ``[sender]``."""
    return {
        "strategy": knobs.strategy,
        "workers": setting.workers,
        "usernames": setting.usernames,
        "ips": setting.ips,
        "options": knobs.options(setting),
    }


def _small(result: Result) -> Result:
    """The result without its log: hundreds of them are kept."""
    return replace(result, incidents=replace(result.incidents, log=result.incidents.log[:1]))
