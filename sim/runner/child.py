"""The child's side: runs the scenarios it is told, watches real time and memory, and answers with
results.

Reads the real clock, for the watchdog alone; no result contains it. Started by ``pool`` as ``python
-m sim.runner.child``.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Lock, Thread

from ..errors import ScenarioError
from ..measure import Result
from ..scenario import Scenario
from ..world import World, strategy_of
from .talk import Reached, Told

MEMORY = 1 << 30
"""Bytes of address space that a person's strategy may add to what the simulator has; beyond it
Python raises MemoryError.
"""

BEAT = 0.25
"""Seconds between two looks of the watchdog."""


class Watch:
    """The run that is under way, seen by the watchdog's thread."""

    def __init__(self, pipe: Connection, patience: float, parent: int) -> None:
        self._pipe = pipe
        self._patience = patience
        self._parent = parent
        self._lock = Lock()
        self.scenario: Scenario | None = None
        self.world: World | None = None
        self._since = time.monotonic()
        self._seen = -1

    def begin(self, scenario: Scenario) -> None:
        """A run begins."""
        with self._lock:
            self.scenario = scenario
            self.world = None
            self._since = time.monotonic()
            self._seen = -1

    def answer(self, answer: Result | Told | ScenarioError, *, last: bool = False) -> None:
        """The run's one answer, and whether it is this process's last; whoever comes second finds
        nothing to answer.
        """
        with self._lock:
            if self.scenario is not None:
                self.scenario = None
                self._pipe.send((answer, last))

    def keep_watch(self) -> None:
        """The watchdog: ends the process when its run is stuck or its parent is gone."""
        never = Event()
        while not never.wait(BEAT):
            if os.getppid() != self._parent:
                os._exit(1)
            self._look()

    def _look(self) -> None:
        with self._lock:
            world = self.world
            running = self.scenario is not None
            reached = world.clock.moment if world else 0
            if not running or reached != self._seen:
                self._since = time.monotonic()
                self._seen = reached
                if running:
                    self._pipe.send(Reached(reached, *(world.outbox.progress if world else (0, 0))))
                return
        if time.monotonic() - self._since > self._patience:
            self.answer(self._stuck(), last=True)
            os._exit(0)

    def _stuck(self) -> Result | ScenarioError:
        assert self.scenario is not None, "only a run that is under way is stuck"
        if self.world is None:
            return ScenarioError(
                self.scenario.place,
                "sender.strategy",
                f"{self.scenario.strategy} did not finish loading within {self._patience:g} s; a file must not run on import",
            )
        at = f"{self.world.clock.moment / 1e6:g} s"
        return self.world.result(
            f"the strategy made no progress beyond virtual time {at} within {self._patience:g} s of real time: it loops without "
            "sender.sleep(), or waits for something that is not the sender's"
        )


def main(descriptor: int, patience: float, parent: int) -> None:
    """Answers the parent's scenarios until there are no more."""
    os.dup2(2, 1)  # what a strategy prints must not mix with results on stdout
    pipe = Connection(descriptor)
    watch = Watch(pipe, patience, parent)
    Thread(target=watch.keep_watch, daemon=True).start()
    while True:
        try:
            _, scenario, *more = pipe.recv()
        except (EOFError, OSError):
            return
        watch.begin(scenario)
        watch.answer(_run(scenario, watch, story=bool(more)))


def _run(scenario: Scenario, watch: Watch, *, story: bool) -> Result | Told | ScenarioError:
    if scenario.file:
        folder = str(scenario.file[0].resolve().parent)
        if folder not in sys.path:
            sys.path.insert(0, folder)  # a strategy's file may import what lies beside it
        _bound_memory(MEMORY)
    try:
        watch.world = World(scenario, strategy_of(scenario))
        result = watch.world.run()
        return Told(result, watch.world.story()) if story else result
    except ScenarioError as error:
        return error
    finally:
        _bound_memory(None)


def _bound_memory(more: int | None) -> None:
    """Lets the address space grow by ``more`` bytes at most; None lifts the bound."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = hard
    if more is not None and sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        soft = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
    except KeyboardInterrupt:
        os._exit(130)
