"""What the tests of the virtual world share: scenarios from few words, and runs whose recorder can
be looked into.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sim.measure import Result
from sim.scenario import Scenario, build
from sim.strategies.catalogue import Strategy
from sim.world import World, strategy_of

QUIET = {"rtt": "40ms", "jitter": 0, "relay_time": 0, "tls": "none"}
"""A network whose every time can be told by hand."""


def scenario(**tables: Any) -> Scenario:
    """A scenario of these tables; without more said, one message through ``one-connection`` at a
    relay without limits.
    """
    default = {
        "policy": {"use": "unlimited"},
        "workload": {"kind": "batch", "messages": 1},
        "sender": {"strategy": "one-connection"},
        "network": QUIET,
    }
    return build(default | tables, "test.toml", "test", Path())


def world(work: Callable[..., Any] | None = None, **tables: Any) -> tuple[World, Result]:
    """Runs ``scenario(**tables)``, with ``work`` for its strategy if given; the world with all its
    rows, and the result.
    """
    chosen = scenario(**tables)
    made = World(chosen, Strategy("work", work, {}, "") if work else strategy_of(chosen))
    return made, made.run()


def micros(milliseconds: float) -> int:
    """Microseconds of ``milliseconds``."""
    return round(milliseconds * 1_000)


def acceptances(made: World) -> list[tuple[int, int, int]]:
    """Time in microseconds, connection and number (from 1) of every acceptance, in the order in
    which they were judged.
    """
    rows = made.recorder
    return [
        (at, on, int(str(of)))
        for at, on, of in zip(rows.accepted_at, rows.accepted_on, rows.accepted_ids, strict=True)
    ]
