"""One run in production: :class:`Run` starts the workers' threads and decides how it ended."""

from __future__ import annotations

import math
import threading
import traceback
from collections.abc import Callable, Iterable
from functools import partial

from ..errors import Disconnected, Refused, ScenarioError
from ..outbox import Claim
from ..strategies.catalogue import Runnable
from ..text import shown
from .account import Account, Outcome
from .messages import checked
from .sender import ProductionSender
from .stage import PATIENT_STOPS, Stage, Stopped

WIND_DOWN = 3600.0
"""Seconds in which workers may finish their loops once all messages are settled, as in virtual
time.
"""

HEARTBEAT = 0.2
"""Seconds that the main thread waits at a time, so that Ctrl-C reaches it."""


class Run:
    """The threads of a run. Call ``put_in`` or ``feed``, ``start_workers``, ``wait`` and
    ``outcome``, in this order.
    """

    def __init__(self, account: Account, seed: int) -> None:
        self.stage = Stage(account, seed, self._start)
        self._threads: list[threading.Thread] = []

    def feed(self, messages: Iterable[object]) -> None:
        """Puts messages into the outbox as they come; runs in its own thread."""
        try:
            self.put_in(messages)
        except BaseException as error:
            self.stage.stop("aborted", f"the workload raised {type(error).__name__}: {error}")
        self.stage.outbox.end_of_workload()

    def put_in(self, messages: Iterable[object]) -> None:
        """Puts messages into the outbox. After a stop, one that was already drawn still goes in, so
        that the Outcome has it, but no more are drawn.
        """
        stage = self.stage
        for number, given in enumerate(messages, 1):
            message = checked(given, number)
            with stage.changed:
                if not stage.outbox.add(message):
                    raise ScenarioError(
                        "send", f"messages[{number - 1}].id", f"{shown(message.id)} is there twice"
                    )
                if stage.stopped:
                    break

    def start_workers(self, runnable: Runnable, workers: int) -> None:
        """Starts ``workers`` threads, each with its own sender."""
        for index in range(workers):
            sender = ProductionSender(self.stage, f"w{index}", index)
            self._start(sender.name, sender.claim, partial(runnable, sender))

    def wait(self, until: float | None) -> None:
        """Waits for the workload and all workers to end. Stops them itself when the time is up."""
        stage = self.stage
        end = math.inf if until is None else until
        settled_at: float | None = None
        with stage.changed:
            while not stage.stopped and (stage.alive or not stage.outbox.complete):
                if not stage.outbox.settled:
                    settled_at = None
                elif not settled_at:
                    settled_at = stage.elapsed()
                left = min(end, (settled_at or math.inf) + WIND_DOWN) - stage.elapsed()
                if left <= 0:
                    stage.stop("until" if settled_at is None else "settled")
                stage.changed.wait(max(0.0, min(left, HEARTBEAT)))
        for thread in self._threads:
            while thread.is_alive() and stage.stops[thread] <= PATIENT_STOPS:
                thread.join(HEARTBEAT)

    def outcome(self) -> Outcome:
        """The outcome of the run, once ``wait`` has returned."""
        stage = self.stage
        outbox = stage.outbox
        with stage.changed:
            if not stage.survivors:
                outbox.abandon()
            lost = set(outbox.lost())
            unsent = [index for index, accepted in enumerate(outbox.accepted) if not accepted]
            out = stage.seen
            out.submitted = len(outbox.submitted)
            out.accepted = list(outbox.accepted_ids)
            out.duplicated = outbox.duplicated
            out.unsent = [outbox.submitted[index] for index in unsent]
            out.lost = [outbox.submitted[index].id for index in unsent if index in lost]
            out.waiting = [outbox.submitted[index].id for index in unsent if index not in lost]
        return out

    def _start(self, name: str, claim: Claim, work: Callable[[], object]) -> None:
        thread = threading.Thread(
            target=self._work, args=(claim, work), name=f"relaysim {name}", daemon=True
        )
        # The worker's end needs the lock too, so it cannot come before its registration. A thread
        # that cannot be started is not registered.
        with self.stage.changed:
            thread.start()
            self.stage.alive.add(claim)
            self._threads.append(thread)

    def _work(self, claim: Claim, work: Callable[[], object]) -> None:
        stage = self.stage
        try:
            work()
        except (Refused, Disconnected, Stopped):
            pass
        except BaseException as error:
            stage.stop("aborted", "".join(traceback.format_exception(error)))
        with stage.changed:
            if not stage.stopped:
                stage.outbox.give_up(claim)
            stage.alive.remove(claim)
            stage.changed.notify_all()
