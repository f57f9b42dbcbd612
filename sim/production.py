"""DOOR: the same strategy in production - smtplib, threads and a real clock, to a real relay.

Gives each worker a sender with the words of ``strategies.api``, so that the function that was simulated is the one that sends.
Each worker is a thread. Knows no limits and no virtual time; what a relay refuses, the strategy is told and nobody else.
"""

from __future__ import annotations

import math
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import streams
from .errors import StrategyError
from .production_connection import Account, ProductionConnection, Stopped
from .strategies.api import Disconnected, Message, Refused
from .strategies.catalogue import Strategy, described

__all__ = ["Account", "Outcome", "send"]


@dataclass(slots=True)
class Outcome:
    """What became of a run in production. Ids in order of acceptance, or of submission; ``refusals`` are (seconds, code, text).

    ``ended`` is settled or aborted, ``error`` then says why; ``unsent`` holds every message that was not accepted, so that
    nothing is lost when something breaks.
    """

    submitted: int = 0
    accepted: list[str] = field(default_factory=list)
    duplicated: int = 0
    lost: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    unsent: list[Message] = field(default_factory=list)
    refusals: list[tuple[float, int, str]] = field(default_factory=list)
    ended: str = "settled"
    error: str | None = None


def send(strategy: Any, messages: Iterable[Message | tuple[str, bytes]], account: Account, *, workers: int = 1,
         options: Mapping[str, object] | None = None, seed: int = 1) -> Outcome:  # fmt: skip
    """Sends ``messages`` with ``strategy`` (a function, a class or a Strategy) in ``workers`` threads; returns when all is settled.

    ``messages`` may come slowly from a generator, which runs in a thread of its own; a (recipient, data) pair gets its place in
    the order as its id. KeyboardInterrupt stops the workers in order and is raised again.
    """
    if account.tls not in ("starttls", "implicit", "none"):
        raise ValueError(f'tls = "{account.tls}": one of starttls, implicit, none is allowed')
    found = strategy if isinstance(strategy, Strategy) else described(strategy)
    run = _Run(account, seed)
    runnable = found.made(options or {})
    feeder = threading.Thread(target=run.feed, args=(messages,), daemon=True)
    feeder.start()
    for index in range(workers):
        sender = ProductionSender(run, f"w{index}", index)
        run.start(sender, lambda sender=sender: runnable(sender))  # type: ignore[misc]
    try:
        run.wait()
    except BaseException as error:
        run.abort(f"{type(error).__name__}")
        run.wait()
        raise
    feeder.join(timeout=0 if run.stopped else None)
    return run.outcome()


class _Run:
    """What the workers share: the outbox, who holds what, and whether the run is stopped. One lock guards it all."""

    def __init__(self, account: Account, seed: int) -> None:
        self.account, self.seed = account, seed
        self.changed = threading.Condition()
        self.begun = time.monotonic()
        self.box: deque[Message] = deque()
        self.known: dict[str, Message] = {}
        self.in_box: set[str] = set()
        self.accepted: dict[str, int] = {}
        self.lost: set[str] = set()
        self.refusals: list[tuple[float, int, str]] = []
        self.fed = self.stopped = False
        self.error: str | None = None
        self.alive: dict[ProductionSender, threading.Thread] = {}
        self.threads: list[threading.Thread] = []

    def feed(self, messages: Iterable[Message | tuple[str, bytes]]) -> None:
        """Puts the workload into the outbox as it comes."""
        try:
            for number, given in enumerate(messages, 1):
                message = given if isinstance(given, Message) else Message(str(number), *given)
                with self.changed:
                    if self.stopped:
                        return
                    if message.id in self.known:
                        raise ValueError(f"two messages have the id {message.id}")
                    self.known[message.id] = message
                    self.box.append(message)
                    self.in_box.add(message.id)
                    self.changed.notify_all()
        except BaseException as error:
            self.abort(f"the workload raised {type(error).__name__}: {error}")
        finally:
            with self.changed:
                self.fed = True
                self.changed.notify_all()

    def settled(self) -> bool:
        """Whether nothing more comes and every message is accepted or lost. Holds the lock."""
        return self.fed and len(self.accepted) + len(self.lost) == len(self.known)  # no message is in both

    def start(self, sender: ProductionSender, work: Callable[[], object]) -> None:
        """Starts a worker."""
        thread = threading.Thread(target=self._work, args=(sender, work), daemon=True)
        with self.changed:
            self.alive[sender] = thread
            self.threads.append(thread)
        thread.start()

    def _work(self, sender: ProductionSender, work: Callable[[], object]) -> None:
        try:
            work()
        except (Refused, Disconnected, Stopped):
            pass
        except BaseException as error:
            self.abort("".join(traceback.format_exception(error)))
        finally:
            with self.changed:
                if not self.stopped:
                    self.give_up(sender)
                del self.alive[sender]
                self.changed.notify_all()

    def give_up(self, sender: ProductionSender) -> None:
        """What the sender holds, neither accepted nor put back, is lost. Holds the lock."""
        self.lost.update(one for one in sender.held if one not in self.accepted and one not in self.in_box)
        sender.held.clear()
        if self.settled():
            self.changed.notify_all()

    def refused(self, code: int, text: str) -> None:
        """The relay refused something."""
        with self.changed:
            self.refusals.append((time.monotonic() - self.begun, code, text))

    def sent(self, message: Message) -> None:
        """The relay accepted a message."""
        with self.changed:
            self.lost.discard(message.id)
            self.accepted[message.id] = self.accepted.get(message.id, 0) + 1
            self.changed.notify_all()

    def abort(self, error: str) -> None:
        """Stops every worker at its next call."""
        with self.changed:
            self.stopped, self.error = True, self.error or error
            self.changed.notify_all()

    def wait(self) -> None:
        """Until all workers have ended, and the workload too unless the run is stopped."""
        with self.changed:
            while self.alive or not (self.fed or self.stopped):
                self.changed.wait(0.2)  # short, so that Ctrl-C is heard
        for thread in self.threads:
            thread.join()

    def outcome(self) -> Outcome:
        """What became of it all."""
        unsent = [message for one, message in self.known.items() if one not in self.accepted]
        lost = [message.id for message in unsent if message.id in self.lost or not self.stopped]
        waiting = [message.id for message in unsent if message.id not in self.lost and self.stopped]
        duplicated = sum(self.accepted.values()) - len(self.accepted)
        ended = "aborted" if self.stopped else "settled"
        return Outcome(
            len(self.known), list(self.accepted), duplicated, lost, waiting, unsent, self.refusals, ended, self.error
        )


class ProductionSender:
    """Implements ``api.Sender`` for one thread."""

    def __init__(self, run: _Run, name: str, index: int) -> None:
        account = run.account
        self.username, self._password = account.usernames[index % len(account.usernames)]
        self.ip = account.ips[index % len(account.ips)] if account.ips else ""
        self._run, self._name, self._index, self._spawned = run, name, index, 0
        self._random = streams.uniforms(run.seed, "strategy", name)
        self.held: set[str] = set()

    def take(self, most: int = 1) -> list[Message]:
        """As in api.Sender."""
        if not isinstance(most, int) or isinstance(most, bool) or most < 1:
            raise StrategyError(f"take({most!r}): a whole number of at least 1 is allowed")
        run = self._run
        with run.changed:
            run.give_up(self)
            while not run.box and not run.settled() and not run.stopped:
                run.changed.wait()
            self._check()
            batch = [run.box.popleft() for _ in range(min(most, len(run.box)))]
            self.held = {message.id for message in batch}
            run.in_box -= self.held
            return batch

    def put_back(self, message: Message) -> None:
        """As in api.Sender."""
        run = self._run
        with run.changed:
            self._check()
            if message.id not in run.known or message.id in run.in_box:
                raise StrategyError(f"put back message {message.id}, which is in the outbox already or never came from it")
            self.held.discard(message.id)
            run.lost.discard(message.id)
            run.in_box.add(message.id)
            run.box.appendleft(message)
            run.changed.notify_all()

    def connect(self) -> ProductionConnection:
        """As in api.Sender."""
        self._check()
        return ProductionConnection(self._run, self.username, self._password, self.ip)

    def sleep(self, seconds: float) -> None:
        """As in api.Sender."""
        if isinstance(seconds, bool) or not 0 <= float(seconds) < math.inf:
            raise StrategyError(f"sleep({seconds!r}): a finite number of seconds of 0 or more is allowed")
        end = time.monotonic() + float(seconds)
        with self._run.changed:
            while not self._run.stopped and (left := end - time.monotonic()) > 0:
                self._run.changed.wait(left)
        self._check()

    def now(self) -> float:
        """As in api.Sender."""
        self._check()
        return time.monotonic() - self._run.begun

    def random(self) -> float:
        """As in api.Sender."""
        return self._random()

    def spawn(self, function: Callable[..., Any], *args: Any) -> None:
        """As in api.Sender."""
        self._check()
        self._spawned += 1
        child = ProductionSender(self._run, f"{self._name}.{self._spawned}", self._index)
        for arg in args:
            for message in arg if isinstance(arg, list | tuple) and not isinstance(arg, Message) else [arg]:
                if isinstance(message, Message) and message.id in self.held:
                    self.held.discard(message.id)
                    child.held.add(message.id)
        self._run.start(child, lambda: function(child, *args))

    def _check(self) -> None:
        if self._run.stopped:
            raise Stopped
