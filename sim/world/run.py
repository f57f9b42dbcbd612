"""One simulation of one scenario with one seed: workers over the clock, until all is settled, the
horizon or an abort.

Puts the parts together and says how it ended. Knows nothing of files, processes or reports.
"""

from __future__ import annotations

import gc
import traceback
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from greenlet import GreenletExit, getcurrent, greenlet

from ..errors import Disconnected, Refused, StrategyError
from ..measure import Counts, Recorder, Result, Rows, RunInfo, SequentialIds, result_of
from ..measure.story import Story
from ..relay import Relay
from ..scenario import Scenario
from ..strategies.catalogue import Strategy
from ..text import raised
from .clock import LAST, OTHER_THREAD, Clock
from .network import wrong_password
from .outbox import Outbox
from .sender import WorldSender
from .workload import arrivals

FIRST_IP = IPv4Address("198.18.0.1")
"""The senders' addresses count up from here; the network is for benchmarks alone (RFC 2544)."""

WIND_DOWN = 3_600_000_000
"""Microseconds that workers have, once all is settled, to finish their loops; what they do then is
not part of the result.
"""

OURS = str(Path(__file__).parents[1])
"""Where this package lies: a line of it is not where a strategy went wrong."""


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Has Python look for cycles less often: a run makes millions of objects and hardly a cycle."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 100_000), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@dataclass(slots=True)
class Ending:
    """How the run ended; ``at`` microseconds."""

    at: int
    ended: str
    error: str | None = None


class World:
    """A run. ``run`` may be called once; ``result`` any time after, also while a strategy is stuck."""

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
        self.outbox = Outbox(self.clock, arrivals(scenario), self._settled)
        self.ending: Ending | None = None
        self._alive: dict[greenlet | WorldSender, WorldSender] = {}
        self._greenlets: list[greenlet] = []
        self._abandoned = False

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
        """The result as it stands; with ``error``, of a run that was stopped from outside at its
        present virtual time.
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
        """What became of each connection, for whoever wants to see more than the result."""
        ending = self.ending or Ending(self.clock.moment, "aborted")
        return Story(self.recorder, self._info(ending).last)

    def transcripts(self) -> list[list[str]]:
        """What was said on each connection, in the order in which they were opened; the World must
        ``transcribe``.
        """
        assert self.relay.transcripts is not None, "made without transcribe"
        return [each.lines for each in self.relay.transcripts.values()]

    def start(self, sender: WorldSender, work: Callable[[], object]) -> None:
        """Starts a worker at this instant."""
        self._alive[sender] = sender
        self.clock.start(lambda: self._work(sender, work))

    def refuse_thread(self) -> None:
        """A sender was called from a thread of the strategy's: what it does would depend on the
        machine's speed.
        """
        error = StrategyError(OTHER_THREAD)
        self._abort(error)  # also where the thread keeps the exception to itself
        raise error

    def _start_workers(self) -> None:
        spec = self.scenario.sender
        try:
            runnable = self.strategy.made(spec.options)
        except Exception as error:
            self._abort(error)
            return
        for index in range(spec.workers):
            sender = WorldSender(
                self,
                f"w{index}",
                f"user{index % spec.usernames + 1}",
                str(FIRST_IP + index % spec.ips),
            )
            self.start(sender, lambda sender=sender: runnable(sender))  # type: ignore[misc]

    def _work(self, sender: WorldSender, work: Callable[[], object]) -> None:
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
            self._ended(sender)

    def _ended(self, sender: WorldSender) -> None:
        sender.hands.alive = False
        self.outbox.give_up(sender.hands)
        del self._alive[sender]
        if self._alive or self.ending:
            if not self._alive:
                self.clock.stop_at(self.clock.moment, first=False)
            return
        self._abandoned = True
        self.clock.at(self.outbox.abandon(), self._settled, priority=LAST)

    def _settled(self) -> None:
        if self.ending is None:
            self.ending = Ending(self.clock.moment, "settled")
            self.clock.stop_at(self.clock.moment + (WIND_DOWN if self._alive else 0), first=False)

    def _abort(self, error: BaseException) -> None:
        if self.ending is None:
            self.ending = Ending(
                self.clock.moment,
                "aborted",
                _said(error, str(self.scenario.file[0]) if self.scenario.file else ""),
            )
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


def _said(error: BaseException, file: str) -> str:
    """The exception and where the strategy raised it, in one line; ``file`` is the strategy's, or
    empty.
    """
    if isinstance(error, MemoryError):
        traceback.clear_frames(
            error.__traceback__
        )  # gives back what the strategy holds, so that the result can be made
        return "the strategy raised MemoryError: it took all the memory that it may have"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(OURS)]
    own = [frame for frame in own if frame.filename == file] or own
    where = f" ({Path(own[-1].filename).name} line {own[-1].lineno})" if own else ""
    return f"the strategy raised {raised(error)}{where}"


def unanswered(scenario: Scenario, at: int, error: str) -> Result:
    """The result of a run of which nothing is known but that it was under way at ``at``
    microseconds.
    """
    world = World(scenario, Strategy(scenario.strategy, None, {}, ""))
    world.ending = Ending(at, "aborted", error)
    return world.result()
