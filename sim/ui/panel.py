"""The panel at the side: every control of the setting, each with its mistake beside it. Draws
`controls`; judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st

from ..errors import ScenarioError
from ..relay.kinds import KINDS
from ..scenario import keys
from ..strategies import catalogue
from . import controls, setting, state
from .controls import Control
from .wording import plain, prose

Mistakes = dict[str, list[str]]

OPTIONS_SHOWN = 6
"""A library's first options are those that matter; the rest is one click away."""


def mistakes_of(error: ScenarioError | None) -> Mistakes:
    """The sentences of an error by the key that they are about."""
    found: Mistakes = {}
    for one in (error, *error.others) if error else ():
        found.setdefault(one.key, []).append(one.problem)
    return found


def panel(mistakes: Mistakes) -> None:
    """All groups, the sender first. A group that is closed costs nothing."""
    with _group("Sender", "sender", mistakes, open_=True):
        _sender(mistakes)
    with _group("Messages", "workload", mistakes, open_=True):
        _draw([controls.KINDS], mistakes)
        kind = setting.shown(state.tables(), controls.KINDS)
        _draw(controls.WORKLOADS[kind], mistakes)
        _left(mistakes, "workload")
    for title, name, draw in CLOSED:
        icon = ":material/error:" if _any(mistakes, name) else None
        group = st.expander(title, key=f"group:{name}", on_change="rerun", icon=icon)
        if group.open:
            with group:
                draw(mistakes)
    st.button(
        "Start over",
        key="start-over",
        type="tertiary",
        icon=":material/restart_alt:",
        on_click=state.choose,
        args=(state.first_setting(),),
        help="Back to the setting that the page opens with.",
    )


@contextmanager
def _group(title: str, name: str, mistakes: Mistakes, *, open_: bool) -> Iterator[None]:
    icon = ":material/error:" if _any(mistakes, name) else None
    with st.expander(title, expanded=open_, key=f"group:{name}", icon=icon):
        yield


def _any(mistakes: Mistakes, name: str) -> bool:
    keys = ("seed", "until", "title", "about") if name == "run" else (name,)
    return any(key == one or key.startswith(f"{one}.") for key in mistakes for one in keys)


def _sender(mistakes: Mistakes) -> None:
    _draw([controls.strategies()], mistakes)
    name = setting.shown(state.tables(), controls.strategies())
    about = catalogue.shipped(name).about if name in catalogue.SHIPPED else ""
    if about:
        st.caption(prose(about))
    options = controls.options_of(name)
    _draw(options[:OPTIONS_SHOWN], mistakes)
    if options[OPTIONS_SHOWN:]:
        _more_options(options[OPTIONS_SHOWN:], mistakes)
    for text in mistakes.get("sender.options", []):
        _wrong(text)
    with st.container(horizontal=True, gap="small"):
        _draw(controls.SENDER, mistakes)
    _left(mistakes, "sender")


def _more_options(options: Sequence[Control], mistakes: Mistakes) -> None:
    """The rest of a library's options; open where one of them is set or wrong."""
    said = keys.get(state.tables(), "sender.options")
    names = {one.label for one in options}
    wrong = any(one.key in mistakes for one in options)
    with st.expander(
        f"More options ({len(options)})",
        type="compact",
        expanded=wrong or (isinstance(said, dict) and bool(names & set(said))),
    ):
        _draw(options, mistakes)


def _policy(mistakes: Mistakes) -> None:
    _draw([controls.policies_choice(), controls.window()], mistakes)
    use = setting.shown(state.tables(), controls.policies_choice())
    for name in KINDS:
        _limit(name, use, mistakes)
    _left(mistakes, "policy")


def _limit(name: str, use: str, mistakes: Mistakes) -> None:
    """The group of one limit: a switch, and every field."""
    key = f"policy.{name}"
    said = keys.get(state.tables(), f"policy.{name}")
    shipped = controls.has_limit(use, name)
    there = said is not False and (shipped or said is not keys.MISSING)
    group = st.expander(
        KINDS[name].heading,
        key=f"group:{key}",
        on_change="rerun",
        type="compact",
        icon=":material/error:" if _any(mistakes, key) else None,
    )
    if not group.open:
        return
    with group:
        found = controls.limit_controls(name, whole=not shipped)
        on: Any = keys.MISSING if shipped else controls.whole_limit(name)
        off: Any = False if shipped else keys.MISSING
        _toggle("This limit is there", key, there, on, off)
        if there:
            _draw(found, mistakes)
        _left(mistakes, key)


def _toggle(label: str, key: str, there: bool, on: Any, off: Any) -> None:
    widget = f"t:{key}"
    st.session_state[widget] = there
    st.toggle(label, value=there, key=widget, on_change=state.switch, args=(key, on, off, widget))


def _network(mistakes: Mistakes) -> None:
    _draw(controls.NETWORK, mistakes)
    _left(mistakes, "network")


def _faults(mistakes: Mistakes) -> None:
    _draw([controls.DROP, controls.OUTAGES], mistakes)
    for key, (words, table, group) in controls.FAULTS.items():
        there = keys.get(state.tables(), key) is not keys.MISSING
        _toggle(words, key, there, table, keys.MISSING)
        if there:
            _draw(group, mistakes)
    _left(mistakes, "faults")


def _run(mistakes: Mistakes) -> None:
    _draw(controls.RUN, mistakes)


def _draw(group: Sequence[Control], mistakes: Mistakes) -> None:
    for control in group:
        with st.container(
            gap="xsmall"
        ):  # a place of its own, so that a mistake moves nothing but itself
            draw(control)
            for key, texts in mistakes.items():
                if key == control.key or (
                    key.startswith(f"{control.key}.") and control.kind in ("text", "list")
                ):
                    for text in texts:
                        _wrong(text)


def draw(control: Control) -> None:
    """One control as the widget that fits it."""
    key = state.widget(control)
    value = setting.shown(state.tables(), control)
    common: dict[str, Any] = {
        "key": key,
        "help": control.help or None,
        "on_change": state.on_change,
        "args": (control, key),
    }
    # Each begins with its value, though the session has it too: a browser that misses the one
    # drawing in which the session says so, as it may when the page is drawn anew at once, would
    # take the widget's own beginning for what a person wants.
    if control.kind == "choice":
        labels = dict(control.choices)
        st.selectbox(
            control.label,
            control.values,
            index=control.values.index(value),
            format_func=lambda value: labels.get(value, str(value)),
            **common,
        )
    elif control.kind == "whole":
        st.number_input(control.label, value=value, step=int(control.step), **common)
    elif control.kind == "number":
        st.number_input(control.label, value=value, step=float(control.step), format="%g", **common)
    elif control.kind == "switch":
        st.toggle(control.label, value=value, **common)
    else:
        st.text_input(control.label, value=value, **common)


def _left(mistakes: Mistakes, name: str) -> None:
    """What is wrong with a group as a whole, and with keys in it that have no control."""
    for key in (name, f"[{name}]"):
        for text in mistakes.get(key, []):
            _wrong(text)


def _wrong(text: str) -> None:
    st.markdown(f":red[:material/error: {plain(text)}]")


CLOSED = (
    ("Relay's policy", "policy", _policy),
    ("Network", "network", _network),
    ("Faults", "faults", _faults),
    ("Seed and end", "run", _run),
)
"""The groups that begin closed: title, name, and what draws them."""
