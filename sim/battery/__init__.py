"""A strategy against a battery of worlds: which it survives, which not, why, and the command that
replays the smallest failure.

Builds each run from the table of worlds, hands them to the runner and judges what comes back. Knows
nothing of command lines but how to write the one that replays a run.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from ..errors import ScenarioError
from ..limits import WINDOWS
from ..measure import Result
from ..runner import PATIENCE, Answer, run_many
from ..scenario import Scenario, build
from .show import print_verdict
from .verdict import Verdict, World, faults_found
from .worlds import SENDER, WORLDS, Kind

__all__ = ["WORLDS", "Verdict", "World", "print_verdict", "validate"]

OnResult = Callable[[int, Answer], None]


@dataclass(frozen=True, slots=True)
class Planned:
    """A run of the battery before it is run."""

    kind: Kind
    window: str
    scenario: Scenario


def validate(
    strategy: str,
    folder: Path,
    *,
    options: Mapping[str, object],
    seeds: int = 3,
    first_seed: int = 1,
    jobs: int = 1,
    patience: float = PATIENCE,
    overrides: Sequence[str] = (),
    on_result: OnResult | None = None,
) -> Verdict:
    """The verdict on ``strategy``, a shipped name or ``FILE.py:NAME`` relative to ``folder``, over
    all worlds and windows.

    ``overrides`` (``dotted.key=value``) are laid on every world; ``patience`` is seconds of real
    time; ``on_result(index, answer)`` is called as each run ends. Raises one ScenarioError for a
    mistake in the call or in the strategy's file.
    """
    told: OnResult = on_result or (lambda index, answer: None)
    planned = [
        _planned(strategy, folder, options, overrides, kind, window, seed)
        for kind, window, seed in product(WORLDS, WINDOWS, range(first_seed, first_seed + seeds))
    ]
    scenarios = [one.scenario for one in planned]
    # The first alone: a file that cannot be used is told once, at once.
    results = _usable(run_many(scenarios[:1], jobs=jobs, patience=patience, on_result=told))
    rest = run_many(
        scenarios[1:],
        jobs=jobs,
        patience=patience,
        on_result=lambda index, answer: told(index + 1, answer),
    )
    results += _usable(rest)
    return Verdict(
        tuple(_judged(one, result) for one, result in zip(planned, results, strict=True))
    )


def _planned(
    strategy: str,
    folder: Path,
    options: Mapping[str, object],
    overrides: Sequence[str],
    kind: Kind,
    window: str,
    seed: int,
) -> Planned:
    settings = [*SENDER, *kind.settings, *overrides, f"policy.window={window}"]
    tables = {"sender": {"strategy": strategy, "options": dict(options)}}
    written = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in options.items()]
    # `try` takes a key without a dot for an option of the strategy, unless it comes by --set.
    dotted = [setting for setting in settings if "." in setting.partition("=")[0]]
    by_set = [part for setting in settings if setting not in dotted for part in ("--set", setting)]
    command = shlex.join(
        ["relaysim", "try", strategy, *written, *dotted, "--seed", str(seed), *by_set]
    )
    scenario = build(tables, "command line", strategy, folder, settings, seed)
    return Planned(kind, window, replace(scenario, command=command))


def _usable(answers: Sequence[Answer]) -> list[Result]:
    results = []
    for answer in answers:
        if isinstance(answer, ScenarioError):
            raise answer
        results.append(answer)
    return results


def _judged(one: Planned, result: Result) -> World:
    why = faults_found(result, one.kind.judged)
    return World(
        one.kind.name,
        one.window,
        one.scenario.seed,
        not why,
        why,
        one.scenario.command or "",
        result,
    )
