"""The parent's side: starts children, hands each one scenario at a time, and ends those that stop
answering.

Reads the real clock, for nothing but the patience with a silent child. Knows nothing of what is in
a scenario.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path

from ..errors import ScenarioError
from ..measure import Result
from ..scenario import Scenario
from ..world.run import unanswered
from .talk import Reached

GRACE = 15.0
"""Seconds that a child has beyond the patience: it ends a stuck run itself unless it cannot even
count the time.
"""

Task = tuple[int, Scenario]
Keep = Callable[[int, Result | ScenarioError], None]


class Child:
    """A child process and the scenario it is at."""

    def __init__(self, patience: float) -> None:
        self.pipe, theirs = Pipe()
        root = str(Path(__file__).parent.parent.parent)
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "sim.runner.child",
                str(theirs.fileno()),
                str(patience),
                str(os.getpid()),
            ],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            # Ctrl-C is for the parent, which ends its children; one that is still starting would
            # complain
            process_group=0,
        )
        theirs.close()
        self.task: Task | None = None
        self.heard = 0.0
        self.reached = 0
        self.spent = False

    def give(self, task: Task) -> None:
        """Hands over a scenario."""
        self.task, self.heard, self.reached = task, time.monotonic(), 0
        self.pipe.send(task)

    def end(self) -> None:
        """Kills the process, which leaves nothing behind."""
        self.process.kill()
        self.process.wait()
        self.pipe.close()


def run_in_children(tasks: Sequence[Task], jobs: int, patience: float, keep: Keep) -> None:
    """Runs every task in one of ``jobs`` children and calls ``keep`` with each answer as it comes."""
    waiting = deque(tasks)
    children: list[Child] = []
    try:
        while waiting or any(child.task for child in children):
            while waiting and len(children) < jobs:
                children.append(Child(patience))
                children[-1].give(waiting.popleft())
            _listen(children, patience, keep)
            for child in [child for child in children if child.task is None]:
                if waiting and not child.spent and child.process.poll() is None:
                    child.give(waiting.popleft())
                else:
                    child.end()
                    children.remove(child)
    finally:
        for child in children:
            child.end()


def _listen(children: list[Child], patience: float, keep: Keep) -> None:
    ready: list[Connection] = wait([child.pipe for child in children], timeout=0.5)  # type: ignore[assignment]
    for child in children:
        if child.pipe in ready:
            _hear(child, keep)
        elif time.monotonic() - child.heard > patience + GRACE:
            _bury(child, "stopped answering, even to its own clock", keep)


def _hear(child: Child, keep: Keep) -> None:
    try:
        said = child.pipe.recv()
    except (EOFError, OSError):
        _bury(child, f"ended its own process with status {child.process.wait()}", keep)
        return
    child.heard = time.monotonic()
    if isinstance(said, Reached):
        child.reached = said.at
    elif child.task:
        answer, child.spent = said
        keep(child.task[0], answer)
        child.task = None


def _bury(child: Child, how: str, keep: Keep) -> None:
    """A child that gave no answer: an honest result says that nothing is known of what it sent."""
    assert child.task is not None, "only a child with a task is listened to"
    index, scenario = child.task
    child.process.kill()
    child.process.wait()
    keep(
        index,
        unanswered(
            scenario, child.reached, f"the strategy {how}; what it had sent by then is not known"
        ),
    )
    child.task = None
