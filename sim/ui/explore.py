"""The page Explore: what the relay does to the setting at the side. The verdict first, then what it
rests on.
"""

from __future__ import annotations

import streamlit as st

from ..measure.formatting import plural
from ..measure.result import Result
from ..relay.kinds import title_of
from ..report import charts, timeline, verdict
from . import downloads, navigation, state
from .frame import Shown, with_result
from .wording import plain

LOOK = {
    "good": (st.success, ":material/check_circle:"),
    "fair": (st.warning, ":material/warning:"),
    "bad": (st.error, ":material/error:"),
}
CONNECTIONS_SHOWN = 30
COLUMNS = {
    "at (s)": st.column_config.NumberColumn(format="%.3f", width=80),
    "reply": st.column_config.TextColumn(width=230),
    "message": st.column_config.TextColumn(width=80),
}


def page() -> None:
    """The whole page."""
    with_result(show)


def show(shown: Shown) -> None:
    """Everything about one result."""
    result = shown.told.result
    _title(shown)
    head(result, shown)
    st.vega_lite_chart(
        charts.throughput(result, dark=shown.dark), theme="streamlit", key="throughput"
    )
    st.caption(plain(charts.key_of(result)))
    details, lives, incidents = st.tabs(["Windows", "Connections", "Incidents"])
    with details:
        _windows(shown)
    with lives:
        _lives(shown)
    with incidents:
        _incidents(result)
    if result.expectations:
        with st.expander(
            (
                f"Expectations: {sum(one.passed for one in result.expectations)} of "
                f"{len(result.expectations)} hold"
            ),
            expanded=not result.passed,
        ):
            _expectations(result)
    _findings(result)
    downloads.row(shown)


def head(result: Result, shown: Shown) -> None:
    """The verdict in one sentence, and the key numbers."""
    tone, sentence = verdict.sentence(result)
    box, icon = LOOK[tone]
    said, buttons = st.columns([7, 2.4], vertical_alignment="center", gap="small")
    with said:
        box(f"**{plain(sentence)}**", icon=icon)
    with buttons.container(horizontal=True, gap="small", horizontal_alignment="right"):
        if result.incidents.total:
            st.button(
                "Explain",
                key="to-explain",
                type="primary",
                icon=":material/troubleshoot:",
                on_click=navigation.ask,
                args=("explain",),
                help="Why the first incident happened, and the smallest change that avoids it.",
            )
        keep_button(shown)
    with st.container(horizontal=True, gap="small", key="numbers"):
        for number in verdict.numbers(result):
            st.metric(
                number.label,
                number.value,
                number.beside,
                delta_color="off",
                delta_arrow="off",
                border=True,
            )


def _title(shown: Shown) -> None:
    """What the scenario says of itself, where it says anything."""
    if title := shown.tables.get("title"):
        st.markdown(f"#### {plain(str(title))}")
    if about := shown.tables.get("about"):
        st.caption(plain(str(about)))


def _expectations(result: Result) -> None:
    """What the scenario expects, and whether it holds."""
    for one in result.expectations:
        mark = ":green[:material/check:]" if one.passed else ":red[:material/close:]"
        actual = "nothing" if one.actual is None else str(one.actual)
        if isinstance(one.actual, int | float):
            actual = f"{one.actual:,.6g}"
        st.markdown(f"{mark} {plain(one.metric)} {plain(one.comparison)}: **{plain(actual)}**")


def _windows(shown: Shown) -> None:
    found = charts.windows(shown.told.result, shown.scenario.policy, dark=shown.dark)
    if not found:
        st.caption("No limit saw any use.")
    with st.grid(2, min_column_width=340, gap="medium"):
        for place, (use, spec) in enumerate(found):
            with st.container(key=f"use:{place}"):
                over = use.most > use.count
                st.markdown(
                    f"**{plain(use.title[0].upper() + use.title[1:])}**  "
                    f"\n{':red' if over else ':gray'}[{plain(use.share)}]"
                )
                st.vega_lite_chart(spec, key=f"window:{place}")
        with st.container(key="use:open"):
            most = shown.told.result.connections.peak_open
            st.markdown(f"**Open connections**  \n:gray[at most {most:,} at once]")
            st.vega_lite_chart(charts.connections(shown.told.result, dark=shown.dark), key="open")


def _lives(shown: Shown) -> None:
    story = shown.told.story
    if story is None or not story.opened:
        st.caption("No connection was opened.")
        return
    first = 0
    if len(story.opened) > CONNECTIONS_SHOWN:
        most = len(story.opened) - CONNECTIONS_SHOWN
        first = st.slider(
            f"From which connection on, of {len(story.opened):,}",
            0,
            most,
            0,
            key="lives-first",
            format="%d",
        )
    st.vega_lite_chart(
        timeline.timeline(story.lives(first, CONNECTIONS_SHOWN), dark=shown.dark), key="timeline"
    )


def _incidents(result: Result) -> None:
    if not result.incidents.log:
        st.caption("No limit refused anything.")
        return
    rows = [
        {
            "at (s)": one.t,
            "limit": title_of(one.limit),
            "code": one.code,
            "reply": one.text,
            "connection": one.connection,
            "username": one.username,
            "IP": one.ip,
            "message": one.message,
        }
        for one in result.incidents.log[:1000]
    ]
    if result.incidents.total > len(rows):
        st.caption(
            f"The first {len(rows):,} of {plural(result.incidents.total, 'incident')}; all "
            "that are kept are in the CSV."
        )
    st.dataframe(rows, hide_index=True, height=380, column_config=COLUMNS)


def _findings(result: Result) -> None:
    for place, finding in enumerate(result.diagnosis):
        with st.container(border=True, key=f"finding:{place}"):
            st.markdown(f"**{plain(finding.what)}**")
            st.caption(plain(finding.why))
            st.markdown(f":material/build: {plain(finding.fix)}")


def keep_button(shown: Shown) -> None:
    """Keeps this setting, to compare others with it."""
    st.button(
        "Keep",
        key="keep",
        icon=":material/bookmark_add:",
        on_click=state.keep,
        args=(shown.tables,),
        help="Keeps this setting, to compare others with it.",
    )
