"""Children that are kept warm for whoever waits at a screen: one run each, watched, cancelled by
killing the child.

A run that takes milliseconds must not pay for the start of a process, and a long one must not make
the next wait: there is always one child more than there are runs, up to ``most``, and a run that
turns out to be long steps back for all others. Answers are kept, since a scenario with its seed has
but one. Knows nothing of screens.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from threading import Event, Lock, Semaphore, Thread

from ..errors import ScenarioError
from ..scenario import Scenario
from ..world.run import unanswered
from .pool import Child
from .talk import Reached, Told

__all__ = ["Run", "Warm"]


FORSAKEN = 120.0
"""Seconds of real time after which a run that nobody looks at is ended. Browsers let a hidden page
look once a minute.
"""


BRIEF = 2.0
"""Seconds of real time after which a run is a long one, which gives way to the brief ones."""

NICER = 10
"""By how much a long run's process is nicer (nice(1)) than it began: about a tenth of what another
gets that wants the same core.
"""


class Run:
    """One scenario on its way: ``answer`` is None until it is ``done``, and stays None if it was
    cancelled.
    """

    def __init__(self, scenario: Scenario, forsaken: float) -> None:
        self.scenario = scenario
        self._forsaken = forsaken
        self.answer: Told | ScenarioError | None = None
        self.reached = Reached(0, 0, 0)
        self.done = Event()
        self.cancelled = False
        self._child: Child | None = None
        self._waiting = 1
        self._looked = time.monotonic()
        self._begun = time.monotonic()
        self.long = False
        self._lock = Lock()

    def wait(self, seconds: float) -> bool:
        """Waits so many seconds of real time at most; whether it is done. Whoever waits shows that
        the run is still wanted.
        """
        self._looked = time.monotonic()
        done = self.done.wait(seconds)
        self._looked = time.monotonic()
        return done

    def join(self) -> bool:
        """One more waits for it; false if it was cancelled already."""
        with self._lock:
            self._waiting += not self.cancelled
            return not self.cancelled

    def let_go(self) -> None:
        """One less waits for it; when nobody does, it is ended, whatever it is at."""
        with self._lock:
            self._waiting -= 1
            if self._waiting > 0 or self.done.is_set():
                return
            self.cancelled = True
            if self._child is not None:
                self._child.process.kill()

    def _give_up(self) -> None:
        """Ends it because nobody has looked at it for long: a page that was closed says nothing."""
        with self._lock:
            self._waiting = 1
        self.let_go()

    def _take(self, child: Child) -> bool:
        """Whether the run still wants a child; it has ``child`` then."""
        with self._lock:
            if self.cancelled:
                return False
            self._child, self._begun = child, time.monotonic()
            return True

    def _listen(self, child: Child, step_back: Callable[[], None]) -> None:
        """Hears the child out. A child that ends without an answer was killed, or has ended its own
        process.
        """
        try:
            child.pipe.send((0, self.scenario, True))
            while not self._heard(child):
                if not self.long and time.monotonic() - self._begun > BRIEF:
                    self.long = True
                    _make_nicer(child.process.pid)
                    step_back()
        except (EOFError, OSError):
            pass
        with self._lock:
            self._child = None
        if self.answer is None and not self.cancelled:
            status = child.process.wait()
            self.answer = Told(unanswered(self.scenario, self.reached.at, _ended(status)), None)

    def _heard(self, child: Child) -> bool:
        """Takes in what the child says; whether that was its answer."""
        said = child.pipe.recv()
        if isinstance(said, Reached):
            self.reached = said
            if time.monotonic() - self._looked > self._forsaken:
                self._give_up()
            return False
        answer, child.spent = said
        self.answer = answer if isinstance(answer, Told | ScenarioError) else Told(answer, None)
        return True


class _Place:
    """A run's place among the brief ones, until it takes one of the long ones, if there is one."""

    def __init__(self, brief: Semaphore, long: Semaphore) -> None:
        self._brief = brief
        self._long = long

    def __enter__(self) -> Callable[[], None]:
        self._brief.acquire()
        self._held = self._brief
        return self._step_back

    def __exit__(self, *_: object) -> None:
        self._held.release()

    def _step_back(self) -> None:
        if self._held is self._brief and self._long.acquire(blocking=False):
            self._held = self._long
            self._brief.release()


class Warm:
    """At most ``most`` brief runs at once and as many long ones; ``spare`` children wait for work.
    ``keep`` answers are remembered.

    A run that nobody waits for any more is ended after ``forsaken`` seconds of real time.
    """

    def __init__(
        self,
        most: int,
        *,
        spare: int = 1,
        patience: float = 60.0,
        keep: int = 64,
        forsaken: float = FORSAKEN,
    ) -> None:
        self._forsaken = forsaken
        self._spare = spare
        self._patience = patience
        self._keep = keep
        self._brief = Semaphore(most)
        self._long = Semaphore(most)
        self._idle: list[Child] = []
        self._kept: OrderedDict[Hashable, Run] = OrderedDict()
        self._lock = Lock()
        self._warm_up()

    def start(self, scenario: Scenario, key: Hashable) -> Run:
        """The run of ``scenario``, which ``key`` tells from all others: a new one unless it was
        asked for before.
        """
        with self._lock:
            known = self._kept.get(key)
            if known is not None and known.join():
                self._kept.move_to_end(key)
                return known
            run = self._kept[key] = Run(scenario, self._forsaken)
            while len(self._kept) > self._keep and next(iter(self._kept.values())).done.is_set():
                self._kept.popitem(last=False)
        Thread(target=self._carry_out, args=(run,), daemon=True).start()
        return run

    def end(self) -> None:
        """Ends the children that wait; those at work end with their runs."""
        with self._lock:
            self._spare = 0
            idle = self._idle
            self._idle = []
        for child in idle:
            child.end()

    def _carry_out(self, run: Run) -> None:
        with _Place(self._brief, self._long) as step_back:
            child = self._idle_child()
            try:
                if run._take(child):
                    run._listen(child, step_back)
            finally:
                run.done.set()
                self._put_back(child, dying=run.cancelled or run.long)
        self._warm_up()

    def _idle_child(self) -> Child:
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.process.poll() is None:
                    return child
                child.end()
        return Child(self._patience)

    def _put_back(self, child: Child, *, dying: bool) -> None:
        """Keeps the child for the next run, unless it was killed, which may look alive for a moment
        still, or made nicer for good.
        """
        with self._lock:
            if (
                not dying
                and child.process.poll() is None
                and not child.spent
                and len(self._idle) < max(1, self._spare)
            ):
                self._idle.append(child)
                return
        child.end()

    def _warm_up(self) -> None:
        with self._lock:
            while len(self._idle) < self._spare:
                self._idle.insert(0, Child(self._patience))


def _make_nicer(pid: int) -> None:
    """What the long run's process leaves over, everybody else gets first. It never goes back: only
    root may do that.
    """
    with suppress(OSError):  # it has just ended
        os.setpriority(os.PRIO_PROCESS, pid, min(19, os.getpriority(os.PRIO_PROCESS, pid) + NICER))


def _ended(status: int) -> str:
    return (
        f"the run ended its own process with status {status}; what it had sent by then is not known"
    )
