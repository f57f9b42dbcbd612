"""The planner in a child process: is told one call, says how far it is, and answers with the Plan.
Started by ``planning``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from threading import Event, Thread
from typing import TypeVar

from ..errors import ScenarioError
from ..plan import Demand, Resources, at_rate, by_deadline, plan
from ..units import duration, rate
from .call import Call

Value = TypeVar("Value")


def demand_of(call: Call) -> Demand:
    """The demand of a call; ScenarioError for what cannot be asked."""
    if call.kind == "deadline":
        return by_deadline(call.messages, _read("within", call.within, duration))
    p99 = _read("p99", call.p99, duration) if call.p99 else None
    return at_rate(_read("rate", call.rate, rate), p99)


def _read(key: str, text: str, reading: Callable[[object], Value]) -> Value:
    try:
        return reading(text)
    except ValueError as error:
        raise ScenarioError("this demand", key, str(error)) from None


def main(descriptor: int, parent: int) -> None:
    """One call, one answer."""
    pipe = Connection(descriptor)
    Thread(target=_leave_with, args=(parent,), daemon=True).start()
    call: Call = pipe.recv()
    try:
        resources = Resources(call.usernames, call.ips, call.workers)
        answer = plan(
            demand_of(call),
            strategy=call.strategy,
            resources=resources,
            tables=call.tables,
            seed=call.seed,
            on_progress=lambda done, total, what: pipe.send((done, total, what)),
        )
        pipe.send(answer)
    except ScenarioError as error:
        pipe.send(error)


def _leave_with(parent: int) -> None:
    never = Event()
    while os.getppid() == parent:
        never.wait(0.25)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
