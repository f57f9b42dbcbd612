"""DOOR: the same strategy in production, with smtplib, threads and a real clock, to a real relay.

Each worker is a thread with its own sender, which implements ``strategies.api``, so the function
that was simulated is the one that sends. Main entry point: :func:`send`. Knows no limits and no
virtual time: a refusal is raised to the strategy only.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import ScenarioError
from ..strategies.api import Message
from ..strategies.catalogue import Runnable, Strategy, check_options, described, shipped
from ..text import shown
from .account import Account, Outcome
from .run import Run

__all__ = ["Account", "Outcome", "send"]

FEED_GRACE = 1.0
"""Seconds that the user's generator has to return once the run is stopped. Nothing can end it from
outside.
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
    ``workers`` threads, until all messages are settled.

    ``messages`` is a list, which is there from the start, or a generator, which runs in its own
    thread. The id of a (recipient, data) pair is its place, counted from 1. Without ``seed`` each
    run has its own luck.

    The run stops at ``until`` seconds, at a KeyboardInterrupt and when a strategy raises: each
    worker finishes its command and is stopped at its next call, and the Outcome has everything that
    was not accepted. A second KeyboardInterrupt is raised at once. The run is aborted if the first
    connection fails because of its certificate, or because the relay offers no TLS or login.

    Raises ScenarioError or ValueError, before anything is sent, for a call that makes no sense.
    """
    _check_call(account, workers, until)
    runnable = _runnable(strategy, options or {})
    run = Run(account, int.from_bytes(os.urandom(6), "big") if seed is None else seed)
    feeder = threading.Thread(
        target=run.feed, args=(messages,), name="relaysim workload", daemon=True
    )
    try:
        if isinstance(messages, Sequence):
            # All at once: otherwise the first batch would depend on the speed of another thread.
            run.put_in(messages)
            run.stage.outbox.end_of_workload()
        else:
            feeder.start()
        run.start_workers(runnable, workers)
        run.wait(until)
    except BaseException as error:
        run.stage.stop("aborted", type(error).__name__)
        run.wait(until)
        if not isinstance(error, KeyboardInterrupt):
            raise
    if feeder.ident is not None:
        feeder.join(FEED_GRACE if run.stage.stopped else None)
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


def _runnable(strategy: Any, options: Mapping[str, object]) -> Runnable:
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
