"""The parent's side: `Pool` has child processes do `Work`, and a `Job` is one work on its way.

Commands, the dashboard and sweeps all run things through here. A job can be cancelled at any
moment by killing its child, ends when it is stuck, and can be shared by everyone who wants the
same answer. Reads the real clock for waiting and patience; no answer contains it.

Pebble 5 was considered: it kills on cancel and on a timeout of the whole call, but it has no
progress messages, no memory limit, no process groups and no deadline for a half-written answer, so
most of this file would remain.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from queue import SimpleQueue
from threading import Event, Lock, Semaphore, Thread
from typing import Any, Generic, NamedTuple

from ..errors import ScenarioError
from .children import Child, Lost
from .protocol import A, P, Work

BRIEF = 2.0
"""Seconds of real time after which a job that gives way is a long one."""

NICER = 10
"""What is added to the niceness of a long job's process: it gets about a tenth of what another
process gets that wants the same core.
"""


class Job(Generic[P, A]):
    """One work on its way. Everyone who wants its answer waits for the same job."""

    def __init__(
        self,
        work: Work[P, A],
        *,
        forsaken: float | None,
        on_progress: Callable[[P], None] | None = None,
        on_done: Callable[[], None] | None = None,
    ) -> None:
        self.work = work
        self.progress: P | None = None
        self.done = Event()
        self.cancelled = False
        self.long = False
        self.child: Child | None = None
        self._forsaken = forsaken
        self._on_progress = on_progress
        self._on_done = on_done
        self._answer: A | ScenarioError | None = None
        self._error: BaseException | None = None
        self._waiting = 1
        self._looked = time.monotonic()
        self._begun = time.monotonic()
        self._on_long: Callable[[], None] | None = None
        self._lock = Lock()

    @property
    def answer(self) -> A | ScenarioError | None:
        """None until the job is ``done``, and after that if it was cancelled. Raises what went
        wrong in this process.
        """
        if self._error is not None:
            raise self._error
        return self._answer

    def wait(self, seconds: float) -> bool:
        """Waits this long at most, and returns whether the job is done. A job that nobody waits
        for is cancelled after a while, if its pool has such a bound.
        """
        self._looked = time.monotonic()
        done = self.done.wait(seconds)
        self._looked = time.monotonic()
        return done

    def join(self) -> bool:
        """Adds a waiter; False if the job was cancelled already."""
        with self._lock:
            self._waiting += not self.cancelled
            return not self.cancelled

    def drop(self) -> None:
        """Drops one waiter; cancels the job when the last one leaves."""
        with self._lock:
            self._waiting -= 1
            left = self._waiting
        if left <= 0:
            self.cancel()

    def cancel(self) -> None:
        """Ends the job for everyone, unless it is done."""
        with self._lock:
            if self.done.is_set():
                return
            self.cancelled = True
            if self.child is not None:
                self.child.kill()

    def _reach(self, progress: P) -> None:
        """Takes a progress report from the child."""
        self.progress = progress
        if self._on_progress is not None:
            self._on_progress(progress)

    def _tick(self) -> None:
        """Looks at the clock: a job that nobody looked at for long is cancelled, since a page that
        is closed sends no word, and a job that turns out to be long gives way.
        """
        now = time.monotonic()
        if self._forsaken is not None and now - self._looked > self._forsaken:
            self.cancel()
        if self._on_long is not None and not self.long and now - self._begun > BRIEF:
            self.long = True
            self._on_long()

    def run(self, child: Child, on_long: Callable[[], None] | None) -> None:
        """Has ``child`` do the work, unless the job was cancelled before it."""
        with self._lock:
            if self.cancelled:
                return
            self.child = child
        self._begun = time.monotonic()
        self._on_long = on_long
        try:
            self._answer = child.carry_out(self.work, self._reach, self._tick)
        except Lost as lost:
            child.end()
            if not self.cancelled:
                self._answer = self.work.lost(str(lost), self.progress)
        finally:
            with self._lock:
                self.child = None

    def finish(self, error: BaseException | None) -> None:
        """Marks the job as done; ``error`` is one of this process."""
        self._error = error
        self.done.set()
        if self._on_done is not None:
            self._on_done()


class _Place:
    """A job's place among the brief ones, until it takes one of the long ones, if one is free."""

    def __init__(self, brief: Semaphore, long: Semaphore) -> None:
        self._brief = brief
        self._long = long

    def __enter__(self) -> _Place:
        self._brief.acquire()
        self._held = self._brief
        return self

    def __exit__(self, *_: object) -> None:
        self._held.release()

    def step_back(self) -> None:
        """Makes room for a brief job."""
        if self._held is self._brief and self._long.acquire(blocking=False):
            self._held = self._long
            self._brief.release()


class Pool:
    """Does at most ``most`` jobs at once, each in a child process.

    ``ready`` children are started ahead, so that a brief job need not wait for one. The last
    ``keep`` jobs that were started with a key are remembered. With ``forsaken``, a job that nobody
    waited for during so many seconds is cancelled. With ``gives_way``, a long job leaves its place
    and the processor to brief ones, while there are not ``most`` long ones already.
    """

    def __init__(
        self,
        most: int,
        *,
        ready: int = 0,
        keep: int = 0,
        forsaken: float | None = None,
        gives_way: bool = False,
    ) -> None:
        self._most_idle = ready or most
        self._ready = ready
        self._keep = keep
        self._forsaken = forsaken
        self._gives_way = gives_way
        self._brief = Semaphore(most)
        self._long = Semaphore(most)
        self._idle: list[Child] = []
        self._active: set[Job[Any, Any]] = set()
        self._kept: OrderedDict[Hashable, Job[Any, Any]] = OrderedDict()
        self._ended = False
        self._lock = Lock()
        self._warm_up()

    def start(
        self,
        work: Work[P, A],
        key: Hashable = None,
        *,
        on_progress: Callable[[P], None] | None = None,
        on_done: Callable[[], None] | None = None,
    ) -> Job[P, A]:
        """The job for ``work``: a new one, or the one that was started with this ``key`` before.

        The caller is one of its waiters and drops it when it needs no answer any more.
        ``on_progress`` and ``on_done`` are called in a thread of the pool.
        """
        with self._lock:
            known = self._kept.get(key)
            if known is not None and known.join():
                self._kept.move_to_end(key)
                return known
            job = Job(work, forsaken=self._forsaken, on_progress=on_progress, on_done=on_done)
            self._active.add(job)
            if key is not None:
                self._kept[key] = job
            while len(self._kept) > self._keep and next(iter(self._kept.values())).done.is_set():
                self._kept.popitem(last=False)
        Thread(target=self._carry_out, args=(job,), daemon=True).start()
        return job

    def end(self) -> None:
        """Cancels the jobs that are not done, and ends all children."""
        with self._lock:
            self._ended = True
            idle = self._idle
            self._idle = []
            active = list(self._active)
        for job in active:
            job.cancel()
        for child in idle:
            child.end()

    def _carry_out(self, job: Job[Any, Any]) -> None:
        error: BaseException | None = None
        try:
            with _Place(self._brief, self._long) as place:
                self._run(job, place)
        except BaseException as raised:  # whoever waits for the job must see it
            error = raised
        with self._lock:
            self._active.discard(job)
        job.finish(error)
        self._warm_up()

    def _run(self, job: Job[Any, Any], place: _Place) -> None:
        if job.cancelled:
            return
        child = self._take()

        def give_way() -> None:
            _make_nicer(child.pid)
            place.step_back()

        try:
            job.run(child, give_way if self._gives_way else None)
        finally:
            self._put_back(child, dying=job.cancelled or job.long)

    def _take(self) -> Child:
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.is_usable:
                    return child
                child.end()
        return Child()

    def _put_back(self, child: Child, *, dying: bool) -> None:
        """Keeps the child for the next job, unless it was killed, which may look alive for a
        moment still, or made nicer for good.
        """
        with self._lock:
            kept = not dying and not self._ended and len(self._idle) < self._most_idle
            if kept and child.is_usable:
                self._idle.append(child)
                return
        child.end()

    def _warm_up(self) -> None:
        with self._lock:
            while not self._ended and len(self._idle) < self._ready:
                self._idle.insert(0, Child())


def _make_nicer(pid: int) -> None:
    """Gives everything else the processor first. There is no way back: only root may take it."""
    with suppress(OSError):  # it has just ended
        os.setpriority(os.PRIO_PROCESS, pid, min(19, os.getpriority(os.PRIO_PROCESS, pid) + NICER))


class _Event(NamedTuple):
    """What a thread of the pool hands over: progress of a job, or that it is done."""

    place: int
    done: bool
    progress: Any = None


def as_completed(
    works: Sequence[Work[P, A]],
    most: int,
    on_progress: Callable[[P], None] | None = None,
) -> Iterator[tuple[int, A | ScenarioError]]:
    """Does ``works``, ``most`` at once, and gives the place and answer of each as it comes.

    Calls ``on_progress`` in this thread. No child is left when the iterator ends or is closed.
    """
    pool = Pool(most)
    events = SimpleQueue[_Event]()
    jobs: dict[int, Job[P, A]] = {}

    def start(place: int) -> None:
        def progressed(progress: P) -> None:
            events.put(_Event(place, done=False, progress=progress))

        jobs[place] = pool.start(
            works[place],
            on_progress=progressed if on_progress is not None else None,
            on_done=lambda: events.put(_Event(place, done=True)),
        )

    waiting = iter(range(len(works)))
    try:
        for place in islice(waiting, most):
            start(place)
        while jobs:
            event = events.get()
            if event.done:
                for place in islice(waiting, 1):
                    start(place)
                answer = jobs.pop(event.place).answer
                assert answer is not None, "nobody else can cancel it"
                yield event.place, answer
            elif on_progress is not None:
                on_progress(event.progress)
    finally:
        pool.end()
