"""One child process, seen from its parent: hands it work and hears it out, with deadlines.

Reads the real clock for its patience with a silent child. Knows nothing of what the work is.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

from ..errors import ScenarioError
from .protocol import A, Answered, Ended, Link, P, Reported, Spoiled, Started, Work

GRACE = 15.0
"""Seconds that a child has in addition to the work's patience: it ends stuck work itself unless it
cannot even count the time. Also how long a child that closed its connection has to end.
"""

SEND = 60.0
"""Seconds that a child has to take its work, which includes its start on a busy machine."""

TICK = 0.25
"""Seconds between two looks at a job that sends nothing."""

UNHEARD = "stopped answering, even to its own clock"
WROTE = "wrote to the file descriptor that relaysim hears from it on"


class Lost(Exception):
    """The child gave no answer; the argument says why, and continues a sentence."""


class Child:
    """A child process that does one work after the other."""

    def __init__(self) -> None:
        own, theirs = socket.socketpair()
        self._link = Link(own)
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "sim.runner.child", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
                # Ctrl-C is for the parent, which ends its children; one that is still starting
                # would print a traceback. And all that a child starts is ended with its group.
                process_group=0,
            )
        self._number = 0
        self._fork: int | None = None
        self.spent = False

    @property
    def pid(self) -> int:
        """The process that does the work."""
        return self._fork or self.process.pid

    def carry_out(
        self, work: Work[P, A], on_progress: Callable[[P], None], on_tick: Callable[[], None]
    ) -> A | ScenarioError:
        """Has the child do ``work``. Raises Lost. ``on_tick`` is called several times a second."""
        self._number += 1
        self._fork = None
        try:
            self._link.send(self._number, work, SEND)
            return self._answer(work.patience, on_progress, on_tick)
        except (EOFError, OSError):
            with suppress(subprocess.TimeoutExpired):
                raise Lost(_ended(self.process.wait(GRACE))) from None
            raise Lost(UNHEARD) from None
        except Spoiled:
            raise Lost(WROTE) from None
        finally:
            self._fork = None

    def _answer(
        self, patience: float | None, on_progress: Callable[[P], None], on_tick: Callable[[], None]
    ) -> A | ScenarioError:
        heard = time.monotonic()
        while True:
            on_tick()
            received = self._link.receive(TICK)
            if received is None:
                silent = time.monotonic() - heard
                if patience is not None and silent > patience + GRACE:
                    raise Lost(UNHEARD)
                continue
            number, message = received
            if number != self._number:
                continue  # about a work before this one
            heard = time.monotonic()
            match message:
                case Reported():
                    on_progress(message.progress)
                case Answered():
                    self.spent = message.last
                    return cast("A | ScenarioError", message.answer)
                case Started():
                    self._fork = message.pid
                case Ended():
                    raise Lost(_ended(message.status))
                case _:
                    raise Spoiled

    def kill(self) -> None:
        """Kills the process and all that it started."""
        for leader in (self._fork, self.process.pid):
            if leader is not None and self.process.returncode is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(leader, signal.SIGKILL)

    def end(self) -> None:
        """Kills the process, and leaves nothing of it."""
        self.kill()
        self.process.wait()
        self._link.close()

    @property
    def is_usable(self) -> bool:
        """Whether it can do another work."""
        return not self.spent and self.process.poll() is None


def _ended(status: int) -> str:
    return f"ended its own process with status {status}"
