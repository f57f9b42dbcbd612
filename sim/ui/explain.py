"""The page Explain: one incident, the requests that filled its window, when it would have passed,
and what to change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import streamlit as st

from ..errors import ScenarioError
from ..explain import Change, Evidence, Remedy, evidence
from ..measure.formatting import moment
from ..measure.story import Story
from ..records import Incident
from ..relay.kinds import title_of
from ..report import timeline
from ..scenario.toml import value_text
from . import navigation, runs, state
from .frame import Shown, with_result
from .runs import Share
from .search import Search
from .wording import plain

MOST_CHOICES = 300


def page() -> None:
    """The whole page."""
    with_result(show)


def show(shown: Shown) -> None:
    """The choice of an incident, and everything about it."""
    story = shown.told.story
    if story is None or not story.incidents:
        st.success(
            "**No limit refused anything: there is no incident to explain.**",
            icon=":material/check_circle:",
        )
        navigation.link("explore", "Back to the whole picture")
        return
    incident = _chosen(story)
    found = evidence(story, shown.scenario.policy, incident)
    happened, passes = found.sentences
    st.markdown(f"##### {plain(happened)}")
    st.markdown(f":material/schedule: {plain(passes)}")
    st.vega_lite_chart(_figure(found, story, dark=shown.dark), key="evidence")
    _remedies(_search(shown, incident.limit), incident.limit)
    _requests(found)


def _chosen(story: Story) -> Incident:
    """The limit and then which of its refusals."""
    counts: dict[str, int] = {}
    for row in story.incidents:
        counts[row.limit] = counts.get(row.limit, 0) + 1
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        limit = st.segmented_control(
            "Limit",
            list(counts),
            default=story.incidents[0].limit,
            required=True,
            key="explain:limit",
            format_func=lambda name: f"{title_of(name)} ({counts[name]:,})",
        )
        rows = [row for row in story.incidents if row.limit == limit][:MOST_CHOICES]
        rows = rows or story.incidents[:MOST_CHOICES]
        place = st.selectbox(
            f"Incident, of the first {len(rows):,}",
            range(len(rows)),
            key=f"explain:which:{limit}",
            format_func=lambda index: _named(rows[index], index),
        )
    return rows[place if place is not None and place < len(rows) else 0]


def _named(row: Incident, index: int) -> str:
    who = f", {row.username}" if row.username else ""
    if row.message:
        who = f", message {row.message}"
    return f"{index + 1}. at {moment(row.at)}, connection {row.connection}{who}"


def _figure(found: Evidence, story: Story, *, dark: bool) -> dict[str, Any]:
    """For a connection its life; for a window the requests in it."""
    if found.passes_at is None:
        return timeline.timeline(story.lives(story.places[found.incident.connection], 1), dark=dark)
    return timeline.window(found.filled, found.incident, found.passes_at, found.key, dark=dark)


def _requests(found: Evidence) -> None:
    with st.expander(f"The {len(found.filled):,} requests that had filled it"):
        rows = [
            {"at (s)": one.at / 1e6, "connection": one.connection, "what": one.what}
            for one in found.filled
        ]
        st.dataframe(rows, hide_index=True)


def _search(shown: Shown, limit: str) -> Share[int, list[Remedy]]:
    """The search for remedies of the setting against ``limit``; another begins if it was ended,
    because no page looked at it.
    """
    purpose = f"search:{limit}"
    key = ("search", runs.key_of(shown.tables), limit)
    work = Search(shown.tables, shown.scenario.policy, limit)
    found = runs.share(purpose, runs.pool(), work, key)
    if found.stopped:
        runs.forget(purpose)
        found = runs.share(purpose, runs.pool(), work, key)
    return found


def _remedies(search: Share[int, list[Remedy]], limit: str) -> None:
    st.subheader("What would avoid it", anchor=False)
    if not search.over(0.25):
        _searching(search)
        return
    found = search.job.answer
    if not found or isinstance(found, ScenarioError):
        st.info(
            f"No change of one setting avoids {title_of(limit)} for this workload. More "
            "usernames or IP addresses, "
            "with as many workers, may.",
            icon=":material/search_off:",
        )
        return
    best, *others = found
    whole = next((one for one in others if one.clean and len(one.changes) > 1), None)
    places_ = st.columns(2 if whole is not None and not best.clean else 1)
    with places_[0]:
        _offer(
            best,
            "smallest",
            f"The smallest change of one setting that avoids {title_of(limit)}",
        )
    if whole is not None and not best.clean:
        with places_[1]:
            _offer(whole, "whole", "Together, these leave no incident at all")
        others = [one for one in others if one is not whole]
    _others([one for one in others if len(one.changes) == 1])


@st.fragment(run_every=0.4)
def _searching(search: Share[int, list[Remedy]]) -> None:
    if search.over(0):
        st.rerun()
    st.caption(
        ":material/hourglass_top: Trying one change after the other, each in a run of its own: "
        f"{search.job.progress or 0:,} so far"
    )


def _offer(remedy: Remedy, name: str, words: str) -> None:
    """A remedy with its button."""
    with st.container(border=True, key=f"remedy:{name}"):
        st.caption(words)
        st.markdown("##### " + " and ".join(plain(each) for each in said(remedy.changes)))
        st.markdown(plain(left(remedy)))
        kind: Literal["primary", "secondary"] = "primary" if remedy.clean else "secondary"
        st.button(
            "Apply and run",
            key=f"apply:{name}",
            type=kind,
            icon=":material/play_arrow:",
            on_click=_apply,
            args=(remedy,),
        )


def said(changes: Sequence[Change]) -> list[str]:
    """Changes in words."""
    return [_said(change, first=place == 0) for place, change in enumerate(changes)]


def _said(change: Change, *, first: bool) -> str:
    key = change.key.removeprefix("sender.options.").removeprefix("sender.")
    if change.key == "faults.wrong_password":
        return "Put the password right" if first else "the password put right"
    return f"{'Set ' if first else ''}{key} from {_value(change.before)} to {_value(change.after)}"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else value_text(value)


def left(remedy: Remedy) -> str:
    """What is left of incidents and losses, in words."""
    rate = (
        f"{remedy.per_min:,.0f} messages a minute"
        if remedy.per_min is not None
        else "nothing accepted"
    )
    if remedy.clean:
        return f"Then no limit refuses anything and nothing is lost: {rate}."
    return (
        f"Then {remedy.incidents:,} incidents by other limits are left and {remedy.lost:,} "
        f"messages are lost: {rate}."
    )


def _apply(remedy: Remedy) -> None:
    state.choose(remedy.tables)
    navigation.ask("explore")


def _others(others: list[Remedy]) -> None:
    if not others:
        return
    with st.expander(f"Other ways ({len(others)})"):
        for place, one in enumerate(others):
            with st.container(horizontal=True, vertical_alignment="center", key=f"other:{place}"):
                st.markdown(
                    f"**{plain(said(one.changes)[0])}**  \n{plain(left(one))}", width="stretch"
                )
                st.button("Apply and run", key=f"apply:other:{place}", on_click=_apply, args=(one,))
