"""The search for remedies as work for a child process.

Carries out what `explain.remedies` asks for. Knows no page, so that a child need not load
Streamlit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ScenarioError
from ..explain import Remedy, remedies
from ..measure.result import Result
from ..relay.policy import Policy
from ..runner import run_here
from ..runner.protocol import Watch, Work
from . import setting


class Search(Work[int, list[Remedy]]):
    """Finding remedies for a setting against one limit. Its progress is the number of runs made."""

    def __init__(self, tables: Mapping[str, Any], policy: Policy, limit: str) -> None:
        self.tables = tables
        self.policy = policy
        self.limit = limit

    def carry_out(self, watch: Watch) -> list[Remedy]:
        asking = remedies(self.tables, self.policy, self.limit)
        tried = 0
        try:
            wanted = next(asking)
            while True:
                tried += 1
                watch.report(tried)
                wanted = asking.send(_run(wanted))
        except StopIteration as end:
            found: list[Remedy] = end.value
            return found

    def lost(self, how: str, progress: int | None) -> ScenarioError:
        return ScenarioError(setting.PLACE, "", f"the search {how}")


def _run(tables: Mapping[str, Any]) -> Result | ScenarioError:
    try:
        return run_here(setting.scenario_of(tables)).result
    except ScenarioError as error:
        return error
