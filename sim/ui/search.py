"""Searches for remedies that go on while the page is looked at: one for each setting and limit,
shared by all sessions.

Carries out what `explain.remedies` asks for, in the same children that run settings. Knows no page.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from threading import Event, Lock, Thread
from typing import Any

from ..errors import ScenarioError
from ..explain import Remedy, remedies
from ..measure.result import Result
from ..relay.policy import Policy
from . import runs, setting

KEEP = 64


class Search:
    """One search: ``found`` is None until it is ``done``; ``tried`` says how many runs it has made."""

    def __init__(self, tables: Mapping[str, Any], policy: Policy, limit: str) -> None:
        self.tried = 0
        self.done = Event()
        self.found: list[Remedy] | None = None
        self._asking = remedies(tables, policy, limit)
        Thread(target=self._carry_out, daemon=True).start()

    def _carry_out(self) -> None:
        try:
            wanted = next(self._asking)
            while True:
                self.tried += 1
                wanted = self._asking.send(_run(wanted))
        except StopIteration as end:
            self.found = end.value
        finally:
            self.done.set()


def _run(tables: Mapping[str, Any]) -> Result | ScenarioError:
    try:
        run = runs.pool().start(setting.scenario_of(tables), runs.key_of(tables))
    except ScenarioError as error:
        return error
    while not run.wait(5):
        pass
    if run.answer is None:
        return ScenarioError(setting.PLACE, "", "the run was stopped")
    return run.answer if isinstance(run.answer, ScenarioError) else run.answer.result


_SEARCHES: OrderedDict[Hashable, Search] = OrderedDict()
_LOCK = Lock()


def search_for(tables: Mapping[str, Any], policy: Policy, limit: str) -> Search:
    """The search for remedies of this setting against this limit, begun now unless it was before."""
    key = (runs.key_of(tables), limit)
    with _LOCK:
        if key not in _SEARCHES:
            _SEARCHES[key] = Search(tables, policy, limit)
            while len(_SEARCHES) > KEEP:
                _SEARCHES.popitem(last=False)
        return _SEARCHES[key]
