"""What one session has chosen: its setting, read from the page's address at the start and written
to it ever after.

The tables in the session are the one truth; a control shows what they say and its callback changes
them. Knows nothing of results.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from ..scenario import keys
from ..scenario.keys import Tables
from ..scenario.schema import TABLES
from ..strategies.catalogue import SHIPPED
from . import setting
from .controls import KINDS, WORKLOADS, Control

AGAINST = "against"
"""The query parameter that holds a setting to compare with; it may come several times."""

MOST_AGAINST = 4


def first_setting() -> Tables:
    """What a person sees who has chosen nothing: a pooled sender as its library makes it, which
    keeps its connections too long.
    """
    if "nodemailer" in SHIPPED:
        sender: Tables = {"strategy": "nodemailer", "options": {"pool": True}}
    else:
        sender = {"strategy": "batches", "workers": 4, "options": {"size": 8}}
    return {"workload": {"kind": "batch", "messages": 1000}, "sender": sender}


def tables() -> Tables:
    """This session's setting."""
    state = st.session_state
    if "setting" not in state:
        said = {
            key: text
            for key, text in st.query_params.to_dict().items()
            if key.partition(".")[0] in TABLES
        }
        found, wrong = setting.from_address(said)
        state["setting"] = {**first_setting(), **found}
        state["unread"] = wrong
        state["against"] = [
            _from_text(text) for text in st.query_params.get_all(AGAINST)[:MOST_AGAINST]
        ]
    return cast(Tables, state["setting"])


def choose(chosen: Mapping[str, Any]) -> None:
    """Another setting as a whole."""
    st.session_state["setting"] = dict(chosen)
    st.session_state["unread"] = []


def against() -> list[Tables]:
    """The settings to compare with, in the order in which they were kept."""
    tables()
    return cast(list[Tables], st.session_state["against"])


def keep(chosen: Mapping[str, Any]) -> None:
    """One more setting to compare with; the oldest goes when there are too many."""
    kept = [one for one in against() if one != chosen]
    st.session_state["against"] = [*kept, dict(chosen)][-MOST_AGAINST:]


def drop(place: int) -> None:
    """One less."""
    st.session_state["against"] = [one for index, one in enumerate(against()) if index != place]


def address() -> None:
    """Writes the whole setting into the page's address, where it differs from what stands there."""
    said: dict[str, Any] = dict(setting.to_address(tables()))
    kept = [urlencode(setting.to_address(one)) for one in against()]
    if kept:
        said[AGAINST] = kept
    now: dict[str, Any] = {key: st.query_params.get_all(key) for key in st.query_params}
    if now != {key: value if isinstance(value, list) else [value] for key, value in said.items()}:
        st.query_params.from_dict(said)


def _from_text(text: str) -> Tables:
    found, _ = setting.from_address(dict(parse_qsl(text)))
    return found


def widget(control: Control, area: str = "c") -> str:
    """The key of the control's widget, whose value is what the setting says."""
    key = f"{area}:{control.key}"
    want = setting.shown(tables(), control)
    if key not in st.session_state or st.session_state[key] != want:
        st.session_state[key] = want
    return key


def on_change(control: Control, key: str) -> None:
    """A person has moved a control."""
    value = st.session_state[key]
    found = setting.changed(tables(), control, value)
    if control.key == "sender.strategy":
        found = keys.put(found, "sender.options", keys.MISSING)
    if control.key == KINDS.key:
        found["workload"] = {
            "kind": value,
            **{each.key.partition(".")[2]: each.default for each in WORKLOADS[value]},
        }
    st.session_state["setting"] = found


def switch(key: str, on: Any, off: Any, widget_key: str) -> None:
    """A person has switched something on or off: the setting says ``on`` or ``off`` there, MISSING
    for nothing at all.
    """
    st.session_state["setting"] = keys.put(
        tables(), key, on if st.session_state[widget_key] else off
    )
