"""Runs scenarios, several at once if asked, and keeps a user's own code in child processes.

`run_many` is for batches, `run_here` for brief runs in this process. `Pool` in `jobs` does any
`Work` in children: the dashboard and sweeps use it too. A shipped strategy runs in this process
when there is one job. Results come in the order of the scenarios and do not depend on ``jobs``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import ScenarioError
from ..scenario import Scenario
from .jobs import as_completed
from .simulation import PATIENCE, Answer, Simulation, run_here

__all__ = ["PATIENCE", "Answer", "OnResult", "run_here", "run_many"]

OnResult = Callable[[int, Answer], None]


def run_many(
    scenarios: Sequence[Scenario],
    *,
    jobs: int = 1,
    patience: float = PATIENCE,
    on_result: OnResult | None = None,
) -> list[Answer]:
    """The result of each scenario, in their order; a ScenarioError where a user's file cannot be
    used.

    ``on_result(index, answer)`` is called as each comes in. ``patience`` is for runs in children.
    """
    answers: dict[int, Answer] = {}

    def keep(index: int, answer: Answer) -> None:
        answers[index] = answer
        if on_result is not None:
            on_result(index, answer)

    apart = [
        index for index, scenario in enumerate(scenarios) if jobs > 1 or scenario.file is not None
    ]
    works = [Simulation(scenarios[index], patience) for index in apart]
    for place, finished in as_completed(works, min(jobs, len(works))):
        keep(apart[place], finished if isinstance(finished, ScenarioError) else finished.result)
    for index, scenario in enumerate(scenarios):
        if index not in answers:
            keep(index, _here(scenario))
    return [answers[index] for index in range(len(scenarios))]


def _here(scenario: Scenario) -> Answer:
    try:
        return run_here(scenario).result
    except ScenarioError as error:
        return error
