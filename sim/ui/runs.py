"""The children that run settings for every session, kept warm, and the run that one session waits for.

One pool for the whole process. A session has at most one run under way for each purpose: a new one lets the old one go, and a run that
nobody waits for is ended.
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
"""Runs at once. More than there are cores, so that a short one need not wait for long ones to end."""

SOON = 0.6
"""Seconds that a page waits before it shows progress: most runs are done by then, and nothing flickers."""


@st.cache_resource(show_spinner=False)
def pool() -> Warm:
    """The one pool."""
    return Warm(MOST, spare=2)


def key_of(tables: Mapping[str, Any]) -> Hashable:
    """What tells one setting from all others. Its title and description do not change a run, but stand in its result."""
    return json.dumps(tables, sort_keys=True, default=str)


def wanted(purpose: str, scenario: Scenario, key: Hashable) -> Run:
    """The run of ``scenario`` for this session; whatever it wanted before for the same purpose is let go."""
    state = st.session_state
    before: tuple[Hashable, Run] | None = state.get(f"run:{purpose}")
    if before is not None and before[0] == key:  # also one that was stopped, which says so until it is asked for again
        return before[1]
    if before is not None:
        before[1].let_go()
    run = pool().start(scenario, key)
    state[f"run:{purpose}"] = (key, run)
    return run
