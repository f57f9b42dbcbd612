"""The frame of every page: title, the pages to choose from, the panel at the side, and the run that
they all show.

Calls what the pages are made of in the order in which a person needs it: the run is started before
anything is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from ..errors import ScenarioError
from ..runner.simulation import Finished, Progress
from ..scenario import Scenario, keys
from . import runs, setting, state
from .panel import mistakes_of, panel
from .runs import Share
from .wording import plain


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows: the setting, its scenario, and what came of it."""

    tables: keys.Tables
    scenario: Scenario
    told: Finished

    @property
    def dark(self) -> bool:
        """Whether the person has chosen dark colours."""
        return is_dark()


def is_dark() -> bool:
    """Whether the page is shown in dark colours."""
    return st.context.theme.type == "dark"


def with_result(show: Callable[[Shown], None]) -> None:
    """A page about the setting at the side: runs it, and calls ``show`` when its result is
    there.
    """
    tables = state.tables()
    scenario, error = _scenario(tables)
    share = runs.wanted("page", scenario, runs.key_of(tables)) if scenario else None
    with st.sidebar:
        panel(mistakes_of(error))
    state.address()
    for text in st.session_state.get("unread", []):
        st.warning(
            f"Of this page's address, this could not be read: {plain(text)}",
            icon=":material/link_off:",
        )
    if scenario is None or share is None:
        _cannot_run(error)
        return
    told = finished(share, "page")
    if isinstance(told, ScenarioError):
        _cannot_run(told)
    elif told is not None:
        show(Shown(tables, scenario, told))


def _scenario(tables: keys.Tables) -> tuple[Scenario | None, ScenarioError | None]:
    try:
        scenario = setting.scenario_of(tables)
        return replace(scenario, command=setting.command_of(tables)), None
    except ScenarioError as error:
        return None, error


def _cannot_run(error: ScenarioError | None) -> None:
    assert error is not None, "a setting without a mistake has a scenario"
    lines = "\n".join(
        f"- **{plain(one.key)}**: {plain(one.problem)}" for one in (error, *error.others)
    )
    st.error(
        (
            "This setting cannot run as it stands. The control at the side says the same beside "
            f"it.\n\n{lines}"
        ),
        icon=":material/edit:",
    )


def finished(share: Share[Progress, Finished], purpose: str) -> Finished | ScenarioError | None:
    """What the run told; None while it is under way, and then its progress is shown instead."""
    if share.over(runs.SOON):
        if share.stopped:
            _stopped(purpose)
            return None
        return share.job.answer
    _progress(share, purpose)
    return None


@st.fragment(run_every=0.4)
def _progress(share: Share[Progress, Finished], purpose: str) -> None:
    """How far the run has come, and a way to stop it; when it is done, the whole page is drawn
    anew.
    """
    if share.over(0):
        st.rerun()
    reached = share.job.progress or Progress(0, 0, 0)
    said = "starting"
    if reached.messages:
        said = (
            f"{reached.settled:,} of {reached.messages:,} messages, {reached.at / 1e6:,.0f} s "
            "of virtual time"
        )
    st.progress(min(1.0, reached.share), text=f"Running: {said}")
    st.button(
        "Stop this run", key=f"stop:{purpose}", icon=":material/stop_circle:", on_click=share.leave
    )


def _stopped(purpose: str) -> None:
    st.info(
        "The run was stopped. Nothing is known of what it would have found.",
        icon=":material/stop_circle:",
    )
    st.button(
        "Run it again",
        key=f"again:{purpose}",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_again,
        args=(purpose,),
    )


def _again(purpose: str) -> None:
    runs.forget(purpose)
