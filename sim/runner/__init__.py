"""Runs scenarios, many at once if asked, and keeps a person's own code where it can do no harm: in
child processes.

A shipped strategy runs in this process when there is one job. Everything else runs in children that
are told one scenario at a time, watch over their own real time and memory, and are killed when they
stop answering. Results come in the order of the scenarios and do not depend on ``jobs``. Knows
nothing of command lines or reports.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import ScenarioError
from ..measure import Result
from ..scenario import Scenario
from ..world import simulate
from .pool import run_in_children

__all__ = ["PATIENCE", "Answer", "OnResult", "run_many"]

Answer = Result | ScenarioError
OnResult = Callable[[int, Answer], None]

PATIENCE = 60.0
"""Seconds of real time without progress of virtual time after which a strategy is taken to be
stuck.
"""


def run_many(
    scenarios: Sequence[Scenario],
    *,
    jobs: int = 1,
    patience: float = PATIENCE,
    on_result: OnResult | None = None,
) -> list[Answer]:
    """The result of each scenario, in their order; a ScenarioError where a person's file cannot be
    used.

    ``on_result(index, answer)`` is called as each comes in.
    """
    told: OnResult = on_result or (lambda index, answer: None)
    answers: dict[int, Answer] = {}

    def keep(index: int, answer: Answer) -> None:
        answers[index] = answer
        told(index, answer)

    apart = [
        index for index, scenario in enumerate(scenarios) if jobs > 1 or scenario.file is not None
    ]
    if apart:
        run_in_children(
            [(index, scenarios[index]) for index in apart], min(jobs, len(apart)), patience, keep
        )
    for index, scenario in enumerate(scenarios):
        if index not in answers:
            keep(index, _here(scenario))
    return [answers[index] for index in range(len(scenarios))]


def _here(scenario: Scenario) -> Answer:
    try:
        return simulate(scenario)
    except ScenarioError as error:
        return error
