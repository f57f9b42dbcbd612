"""Plans on their way: each in a child process of its own that can be stopped. The same call is
planned once.

Knows no page and nothing of how a plan is found.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import OrderedDict
from dataclasses import asdict
from multiprocessing.connection import Pipe
from pathlib import Path
from threading import Event, Lock, Semaphore, Thread

from ..errors import ScenarioError
from ..plan import Plan
from .call import Call

MOST = 2
KEEP = 32
_PLACES = Semaphore(MOST)


class Planning:
    """One plan: ``answer`` is None until it is ``done``, and stays None if it was stopped."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.answer: Plan | ScenarioError | None = None
        self.progress = (0, 1, "starting")
        self.done = Event()
        self.stopped = False
        self._process: subprocess.Popen[bytes] | None = None
        Thread(target=self._carry_out, daemon=True).start()

    def stop(self) -> None:
        """Ends it now."""
        self.stopped = True
        if self._process is not None:
            self._process.kill()

    def _carry_out(self) -> None:
        with _PLACES:
            try:
                if not self.stopped:
                    self._listen()
            finally:
                self.done.set()

    def _listen(self) -> None:
        mine, theirs = Pipe()
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sim.ui.planner", str(theirs.fileno()), str(os.getpid())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
        theirs.close()
        with mine, self._process:
            mine.send(self.call)
            try:
                while self.answer is None:
                    said = mine.recv()
                    if isinstance(said, tuple):
                        self.progress = said
                    else:
                        self.answer = said
            except (EOFError, OSError):
                if not self.stopped:
                    self.answer = ScenarioError(
                        "this demand", "", "the planner ended without an answer"
                    )
            self._process.kill()


_PLANNINGS: OrderedDict[str, Planning] = OrderedDict()
_LOCK = Lock()


def planning_of(call: Call) -> Planning:
    """The plan for this call, begun now unless it was asked for before."""
    key = json.dumps(asdict(call), sort_keys=True, default=str)
    with _LOCK:
        known = _PLANNINGS.get(key)
        if known is None or known.stopped:
            known = _PLANNINGS[key] = Planning(call)
            while len(_PLANNINGS) > KEEP:
                _PLANNINGS.popitem(last=False)
        return known
