"""The page Plan: a demand in, settings out, with their proof, their ceilings and the snippet to
copy.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from ..errors import ScenarioError
from ..measure.formatting import moment
from ..plan import Plan
from ..plan.estimates import Estimate
from ..plan.option_map import known
from ..report import charts
from ..scenario import keys
from ..scenario.toml import value_text
from ..strategies import catalogue
from ..units import MICRO
from . import navigation, runs, setting, state
from .frame import finished, is_dark
from .planning import Call, Planned, Planning
from .runs import Share
from .wording import plain

FIELDS: dict[str, Any] = {
    "kind": "deadline",
    "messages": 5_000,
    "within": "30m",
    "rate": "300/min",
    "p99": "5s",
    "strategy": "paced",
    "usernames": 1,
    "ips": 1,
    "workers": 100,
}
"""Every field with what it shows at first."""

LANGUAGES = {
    "nodemailer": "javascript",
    "phpmailer": "php",
    "symfony-mailer": "php",
    "jakarta-mail": "java",
    "postfix": "ini",
    "exim": "ini",
}
READINGS = "Holds however the relay counts"


def page() -> None:
    """The whole page."""
    tables = state.tables()
    state.address()
    asked = _form()
    base: keys.Tables = {
        key: tables[key] for key in ("policy", "network", "faults") if key in tables
    }
    if base:
        said = ", ".join(f"{key} {value}" for key, value in setting.to_address(base).items())
        st.caption(plain(f"For the policy, network and faults of the setting at Explore: {said}."))
    started: Call | None = st.session_state.get("plan:call")
    call = Call(**asked, seed=tables.get("seed", 1), tables=base)
    if st.button("Plan it", type="primary", icon=":material/play_arrow:", key="plan:go"):
        started = st.session_state["plan:call"] = call
        runs.forget("plan")
    if started is None:
        st.caption("A plan is proven by simulation: it takes some seconds.")
        return
    planning = runs.share("plan", runs.plan_pool(), Planning(started), started.key)
    if not planning.over(runs.SOON):
        _progress(planning)
        return
    answer = None if planning.stopped else planning.job.answer
    if answer is None:
        st.info("The plan was stopped.", icon=":material/stop_circle:")
    elif isinstance(answer, ScenarioError):
        lines = [f"{one.key}: {one.problem}" for one in (answer, *answer.others)]
        st.error(plain(" ".join(lines)), icon=":material/edit:")
    else:
        show(answer, started)


def _form() -> dict[str, Any]:
    """The demand and the resources."""
    names = [name for name in known() if name in catalogue.SHIPPED]
    labels = {name: catalogue.shipped(name).library or name for name in names}
    own = keys.get(state.tables(), "sender.strategy")
    first = {**FIELDS, "strategy": own if own in names else FIELDS["strategy"]}
    for name, value in first.items():
        st.session_state.setdefault(f"plan:{name}", value)
    st.markdown("#### What must be sent by when, or how fast?")
    words = {"deadline": "Messages by a deadline", "rate": "A rate, day in, day out"}
    st.segmented_control(
        "Demand",
        list(words),
        key="plan:kind",
        required=True,
        label_visibility="collapsed",
        persist_state="session",
        format_func=lambda kind: words[kind],
    )
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if st.session_state["plan:kind"] == "deadline":
            st.number_input("Messages", step=1000, **_kept("messages"))
            st.text_input("Within", help="Such as 90s, 30m or 2h.", **_kept("within"))
        else:
            st.text_input("Rate", help="Such as 10/s, 300/min or 5000/h.", **_kept("rate"))
            st.text_input(
                "99 of 100 within", help="Such as 5s. Empty: only the rate counts.", **_kept("p99")
            )
        st.selectbox(
            "Library or strategy",
            names,
            index=names.index(st.session_state["plan:strategy"]),
            key="plan:strategy",
            format_func=lambda name: labels[name],
            persist_state="session",
        )
    with st.container(horizontal=True, gap="small"):
        for name, label in (
            ("usernames", "Usernames you have"),
            ("ips", "IP addresses you have"),
            ("workers", "Workers at most"),
        ):
            st.number_input(label, step=1, **_kept(name))
    return {name: st.session_state.get(f"plan:{name}", value) for name, value in first.items()}


def _kept(name: str) -> dict[str, Any]:
    """What a control of the form is told: its key, and the session's value to begin with, as in the
    panel.
    """
    key = f"plan:{name}"
    return {"key": key, "value": st.session_state[key], "persist_state": "session"}


@st.fragment(run_every=0.5)
def _progress(planning: Share[Planned, Plan]) -> None:
    if planning.over(0):
        st.rerun()
    done, total, what = planning.job.progress or Planned(0, 1, "starting")
    st.progress(
        min(1.0, done / max(1, total)), text=f"Planning: {what}, {done:,} of about {total:,} runs"
    )
    st.button("Stop", key="plan:stop", icon=":material/stop_circle:", on_click=planning.leave)


def show(plan: Plan, call: Call) -> None:
    """The answer: whether, with what, how sure, and what binds."""
    box, icon = (
        (st.success, ":material/check_circle:") if plan.feasible else (st.error, ":material/block:")
    )
    box(f"**{plain(plan.why)}**", icon=icon)
    if plan.predicted is not None and plan.p_deadline is not None:
        with st.container(horizontal=True, gap="small"):
            for label, one, told in (
                ("Messages a minute", plan.predicted.throughput, "{:,.0f}".format),
                ("Last one accepted after", plan.predicted.drain_s, _time),
                ("99% within", plan.predicted.latency_s, _time),
            ):
                st.metric(
                    label,
                    told(one.mean),
                    _range(one, told),
                    delta_color="off",
                    delta_arrow="off",
                    border=True,
                )
            share = plan.p_deadline
            st.metric(
                "Runs that meet it",
                f"{share.mean:.0%}",
                f"at least {share.low:.0%}, 95% sure",
                delta_color="off",
                delta_arrow="off",
                border=True,
            )
    if plan.snippet is not None or plan.settings is not None:
        _settings(plan, call)
    st.markdown("**What each ceiling lets through**")
    st.vega_lite_chart(charts.ceilings(plan, dark=is_dark()), key="ceilings")
    if plan.feasible:
        _readings(plan)
    _neighbours(plan)
    if plan.scenario is not None:
        _proof(plan.scenario)


def _time(seconds: float) -> str:
    return moment(round(seconds * MICRO))


def _range(one: Estimate, told: Any) -> str:
    low = told(max(0.0, one.low))
    high = told(one.high)
    return f"{low} to {high}" if low != high else "in every run"


def _settings(plan: Plan, call: Call) -> None:
    settings = plan.settings or {}
    said = {key: settings[key] for key in ("workers", "usernames", "ips") if key in settings}
    said |= settings.get("options", {})
    left, right = st.columns([1, 3], gap="medium")
    texts = {
        key: value if isinstance(value, str) else value_text(value) for key, value in said.items()
    }
    left.markdown(
        "**Set this**  \n"
        + "  \n".join(f"{plain(key)} = **{plain(text)}**" for key, text in texts.items())
    )
    if plan.snippet is not None:
        right.markdown("**Ready to paste**")
        right.code(plan.snippet, language=LANGUAGES.get(call.strategy, "python"), height="content")


def _readings(plan: Plan) -> None:
    if plan.readings:
        held = sum(plan.readings.values())
        of = len(plan.readings)
        every = held == of
        words = (
            f"{READINGS}: under all {of} readings of the policy"
            if every
            else f"{READINGS}? Under {held} of {of} readings"
        )
        marks = [
            f"{':green-badge' if holds else ':orange-badge'}[{'✓' if holds else '✗'} {plain(name)}]"
            for name, holds in plan.readings.items()
        ]
        with st.expander(
            words,
            expanded=not every,
            icon=":material/check_circle:" if every else ":material/warning:",
        ):
            st.caption(
                "The article leaves open how the relay counts. Each of these is one way in "
                "which it may."
            )
            st.markdown(" ".join(marks))


def _neighbours(plan: Plan) -> None:
    if plan.frontier:
        st.markdown("**What the neighbours would do**")
        rows = [
            {
                "change": one.change,
                "meets it": one.meets,
                "messages a minute": round(one.per_min, 1),
                "done after (s)": round(one.drain_s, 1),
                "incidents": one.incidents,
            }
            for one in plan.frontier
        ]
        st.dataframe(rows, hide_index=True)


def _proof(text: str) -> None:
    """The run that proves it, as a figure and as a file."""
    tables = setting.from_text(text)
    st.markdown("**The run that proves it**")
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Open in Explore",
            key="plan:open",
            icon=":material/explore:",
            on_click=_open,
            args=(tables,),
        )
        st.download_button(
            "Download as TOML",
            text,
            "plan.toml",
            "application/toml",
            key="plan:get",
            icon=":material/download:",
            on_click="ignore",
        )
    try:
        share = runs.wanted("proof", setting.scenario_of(tables), runs.key_of(tables))
    except ScenarioError:  # larger than this page runs
        return
    told = finished(share, "proof")
    if told is not None and not isinstance(told, ScenarioError):
        st.vega_lite_chart(charts.throughput(told.result, dark=is_dark()), key="proof")


def _open(tables: keys.Tables) -> None:
    state.choose(tables)
    navigation.ask("explore")
