"""The child's side: carries out the work that the parent sends and watches over it.

Started by `jobs` as ``python -P -m sim.runner.child``: without ``-P``, a ``json.py`` in the current
folder would be imported instead of Python's own. Isolated work runs in a fork of this process. A
fork costs 4 ms where a new interpreter costs 400, and is as clean, because this process runs only
code of relaysim. Reads the real clock for the watchdog; no result contains it.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from ..errors import ScenarioError
from . import simulation  # noqa: F401 - read while the child waits: most work needs it
from .protocol import Answered, Ended, Link, Reported, Started, Work

BEAT = 0.25
"""Seconds between two looks of the watchdog."""

FORKS = sys.platform == "linux"
"""Whether isolated work runs in a fork. Elsewhere the system's libraries may not survive a fork,
and the process ends after the work instead.
"""


class Watchdog:
    """Watches one work from a thread of its own and sends everything that is sent about it."""

    def __init__(self, link: Link, number: int, work: Work[Any, Any], *, forked: bool) -> None:
        self._link = link
        self._number = number
        self._patience = work.patience
        self._isolated = work.isolated
        self._forked = forked
        self._process = os.getpid()
        self._parent = os.getppid()
        self._lock = Lock()
        self._over = Event()
        self._look: Callable[[], object] | None = None
        self._stuck: Callable[[], object] | None = None
        self._seen: object = None
        self._since = time.monotonic()
        Thread(target=self._watch, daemon=True).start()

    def report(self, progress: object) -> None:
        with self._lock:
            self._since = time.monotonic()
            self._send(Reported(progress))

    def follow(self, look: Callable[[], object], stuck: Callable[[], object]) -> None:
        with self._lock:
            self._since = time.monotonic()
            self._look = look
            self._stuck = stuck

    def answer(self, answer: object, *, stuck: bool = False) -> None:
        """Sends the work's answer, unless the other thread did."""
        if os.getpid() != self._process:
            os._exit(1)  # a copy that the strategy forked: only the original answers
        with self._lock:
            if not self._over.is_set():
                self._over.set()
                self._send(Answered(answer, last=(stuck or self._isolated) and not self._forked))

    def _send(self, message: object) -> None:
        try:
            self._link.send(self._number, message)
        except OSError:
            _end_group()

    def _watch(self) -> None:
        while not self._over.wait(BEAT):
            if os.getppid() != self._parent or self._link.is_closed():
                _end_group()
            with self._lock:
                patient = self._over.is_set() or self._is_patient()
            if not patient and self._stuck is not None:
                self.answer(self._stuck(), stuck=True)
                os._exit(0)

    def _is_patient(self) -> bool:
        """Whether there was progress within the work's patience; sends new progress."""
        now = time.monotonic()
        reached = self._look() if self._look else self._seen
        if reached != self._seen:
            self._seen = reached
            self._since = now
            self._send(Reported(reached))
        return self._patience is None or now - self._since <= self._patience


def _end_group() -> None:
    """Ends this process and all that it started, where nobody is left to tell."""
    os.killpg(0, signal.SIGKILL)


def main(descriptor: int) -> None:
    """Carries out the parent's work until there is no more."""
    os.dup2(2, 1)  # what a strategy prints must not mix with results on stdout
    # From 3.12 on Python warns of a fork beside other threads. Those here are idle ones of numpy's.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    link = Link(socket.socket(fileno=descriptor))
    while True:
        try:
            received = link.receive()
        except EOFError:
            return
        assert received is not None, "there is no deadline"
        number, work = received
        if work.isolated and FORKS:
            _fork(link, number, work)
        else:
            _carry_out(link, number, work, forked=False)


def _carry_out(link: Link, number: int, work: Work[Any, Any], *, forked: bool) -> None:
    watchdog = Watchdog(link, number, work, forked=forked)
    if work.memory is not None:
        _limit_memory(work.memory)
    try:
        answer = work.carry_out(watchdog)
    except ScenarioError as error:
        answer = error
    finally:
        _limit_memory(None)
    watchdog.answer(answer)


def _fork(link: Link, number: int, work: Work[Any, Any]) -> None:
    """Carries out isolated work in a fork that leads a process group, and ends the group
    after it.
    """
    pid = os.fork()
    if pid == 0:
        _be_fork(link, number, work)
    # The fork stays a zombie until its group is killed: nobody else can get its number before.
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(OSError):  # a parent that is gone ends the loop in main
        link.send(number, Ended(status))


def _be_fork(link: Link, number: int, work: Work[Any, Any]) -> None:
    """Ends the process: nothing of it may return into the loop of the process it was forked
    from.
    """
    status = 1
    try:
        os.setpgid(0, 0)
        link.send(number, Started(os.getpid()))
        _carry_out(link, number, work, forked=True)
        status = 0
    except KeyboardInterrupt:
        status = 130
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # a strategy may have closed or replaced it
                stream.flush()
        os._exit(status)


def _limit_memory(more: int | None) -> None:
    """Lets the address space grow by ``more`` bytes at most; None lifts the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = hard
    if more is not None and sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        soft = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except KeyboardInterrupt:
        os._exit(130)
