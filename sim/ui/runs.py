"""The children that run settings for every session, kept warm, and the run that one session waits
for.

One pool for the whole process. A session has at most one run under way for each purpose: a new one
lets the old one go, and a run that nobody waits for is ended.
"""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Mapping
from typing import Any

import streamlit as st

from ..runner.warm import Run, Warm
from ..scenario import Scenario

MOST = max(4, 2 * (os.cpu_count() or 2))
"""Runs at once. More than there are cores, so that a short one need not wait for long ones to end.
"""

SOON = 0.6
"""Seconds that a page waits before it shows progress: most runs are done by then, and nothing
flickers.
"""


@st.cache_resource(show_spinner=False)
def pool() -> Warm:
    """The one pool."""
    return Warm(MOST, spare=2)


def key_of(tables: Mapping[str, Any]) -> Hashable:
    """What tells one setting from all others. Its title and description do not change a run, but
    stand in its result.
    """
    return json.dumps(tables, sort_keys=True, default=str)


class Share:
    """One session's part in a run, which others may wait for too. It is left once: then the session
    knows nothing more of the run.
    """

    def __init__(self, key: Hashable, run: Run) -> None:
        self.key = key
        self.run = run
        self.left = False

    @property
    def stopped(self) -> bool:
        """Whether this session has no answer to wait for any more."""
        return self.left or self.run.cancelled

    def leave(self) -> None:
        """Stops the run for this session; it ends when it was the last that waited."""
        if not self.left:
            self.left = True
            self.run.let_go()

    def over(self, seconds: float) -> bool:
        """Whether there is nothing more to wait for; waits so many seconds of real time at most."""
        return self.left or self.run.wait(seconds)


def wanted(purpose: str, scenario: Scenario, key: Hashable) -> Share:
    """This session's share in the run of ``scenario``; whatever it wanted before for the same
    purpose is left.
    """
    state = st.session_state
    before: Share | None = state.get(f"run:{purpose}")
    if (
        before is not None and before.key == key
    ):  # also one that was stopped, which says so until it is asked for again
        return before
    if before is not None:
        before.leave()
    share = state[f"run:{purpose}"] = Share(key, pool().start(scenario, key))
    return share
