"""One simulation of one scenario with one seed, until all messages are settled, the horizon or an
abort. :class:`World` starts the workers and decides how the run ended.

Knows nothing of files, processes or reports.
"""

from __future__ import annotations

import gc
import traceback
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import NoReturn

from greenlet import GreenletExit, getcurrent, greenlet

from ..errors import Disconnected, Refused, StrategyError
from ..measure import Counts, Recorder, Result, Rows, RunInfo, SequentialIds, result_of
from ..measure.story import Story
from ..outbox import Claim
from ..relay import Relay
from ..scenario import Scenario
from ..strategies.catalogue import Strategy
from ..text import raised
from .clock import LAST, OTHER_THREAD, Clock
from .network import wrong_password
from .outbox import WorldOutbox
from .sender import WorldSender
from .stage import Stage
from .workload import arrivals

FIRST_IP = IPv4Address("198.18.0.1")
"""The senders' addresses count up from here, in the network that is reserved for benchmarks (RFC
2544).
"""

WIND_DOWN = 3_600_000_000
"""Microseconds in which workers may finish their loops once all messages are settled. Their later
actions are not part of the result.
"""

OURS = str(Path(__file__).parents[1])
"""The folder of this package. Its frames are left out of a strategy's traceback."""


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Collects garbage less often: a run makes millions of objects and hardly a cycle."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 100_000), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@dataclass(slots=True)
class Ending:
    """How the run ended, and when."""

    at: int
    ended: str
    error: str | None = None


class World:
    """A run. Call ``run`` once; ``result`` works at any time, also while a strategy is stuck."""

    def __init__(self, scenario: Scenario, strategy: Strategy, *, transcribe: bool = False) -> None:
        self.scenario = scenario
        self.strategy = strategy
        self.clock = Clock()
        self.recorder = Recorder()
        self.relay = Relay(
            scenario.policy,
            self.recorder,
            wrong_password(scenario),
            tls=scenario.network.tls,
            transcribe=transcribe,
        )
        self.outbox = WorldOutbox(self.clock, arrivals(scenario), self._settled)
        self.ending: Ending | None = None
        self._stage = Stage(
            scenario=scenario,
            clock=self.clock,
            recorder=self.recorder,
            relay=self.relay,
            outbox=self.outbox,
            start=self._start,
            refuse_thread=self._refuse_thread,
        )
        self._alive: set[Claim] = set()
        self._greenlets: list[greenlet] = []

    def run(self) -> Result:
        """Runs to the end and returns the result. Call it from the greenlet that made the World."""
        self.clock.stop_at(self.scenario.horizon, first=True)
        if not self.outbox.arrivals:
            self.clock.at(0, self._settled)
        self._start_workers()
        with _rare_collection():
            self.clock.run_to_end()
            if self.ending is None:
                self.ending = Ending(self.scenario.horizon, "until")
            self.clock.finish(self._greenlets)
            return self.result()

    def result(self, error: str | None = None) -> Result:
        """The result up to now. ``error`` is why the run was stopped from outside, at its present
        virtual time.
        """
        ending = self.ending or Ending(self.clock.moment, "aborted", error)
        info = self._info(ending)
        return result_of(self.counts(info), info)

    def counts(self, info: RunInfo) -> Counts:
        """Everything that was counted up to the end of the run."""
        arrived = self.outbox.arrivals[: bisect_right(self.outbox.arrivals, info.last)]
        given_up = frozenset(str(index + 1) for index in self.outbox.lost() if index < len(arrived))
        return Rows(self.recorder, info, SequentialIds(arrived), given_up).counts()

    def story(self) -> Story:
        """The events of each connection, in more detail than the result."""
        ending = self.ending or Ending(self.clock.moment, "aborted")
        return Story(self.recorder, self._info(ending).last)

    def transcripts(self) -> list[list[str]]:
        """The transcript of each connection, in the order in which they were opened. The World must
        be made with ``transcribe``.
        """
        assert self.relay.transcripts is not None, "made without transcribe"
        return [each.lines for each in self.relay.transcripts.values()]

    def _start_workers(self) -> None:
        spec = self.scenario.sender
        try:
            runnable = self.strategy.made(spec.options)
        except Exception as error:
            self._abort(error)
            return
        for index in range(spec.workers):
            username = f"user{index % spec.usernames + 1}"
            ip = str(FIRST_IP + index % spec.ips)
            sender = WorldSender(self._stage, f"w{index}", username, ip)
            self._start(sender.claim, partial(runnable, sender))

    def _start(self, claim: Claim, work: Callable[[], object]) -> None:
        self._alive.add(claim)
        self.clock.start(lambda: self._work(claim, work))

    def _refuse_thread(self) -> NoReturn:
        """The order of a thread's calls would depend on the speed of the machine."""
        error = StrategyError(OTHER_THREAD)
        self._abort(error)  # also if the thread swallows the exception
        raise error

    def _work(self, claim: Claim, work: Callable[[], object]) -> None:
        self._greenlets.append(getcurrent())
        try:
            work()
        except (Refused, Disconnected, GreenletExit):
            pass
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._abort(error)
        if not self.clock.over:
            self._ended(claim)

    def _ended(self, claim: Claim) -> None:
        self.outbox.give_up(claim)
        self._alive.remove(claim)
        if self._alive:
            return
        if self.ending:
            self.clock.stop_at(self.clock.moment, first=False)
            return
        self.outbox.abandon()
        # After everything else at that instant: an acceptance may still be due then.
        self.clock.at(self.outbox.last_moment(), self._settled, priority=LAST)

    def _settled(self) -> None:
        if self.ending is None:
            self.ending = Ending(self.clock.moment, "settled")
            self.clock.stop_at(self.clock.moment + (WIND_DOWN if self._alive else 0), first=False)

    def _abort(self, error: BaseException) -> None:
        if self.ending is None:
            file = str(self.scenario.file[0]) if self.scenario.file else ""
            self.ending = Ending(self.clock.moment, "aborted", _error_text(error, file))
        self.clock.stop_at(self.clock.moment, first=True)

    def _info(self, ending: Ending) -> RunInfo:
        scenario = self.scenario
        return RunInfo(
            scenario=scenario.name,
            title=scenario.title,
            policy=scenario.policy,
            sender=scenario.strategy,
            seed=scenario.seed,
            end=ending.at,
            ended=ending.ended,
            usernames=scenario.sender.usernames,
            ips=scenario.sender.ips,
            expectations=scenario.expectations,
            error=ending.error,
            command=scenario.command,
        )


def _error_text(error: BaseException, file: str) -> str:
    """The exception and where the strategy raised it, in one line. ``file`` is the strategy's, or
    empty.
    """
    if isinstance(error, MemoryError):
        # Frees the strategy's objects, so that there is memory for the result.
        traceback.clear_frames(error.__traceback__)
        return "the strategy raised MemoryError: it took all the memory that it may have"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(OURS)]
    own = [frame for frame in own if frame.filename == file] or own
    where = f" ({Path(own[-1].filename).name} line {own[-1].lineno})" if own else ""
    return f"the strategy raised {raised(error)}{where}"


def unanswered(scenario: Scenario, at: int, error: str) -> Result:
    """The result of a run that was aborted at ``at`` microseconds and of which nothing else is
    known.
    """
    world = World(scenario, Strategy(scenario.strategy, None, {}, ""))
    world.ending = Ending(at, "aborted", error)
    return world.result()
