"""The page Compare: two or more settings side by side on the same luck, with what differs
marked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ..errors import ScenarioError
from ..measure.result import Result
from ..report import compared, verdict
from ..scenario import keys
from ..scenario.keys import Tables
from ..scenario.toml import value_text
from ..strategies import catalogue
from . import controls, runs, setting, state
from .frame import Shown, finished, with_result
from .wording import plain

TONES = {
    "good": ":green[:material/check_circle:]",
    "fair": ":orange[:material/warning:]",
    "bad": ":red[:material/error:]",
}


def page() -> None:
    """The whole page."""
    with_result(show)


def show(shown: Shown) -> None:
    """The kept settings, and beside them the one at the side."""
    kept = state.against()
    own = len(kept)
    if not kept:
        kept = [_suggested(shown.tables)]
        st.markdown(
            "##### Keep a setting, change it, and both stand here side by side. Until you "
            "keep one, yours stands beside a suggestion."
        )
    seed = keys.get(shown.tables, "seed")
    tables = [keys.put(one, "seed", seed) for one in kept] + [shown.tables]
    results = _results(tables[:-1], shown.told.result)
    if results is None:
        return
    names = names_of(tables)
    st.caption(
        f"All of them with the same luck: seed {shown.told.result.seed}. The last is the "
        "setting at the side; move it and see."
    )
    for column, name, result, place in zip(
        st.columns(len(tables)), names, results, range(len(tables)), strict=True
    ):
        with column:
            _card(name, result, results[0], place, (own, len(kept)))
    spec = compared.compared(list(zip(names, results, strict=True)), dark=shown.dark)
    st.vega_lite_chart(spec, key="compared")
    st.markdown("**What differs**")
    st.dataframe(differences(tables, names), hide_index=True)


def _suggested(tables: Tables) -> Tables:
    """What to compare with where nothing was kept: a sender that spaces its logins, or one that
    does not.
    """
    sender = {key: value for key, value in tables.get("sender", {}).items() if key != "options"}
    return {
        **tables,
        "sender": {
            **sender,
            "strategy": "batches" if sender.get("strategy") == "paced" else "paced",
        },
    }


def _results(tables: Sequence[Tables], last: Result) -> list[Result] | None:
    """The results of the kept settings and the last; None while one is under way, or where one
    cannot run.
    """
    started = []
    for place, one in enumerate(tables):
        try:
            started.append(
                (place, runs.wanted(f"kept:{place}", setting.scenario_of(one), runs.key_of(one)))
            )
        except ScenarioError as error:
            st.error(
                f"The setting kept in place {place + 1} cannot run: {plain(str(error))}",
                icon=":material/edit:",
            )
            st.button("Take it away", key=f"away:{place}", on_click=state.drop, args=(place,))
            return None
    found: list[Result] = []
    for place, share in started:
        told = finished(share, f"kept:{place}")
        if told is None or isinstance(told, ScenarioError):
            return None
        found.append(told.result)
    return [*found, last]


def names_of(tables: Sequence[Mapping[str, Any]]) -> list[str]:
    """A letter, the library or strategy, and the first thing in which the setting differs from
    another.
    """
    kinds = []
    for one in tables:
        strategy = str(keys.get(one, "sender.strategy"))
        library = catalogue.shipped(strategy).library if strategy in catalogue.SHIPPED else None
        kinds.append(library or strategy)
    differing = (
        [key for key in _keys(tables) if key != "sender.strategy"] if len(set(kinds)) == 1 else []
    )
    first = differing[0] if differing else None
    return [
        f"{chr(ord('A') + place)}: {kind}"
        + (f", {keys.parse(first)[-1]} {_said(one, first)}" if first else "")
        for place, (kind, one) in enumerate(zip(kinds, tables, strict=True))
    ]


def _keys(tables: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every key that is not the same in all of them."""
    every = dict.fromkeys(key for one in tables for key, _ in keys.leaves(one))
    return [
        key
        for key in every
        if key not in ("title", "about")
        and any(keys.get(one, key) != keys.get(tables[0], key) for one in tables)
    ]


def _card(name: str, result: Result, first: Result, place: int, counts: tuple[int, int]) -> None:
    tone, sentence = verdict.sentence(result)
    with st.container(border=True, key=f"card:{place}"):
        st.markdown(f"##### {TONES[tone]} {plain(name)}")
        st.markdown(plain(sentence))
        lines = []
        for number, base in zip(verdict.numbers(result), verdict.numbers(first), strict=True):
            differs = place > 0 and number.value != base.value
            beside = f" :orange-badge[{plain(base.value)} in A]" if differs else ""
            lines.append(f"{number.label}: **{plain(number.value)}**{beside}")
        st.markdown("  \n".join(lines))
        own, kept = counts
        if place < own:
            with st.container(horizontal=True, gap="small"):
                st.button(
                    "Use",
                    key=f"use:{place}",
                    icon=":material/edit:",
                    on_click=_use,
                    args=(place,),
                    help="Takes it to the side, to change it.",
                )
                st.button(
                    "Drop", key=f"drop:{place}", type="tertiary", on_click=state.drop, args=(place,)
                )
        elif place == kept:
            st.button(
                "Keep",
                key="keep-last",
                icon=":material/bookmark_add:",
                on_click=state.keep,
                args=(state.tables(),),
            )


def _use(place: int) -> None:
    chosen = state.against()[place]
    state.drop(place)
    state.keep(state.tables())
    state.choose(chosen)


def differences(tables: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, str]]:
    """A row for each key that is not the same in all of them."""
    return [
        {"setting": key, **dict(zip(names, [_said(one, key) for one in tables], strict=True))}
        for key in _keys(tables)
    ]


def _said(tables: Mapping[str, Any], key: str) -> str:
    """The value that the key has, said or not; a dash for an option that the setting's library does
    not know.
    """
    value = keys.get(tables, key)
    if value is not keys.MISSING:
        return value if isinstance(value, str) else value_text(value)
    if key.startswith("workload."):
        return "-"
    name = str(keys.get(tables, "sender.strategy"))
    control = next((one for one in controls.all_controls([name]) if one.key == key), None)
    if control is None:
        return "-" if key.startswith("sender.options.") else "(default)"
    default = control.default
    if default in (None, ""):
        return "(default)"
    return default if isinstance(default, str) else value_text(default)
