"""The children that work for every session, and each session's share in what they do.

One pool for runs and searches, one for plans, for the whole process. A session waits for at most
one job for each purpose: a new one drops the old one, and a job that nobody waits for is ended.
"""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Mapping
from typing import Any, Generic

import streamlit as st

from ..runner import PATIENCE
from ..runner.jobs import Job, Pool
from ..runner.protocol import A, P, Work
from ..runner.simulation import Finished, Progress, Simulation
from ..scenario import Scenario

MOST = max(4, 2 * (os.cpu_count() or 2))
"""Runs at once. More than there are cores, so that a short one need not wait for long ones."""

MOST_PLANS = 2
KEEP = 64
"""Jobs whose answers are remembered, of each pool."""

FORSAKEN = 120.0
"""Seconds after which a run that no page looks at is ended. Browsers let a hidden page look once a
minute.
"""

SOON = 0.6
"""Seconds that a page waits before it shows progress: most runs are done by then, and nothing
flickers.
"""


@st.cache_resource(show_spinner=False)
def pool() -> Pool:
    """The pool for runs and searches."""
    return Pool(MOST, ready=2, keep=KEEP, forsaken=FORSAKEN, gives_way=True)


@st.cache_resource(show_spinner=False)
def plan_pool() -> Pool:
    """The pool for plans. A plan goes on when its page is left, and is there on return."""
    return Pool(MOST_PLANS, keep=KEEP)


def key_of(tables: Mapping[str, Any]) -> Hashable:
    """The same for settings that have the same result. A title and a description do not change a
    run, but are in its result.
    """
    return json.dumps(tables, sort_keys=True, default=str)


class Share(Generic[P, A]):
    """One session's share in a job, which others may wait for too. Once it is left, the session
    hears nothing more of the job.
    """

    def __init__(self, key: Hashable, job: Job[P, A]) -> None:
        self.key = key
        self.job = job
        self.left = False

    @property
    def stopped(self) -> bool:
        """Whether this session has no answer to wait for any more."""
        return self.left or self.job.cancelled

    def leave(self) -> None:
        """Stops the job for this session; it ends when it was the last that waited."""
        if not self.left:
            self.left = True
            self.job.drop()

    def over(self, seconds: float) -> bool:
        """Waits this long at most, and returns whether there is nothing more to wait for."""
        return self.left or self.job.wait(seconds)


def wanted(purpose: str, scenario: Scenario, key: Hashable) -> Share[Progress, Finished]:
    """This session's share in the run of ``scenario``."""
    return share(purpose, pool(), Simulation(scenario, PATIENCE, story=True), key)


def share(purpose: str, among: Pool, work: Work[P, A], key: Hashable) -> Share[P, A]:
    """This session's share in ``work``. Leaves what the session wanted for ``purpose`` before.

    A share that was stopped is returned again until its purpose gets another key, or is
    forgotten with `forget`.
    """
    state = st.session_state
    before: Share[P, A] | None = state.get(f"run:{purpose}")
    if before is not None and before.key == key:
        return before
    if before is not None:
        before.leave()
    found = state[f"run:{purpose}"] = Share(key, among.start(work, key))
    return found


def forget(purpose: str) -> None:
    """Forgets a share that was stopped, so that the next call of `share` begins again."""
    before: Share[Any, Any] | None = st.session_state.get(f"run:{purpose}")
    if before is not None and before.stopped:
        del st.session_state[f"run:{purpose}"]
