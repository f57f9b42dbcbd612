"""The run of a scenario: as work for a child process, and in this process.

What is a user's own code, a strategy from a file, belongs in a child.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from ..errors import ScenarioError
from ..measure import Result
from ..measure.story import Story
from ..scenario import Scenario
from ..world import World, strategy_of
from ..world.run import unanswered
from .protocol import Watch, Work

Answer = Result | ScenarioError
"""What becomes of a scenario. The error is for a file that cannot be used."""

PATIENCE = 60.0
"""Seconds of wall-clock time without progress after which a strategy is stuck."""

MEMORY = 1 << 30
"""Bytes of address space that a user's strategy may add; beyond it Python raises MemoryError."""


class Progress(NamedTuple):
    """How far a run is: virtual time in microseconds, and how many messages are settled."""

    at: int
    settled: int
    messages: int

    @property
    def share(self) -> float:
        """The settled part of all messages, from 0 to 1."""
        return self.settled / self.messages if self.messages else 0.0


class Finished(NamedTuple):
    """A result and, where it was asked for, the story of each connection."""

    result: Result
    story: Story | None


class Simulation(Work[Progress, Finished]):
    """The run of ``scenario``; with ``story``, its answer has the story of each connection."""

    def __init__(self, scenario: Scenario, patience: float, *, story: bool = False) -> None:
        self.scenario = scenario
        self.patience = patience
        self.story = story
        # A user's own code can change its process in any way, and take all the memory there is.
        self.isolated = scenario.file is not None
        self.memory = MEMORY if scenario.file is not None else None

    def carry_out(self, watch: Watch) -> Finished:
        scenario = self.scenario
        if scenario.file:
            # A strategy may import the files next to it. The current folder comes last, so that
            # nothing in it replaces a module of Python's.
            sys.path.insert(0, str(scenario.file[0].resolve().parent))
            sys.path.append(str(Path.cwd()))
        watch.follow(lambda: None, self._not_loaded)
        world = World(scenario, strategy_of(scenario))
        watch.follow(
            lambda: Progress(world.clock.moment, *world.outbox.progress), lambda: self._stuck(world)
        )
        result = world.run()
        return Finished(result, world.story() if self.story else None)

    def lost(self, how: str, progress: Progress | None) -> Finished:
        """Reports only that the run was under way: nothing is known of what it sent."""
        at = progress.at if progress else 0
        who = "strategy" if self.scenario.file else "run"
        error = f"the {who} {how}; what it had sent by then is not known"
        return Finished(unanswered(self.scenario, at, error), None)

    def _not_loaded(self) -> ScenarioError:
        return ScenarioError(
            self.scenario.place,
            "sender.strategy",
            f"{self.scenario.strategy} did not finish loading within {self.patience:g} s; "
            "a file must not run on import",
        )

    def _stuck(self, world: World) -> Finished:
        at = f"{world.clock.moment / 1e6:g} s"
        error = (
            f"the strategy made no progress beyond virtual time {at} within {self.patience:g} s "
            "of real time: it loops without sender.sleep(), or waits for something that is not "
            "the sender's"
        )
        return Finished(world.result(error), None)


class Run(NamedTuple):
    """A run in this process: its result, and the World that it ran in."""

    result: Result
    world: World


def run_here(scenario: Scenario) -> Run:
    """Runs ``scenario`` in this process.

    For brief runs of shipped strategies: nothing watches the run, and nothing can stop it. Raises
    ScenarioError if the strategy cannot be used.
    """
    world = World(scenario, strategy_of(scenario))
    return Run(world.run(), world)
