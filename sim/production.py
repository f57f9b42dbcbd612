"""DOOR: the same strategy in production - smtplib, threads and a real clock, to a real relay.

Gives each worker, a thread, a sender with the words of ``strategies.api``: the function that was
simulated is the one that sends. Knows no limits and no virtual time; what a relay refuses, the
strategy is told and nobody else.
"""

from __future__ import annotations

import math
import os
import ssl
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, SupportsFloat

from . import streams
from .errors import Disconnected, Refused, ScenarioError, StrategyError
from .production_connection import (
    PATIENT_STOPS,
    Account,
    Outcome,
    ProductionConnection,
    Stopped,
    checked,
)
from .strategies.api import Message, messages_among
from .strategies.catalogue import Runnable, Strategy, check_options, described, shipped
from .text import shown

__all__ = ["Account", "Outcome", "send"]

# seconds that workers have, once all is settled, to finish their loops, as in virtual time
WIND_DOWN = 3600.0

FEED_GRACE = 1.0
"""Seconds that a person's generator has, once the run is stopped, to come back; nothing can end it
from outside.
"""


def send(
    strategy: Any,
    messages: Iterable[Message | tuple[str, bytes]],
    account: Account,
    *,
    workers: int = 1,
    options: Mapping[str, object] | None = None,
    seed: int | None = None,
    until: float | None = None,
) -> Outcome:
    """Sends ``messages`` with ``strategy`` (function, class, Strategy or shipped name) in
    ``workers`` threads, until all is settled.

    ``messages`` is a list, all there at once, or comes slowly from a generator, which runs in a
    thread of its own; a (recipient, data) pair gets its place as its id. At ``until`` seconds, at a
    KeyboardInterrupt and when a strategy raises, each worker finishes the command it is at and is
    stopped at its next call, and what was not accepted is in the Outcome; a second
    KeyboardInterrupt is raised at once. A first connection that fails for its certificate, or for
    want of TLS or of a login, aborts the run. Without ``seed`` each run has luck of its own.

    ScenarioError or ValueError, in words, for a call that makes no sense; then nothing was sent.
    """
    _check_call(account, workers, until)
    runnable = _runner_of(strategy, options or {})
    run = _Run(account, int.from_bytes(os.urandom(6), "big") if seed is None else seed)
    feeder = threading.Thread(
        target=run.feed, args=(messages,), name="relaysim workload", daemon=True
    )
    try:
        if isinstance(messages, Sequence):
            run.put_in(
                messages
            )  # at once: the first batch is not what another thread happens to have put in by then
            run.fed = True
        else:
            feeder.start()
        for index in range(workers):
            sender = ProductionSender(run, f"w{index}", index)
            run.start(sender, lambda sender=sender: runnable(sender))  # type: ignore[misc]
        run.wait(until)
    except BaseException as error:
        run.stop("aborted", type(error).__name__)
        run.wait(until)
        if not isinstance(error, KeyboardInterrupt):
            raise
    if feeder.ident is not None:
        feeder.join(FEED_GRACE if run.stopped else None)
    return run.outcome()


def _check_call(account: Account, workers: int, until: float | None) -> None:
    if workers < 1:
        raise ScenarioError("send", "workers", f"{shown(workers)} is too few; at least 1")
    for key, number in (("usernames", len(account.usernames)), ("ips", len(account.ips))):
        if number > workers:
            raise ScenarioError(
                "send",
                key,
                f"{number} are more than workers = {workers}; the rest would never be used",
            )
    if until is not None and not 0 < until < math.inf:
        raise ScenarioError(
            "send", "until", f"{shown(until)} is no time to stop; a number of seconds above 0"
        )


def _runner_of(strategy: Any, options: Mapping[str, object]) -> Runnable:
    strategy = shipped(strategy) if isinstance(strategy, str) else strategy
    found = strategy if isinstance(strategy, Strategy) else described(strategy)
    if found.library:
        raise ScenarioError(
            "send",
            "strategy",
            f"{found.name} is a model; to send for real run {found.library} itself",
        )
    check_options(found, options, "send", "options")
    return found.made(options)


class _Run:
    """What the workers share: the outbox, who holds what, and whether the run is stopped. One lock
    guards it all.
    """

    def __init__(self, account: Account, seed: int) -> None:
        self.account = account
        self.seed = seed
        self.context = (
            account.context or ssl.create_default_context() if account.tls != "none" else None
        )
        self.changed = threading.Condition()
        self.begun = time.monotonic()
        self.box: deque[Message] = deque()
        self.known: dict[str, Message] = {}
        self.in_box: set[str] = set()
        self.accepted: dict[str, int] = {}
        self.lost: set[str] = set()
        self.seen = Outcome()
        self.fed = self.stopped = False
        self.alive: set[ProductionSender] = set()
        self.survivors = 0  # workers that were alive when the run was stopped
        self.threads: list[threading.Thread] = []
        self.stops: Counter[threading.Thread] = Counter()

    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.begun

    def feed(self, messages: Iterable[object]) -> None:
        """Puts the workload into the outbox as it comes, in a thread."""
        try:
            self.put_in(messages)
        except BaseException as error:
            self.stop("aborted", f"the workload raised {type(error).__name__}: {error}")
        with self.changed:
            self.fed = True
            self.changed.notify_all()

    def put_in(self, messages: Iterable[object]) -> None:
        """Puts messages into the outbox. What was drawn is in the Outcome, also after a stop, but
        no more is drawn then.
        """
        for number, given in enumerate(messages, 1):
            message = checked(given, number)
            with self.changed:
                if message.id in self.known:
                    raise ScenarioError(
                        "send", f"messages[{number - 1}].id", f"{shown(message.id)} is there twice"
                    )
                self.known[message.id] = message
                self.box.append(message)
                self.in_box.add(message.id)
                self.changed.notify_all()
                if self.stopped:
                    break

    def settled(self) -> bool:
        """Whether nothing more comes and every message is accepted or lost. Holds the lock."""
        return self.fed and len(self.accepted) + len(self.lost) == len(
            self.known
        )  # no message is in both

    def start(self, sender: ProductionSender, work: Callable[[], object]) -> None:
        """Starts a worker."""
        thread = threading.Thread(
            target=self._work, args=(sender, work), name=f"relaysim {sender.name}", daemon=True
        )
        with (
            self.changed
        ):  # which its end waits for; and a thread that cannot be started leaves no trace
            thread.start()
            self.alive.add(sender)
            self.threads.append(thread)

    def _work(self, sender: ProductionSender, work: Callable[[], object]) -> None:
        try:
            work()
        except (Refused, Disconnected, Stopped):
            pass
        except BaseException as error:
            self.stop("aborted", "".join(traceback.format_exception(error)))
        with self.changed:
            if not self.stopped:
                self.give_up(sender)
            self.alive.remove(sender)
            self.changed.notify_all()

    def give_up(self, sender: ProductionSender) -> None:
        """What the sender holds, neither accepted nor put back, is lost. Holds the lock."""
        self.lost.update(
            one for one in sender.held if one not in self.accepted and one not in self.in_box
        )
        sender.held.clear()
        if self.settled():
            self.changed.notify_all()

    def check(self) -> None:
        """Raises Stopped when the run is stopped; holds a worker for ever that does not heed it."""
        if self.stopped:
            self.stops[thread := threading.current_thread()] += 1
            if self.stops[thread] <= PATIENT_STOPS:
                raise Stopped
            with self.changed:
                self.seen.error = (
                    self.seen.error or "a worker swallows BaseException and would not be stopped"
                )
                self.changed.wait_for(lambda: False)

    def check_known(self, message: Message) -> None:
        """Raises StrategyError for a message that never came from the outbox."""
        if not isinstance(message, Message) or message.id not in self.known:
            raise StrategyError(f"used {str(message)[:60]!r}, which is no message of the outbox")

    def sent(self, message: Message) -> None:
        """The relay accepted a message."""
        with self.changed:
            self.lost.discard(message.id)
            self.accepted[message.id] = self.accepted.get(message.id, 0) + 1
            if self.settled():
                self.changed.notify_all()

    def stop(self, ended: str, error: str | None = None) -> None:
        """Stops every worker at its next call; the first stop counts."""
        with self.changed:
            if not self.stopped:
                self.stopped, self.survivors = True, len(self.alive)
                self.seen.ended = ended
                self.seen.error = error
            self.changed.notify_all()

    def wait(self, until: float | None) -> None:
        """Until the workload and all workers have ended; stops them itself when time is up."""
        end = math.inf if until is None else until
        settled_at: float | None = None
        with self.changed:
            while not self.stopped and (self.alive or not self.fed):
                settled_at = (settled_at or self.elapsed()) if self.settled() else None
                left = min(end, (settled_at or math.inf) + WIND_DOWN) - self.elapsed()
                if left <= 0:
                    self.stop("until" if settled_at is None else "settled")
                self.changed.wait(max(0.0, min(left, 0.2)))  # short, so that Ctrl-C is heard
        for thread in self.threads:
            while thread.is_alive() and self.stops[thread] <= PATIENT_STOPS:
                thread.join(0.2)

    def outcome(self) -> Outcome:
        """What became of it all."""
        with self.changed:
            out = self.seen
            out.submitted, out.accepted = len(self.known), list(self.accepted)
            out.duplicated = sum(self.accepted.values()) - len(self.accepted)
            out.unsent = [
                message for one, message in self.known.items() if one not in self.accepted
            ]
            out.lost = [
                message.id
                for message in out.unsent
                if message.id in self.lost or not self.survivors
            ]
            out.waiting = [
                message.id
                for message in out.unsent
                if message.id not in self.lost and self.survivors
            ]
        return out


class ProductionSender:
    """Implements ``api.Sender`` for one thread; ``ip`` is empty where the system chooses."""

    def __init__(self, run: _Run, name: str, index: int) -> None:
        account = run.account
        self.username, self._password = account.usernames[index % len(account.usernames)]
        self.ip = account.ips[index % len(account.ips)] if account.ips else ""
        self.name = name
        self._run = run
        self._index = index
        self._spawned = 0
        self._random = streams.uniforms(run.seed, "strategy", name)
        self.held: set[str] = set()

    def take(self, most: int = 1) -> list[Message]:
        """As in api.Sender."""
        if not isinstance(most, int) or isinstance(most, bool) or most < 1:
            raise StrategyError(f"take({most!r}): a whole number of at least 1 is allowed")
        run = self._run
        with run.changed:
            run.check()
            run.give_up(self)
            while not run.box and not run.settled() and not run.stopped:
                run.changed.wait()
            run.check()
            batch = [run.box.popleft() for _ in range(min(most, len(run.box)))]
            self.held = {message.id for message in batch}
            run.in_box -= self.held
            return batch

    def put_back(self, message: Message) -> None:
        """As in api.Sender."""
        run = self._run
        with run.changed:
            run.check()
            run.check_known(message)
            if message.id in run.in_box:
                raise StrategyError(
                    f"put back message {message.id}, which is in the outbox already"
                )
            self.held.discard(message.id)
            run.lost.discard(message.id)
            run.in_box.add(message.id)
            run.box.appendleft(message)
            run.changed.notify_all()

    def connect(self) -> ProductionConnection:
        """As in api.Sender."""
        self._run.check()
        return ProductionConnection(self._run, self.username, self._password, self.ip)

    def sleep(self, seconds: float) -> None:
        """As in api.Sender."""
        if (
            not isinstance(seconds, SupportsFloat)
            or isinstance(seconds, bool)
            or not 0 <= float(seconds) < math.inf
        ):
            raise StrategyError(
                f"sleep({seconds!r}): a finite number of seconds of 0 or more is allowed"
            )
        end = time.monotonic() + float(seconds)
        with self._run.changed:
            while not self._run.stopped and (left := end - time.monotonic()) > 0:
                self._run.changed.wait(min(left, threading.TIMEOUT_MAX))
        self._run.check()

    def now(self) -> float:
        """As in api.Sender."""
        self._run.check()
        return self._run.elapsed()

    def random(self) -> float:
        """As in api.Sender."""
        self._run.check()
        return self._random()

    def spawn(self, function: Callable[..., Any], *args: Any) -> None:
        """As in api.Sender."""
        self._run.check()
        self._spawned += 1
        child = ProductionSender(self._run, f"{self.name}.{self._spawned}", self._index)
        child.held = {message.id for message in messages_among(args)} & self.held
        self.held -= child.held
        self._run.start(child, lambda: function(child, *args))
