"""The functions of ``import relaysim``: load and run a scenario, find a plan, serve a relay.

Each takes what users have at hand: a path, a dict of tables, numbers and strings such as ``"2h"``.
Mistakes are raised as ScenarioError with place, value and remedy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.errors import ScenarioError
from sim.live.running import running as serve
from sim.measure import Result
from sim.plan import Demand, Plan, Resources, at_rate, by_deadline
from sim.plan import plan as find_plan
from sim.relay import Policy
from sim.relay import load as read_policy
from sim.runner import PATIENCE, Answer
from sim.runner import run_many as run_all
from sim.scenario import Scenario, build
from sim.scenario import load_scenario as read_scenario
from sim.units import duration, rate

__all__ = ["load_policy", "load_scenario", "plan", "run", "run_many", "serve"]

Source = Scenario | str | os.PathLike[str] | Mapping[str, Any]
"""A scenario, the path of its file, or its tables as a dict."""


def load_scenario(
    source: Source, overrides: Sequence[str] = (), seed: int | None = None
) -> Scenario:
    """The scenario of a file or of a dict with the same tables.

    ``overrides`` are ``dotted.key=value`` strings, as for ``--set``. Paths in a file are relative
    to it, paths in a dict to the current folder. Raises ScenarioError that lists every mistake.
    """
    if isinstance(source, Scenario):
        if overrides or seed is not None:
            raise ScenarioError(
                "load_scenario", source.name, "is loaded already; pass overrides with its file"
            )
        return source
    if isinstance(source, Mapping):
        return build(source, "scenario", "scenario", Path(), overrides, seed)
    return read_scenario(Path(source), overrides, seed)


def load_policy(name: str, folder: str | os.PathLike[str] = ".") -> Policy:
    """A shipped policy by its name, or a policy file by its path relative to ``folder``."""
    return read_policy(name, {}, name, Path(folder))


def run(
    source: Source,
    overrides: Sequence[str] = (),
    *,
    seed: int | None = None,
    patience: float = PATIENCE,
) -> Result:
    """Simulates one scenario in virtual time and returns its result.

    A strategy from a file runs in a child process, which ends after ``patience`` wall-clock
    seconds without progress. Raises ScenarioError for a mistake in the scenario or the strategy.
    """
    [answer] = run_all([load_scenario(source, overrides, seed)], patience=patience)
    if isinstance(answer, ScenarioError):
        raise answer
    return answer


def run_many(
    sources: Sequence[Source], *, jobs: int = 1, patience: float = PATIENCE
) -> list[Answer]:
    """Simulates several scenarios, ``jobs`` at a time; the answers are in their order.

    An answer is a Result, or a ScenarioError where a strategy cannot be used.
    """
    return run_all([load_scenario(source) for source in sources], jobs=jobs, patience=patience)


def plan(
    *,
    messages: int | None = None,
    within: str | float | None = None,
    rate: str | None = None,
    p99: str | float | None = None,
    library: str = "paced",
    usernames: int = 1,
    ips: int = 1,
    workers: int = 100,
    settings: Sequence[str] = (),
    jobs: int = 1,
) -> Plan:
    """Settings of ``library`` that meet a demand, with their proof; or why there are none.

    Either ``messages`` and ``within`` ("2h", or seconds), or ``rate`` ("300/min") with an optional
    ``p99`` latency ("5s"). ``usernames``, ``ips`` and ``workers`` are the most you have.
    ``settings`` are ``dotted.key=value`` strings, such as ``"network.rtt=90ms"``.
    """
    demand = _demand(messages, within, rate, p99)
    resources = Resources(usernames, ips, workers)
    return find_plan(demand, strategy=library, resources=resources, settings=settings, jobs=jobs)


def _demand(
    messages: int | None, within: str | float | None, per_time: str | None, p99: str | float | None
) -> Demand:
    if (messages is None) == (per_time is None):
        raise ScenarioError("plan", "", "takes either messages and within, or rate")
    if per_time is not None:
        if within is not None:
            raise ScenarioError("plan", "within", "belongs to messages, not to rate")
        return at_rate(_read("rate", rate, per_time), _optional("p99", p99))
    if within is None or messages is None:
        raise ScenarioError("plan", "within", 'is missing: until when, for example within="2h"?')
    if p99 is not None:
        raise ScenarioError("plan", "p99", "belongs to rate, not to messages")
    return by_deadline(messages, _read("within", duration, within))


def _optional(key: str, value: str | float | None) -> int | None:
    return None if value is None else _read(key, duration, value)


def _read(key: str, reader: Any, value: str | float) -> Any:
    try:
        return reader(value)
    except ValueError as error:
        raise ScenarioError("plan", key, str(error)) from None
