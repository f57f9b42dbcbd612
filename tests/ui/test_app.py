"""The page without a browser: a legal value of any control reaches the scenario, and no value of
any control shows an exception.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sim.errors import ScenarioError
from sim.relay.kinds import KINDS
from sim.scenario import Scenario
from sim.strategies.catalogue import SHIPPED
from sim.ui import controls, runs, setting
from sim.ui.controls import Control

APP = str(Path(__file__).parents[2] / "app.py")

SMALL = {
    "workload.kind": "batch",
    "workload.messages": "20",
    "sender.strategy": "paced",
    "until": "60s",
}

GROUPS = [
    "policy",
    "network",
    "faults",
    "run",
    *(f"policy.{name}" for name in KINDS),
]


@pytest.fixture(autouse=True)
def _ended() -> Iterator[None]:
    """No child outlives its test."""
    yield
    runs.pool().end()
    runs.plan_pool().end()
    st.cache_resource.clear()


def opened(said: dict[str, str] | None = None, *, groups: bool = False) -> AppTest:
    """The page with a setting in its address, when its run is done; with every group of controls
    open if asked.
    """
    app = AppTest.from_file(APP, default_timeout=600)
    for key, text in (said or {}).items():
        app.query_params[key] = text
    for name in GROUPS if groups else ():
        app.session_state[f"group:{name}"] = True
    return settled(app.run())


def settled(app: AppTest) -> AppTest:
    """The page when its run is done, however long that takes on this machine."""
    for _ in range(2000):
        if app.metric or app.exception or app.error or app.warning or app.info:
            return app
        app.run()
    raise AssertionError("the run is still under way")


def test_the_first_screen_says_what_goes_wrong_without_being_asked():
    app = opened()
    assert not app.exception
    assert "421" in app.error[0].value
    assert [metric.label for metric in app.metric] == [
        "Accepted a minute",
        "Incidents",
        "Lost",
        "99% within",
        "Time to drain",
    ]


@pytest.mark.parametrize("name", ["explain", "compare", "plan", "scenarios"])
@pytest.mark.parametrize(
    "said",
    [{}, {**SMALL, "sender.strategy": "one-connection"}, {"sender.strategy": "evil.py:run"}],
    ids=str,
)
def test_every_page_shows_every_setting_without_an_exception(name, said):
    script = f"""
        import streamlit as st
        from sim.ui import {name}, navigation
        navigation.know({{"explore": st.Page({name}.page, url_path="explore")}})
        st.navigation([st.Page({name}.page)]).run()
    """
    app = AppTest.from_string(textwrap.dedent(script), default_timeout=600)
    for key, text in said.items():
        app.query_params[key] = text
    for _ in range(20):
        app.run()
        assert not app.exception


def extremes(control: Control) -> list[Any]:
    """Values of a control at and beyond its ends."""
    ends: dict[str, list[Any]] = {
        "whole": [0, 1, -1, 2**53 - 1],
        "number": [0.0, 1.0, -1.0, 1e300],
        "duration": ["0s", "", "400d", "401d", "-1s", "1 hr", "é" * 100],
        "rate": ["1000000/s", "1/d", "0/s", "many", ""],
        "switch": [True, False],
        "text": ["", "x" * 5_000, "30s+10s, 5m+1m", "[link](http://x)", "+"],
        "list": ["", "1", ", ".join(["100000000"] * 24), ", ".join(["0"] * 24), "a, b"],
        "choice": control.values,
    }
    return ends[control.kind]


def moved(app: AppTest, control: Control, value: Any) -> None:
    """Moves a control and looks for an exception on the page."""
    elements = {
        "choice": app.selectbox,
        "whole": app.number_input,
        "number": app.number_input,
        "switch": app.toggle,
    }.get(control.kind, app.text_input)
    element = elements(key=f"c:{control.key}")
    element.set_value(value)
    settled(app.run())
    assert not app.exception, (control.key, value, [one.value for one in app.exception])


def everything(kind: str) -> list[Control]:
    found = [
        *controls.SENDER,
        *controls.WORKLOADS[kind],
        *controls.NETWORK,
        *controls.RUN,
        controls.DROP,
        controls.OUTAGES,
    ]
    found += [control for _, _, group in controls.FAULTS.values() for control in group]
    found += [controls.policies_choice(), controls.window()]
    return found + [control for name in KINDS for control in controls.limit_controls(name)]


FAULTY = {
    **SMALL,
    "faults.wrong_password.from": "5s",
    "faults.wrong_password.until": "6s",
    "faults.slow.at": "1s",
    "faults.slow.for": "1s",
    "faults.slow.factor": "2.0",
}


@pytest.mark.parametrize("part", range(4))
def test_no_control_brings_an_exception_to_the_page(part):
    app = opened(FAULTY, groups=True)
    for control in everything("batch")[part::4]:
        before = dict(app.session_state["setting"])
        for value in extremes(control):
            moved(app, control, value)
        app.session_state["setting"] = before
        settled(app.run())
        assert not app.error, control.key


@pytest.mark.parametrize("kind", [kind for kind in controls.WORKLOADS if kind != "batch"])
def test_no_control_of_a_workload_does(kind):
    app = opened(SMALL)
    moved(app, controls.KINDS, kind)
    for control in controls.WORKLOADS[kind]:
        before = dict(app.session_state["setting"])
        for value in extremes(control):
            moved(app, control, value)
        app.session_state["setting"] = before
        settled(app.run())


OPTION_VALUES: dict[str, list[Any]] = {
    "whole": [0, 1, -1, 10_000],
    "duration": ["0s", "1 hr", "-1s", "400d"],
}
"""Of a library's options; some start as many tasks as they are told."""


@pytest.mark.parametrize("name", list(SHIPPED))
def test_no_option_of_a_strategy_does(name):
    app = opened({**SMALL, "sender.strategy": name})
    assert not app.exception
    for control in controls.options_of(name):
        before = dict(app.session_state["setting"])
        for value in OPTION_VALUES.get(control.kind, extremes(control)):
            moved(app, control, value)
        app.session_state["setting"] = before


CANDIDATES: dict[str, list[Any]] = {
    "whole": [200, 451, 6],
    "number": [0.5, 2.0],
    "duration": ["2s", "1s", "20m"],
    "rate": ["200/min"],
    "text": ["plain", "PLAIN", "0.5", "1s+1s"],
    "list": [", ".join(["600"] * 24)],
}
"""Values to try by the kind of a control; a switch and a choice have values of their own."""

WRITTEN: dict[str, Any] = {
    "1s+1s": [{"at": "1s", "for": "1s"}],
    ", ".join(["600"] * 24): [600] * 24,
}
"""What a scenario file holds for a text that is not the value itself."""

UNLIMITED = {**SMALL, "policy.use": "unlimited"}


def scenario_with(app: AppTest, key: list[str], value: Any) -> Scenario | None:
    """The scenario of the page's setting with ``value`` written straight into its tables, without
    any code of the page; None where that is not legal.
    """
    tables = deepcopy(dict(app.session_state["setting"]))
    table = tables
    for part in key[:-1]:
        table = table.setdefault(part, {})
    table[key[-1]] = value
    try:
        return setting.scenario_of(tables)
    except ScenarioError:
        return None


def path_of(control: Control) -> list[str]:
    """The tables and the key of a control; the name of an option may contain dots."""
    options = "sender.options."
    if control.key.startswith(options):
        return ["sender", "options", control.key.removeprefix(options)]
    return control.key.split(".")


def legal(app: AppTest, control: Control) -> tuple[Any, Scenario]:
    """A legal value of the control that it does not show now, and the scenario that must follow."""
    own = {"switch": [True, False], "choice": control.values}
    now = setting.scenario_of(app.session_state["setting"])
    for value in own.get(control.kind, CANDIDATES.get(control.kind, [])):
        if value == control.default:
            continue
        found = scenario_with(app, path_of(control), WRITTEN.get(value, value))
        if found is not None and found != now:
            return value, found
    raise AssertionError(f"no legal value is known for {control.key}")


def reaches(app: AppTest, control: Control) -> None:
    """A legal value of the control reaches the scenario, and the page shows no error."""
    before = dict(app.session_state["setting"])
    value, wanted = legal(app, control)
    moved(app, control, value)
    assert [one.value for one in app.error] == [], (control.key, value)
    assert setting.scenario_of(app.session_state["setting"]) == wanted, (control.key, value)
    app.session_state["setting"] = before


@pytest.mark.parametrize("name", list(SHIPPED))
def test_a_legal_value_of_every_option_reaches_the_scenario(name):
    app = opened({**UNLIMITED, "sender.strategy": name})
    for control in controls.options_of(name):
        reaches(app, control)


@pytest.mark.parametrize("kind", list(controls.WORKLOADS))
def test_a_legal_value_of_every_control_of_a_workload_reaches_the_scenario(kind):
    app = opened(UNLIMITED)
    if kind != "batch":
        moved(app, controls.KINDS, kind)
    for control in controls.WORKLOADS[kind]:
        reaches(app, control)


def test_a_legal_value_of_every_other_control_reaches_the_scenario():
    app = opened({**FAULTY, "sender.workers": "8"}, groups=True)
    for control in everything("batch"):
        can_change = len(control.choices) != 1  # some limits can be refused at one stage only
        if control not in controls.WORKLOADS["batch"] and can_change:
            reaches(app, control)


@pytest.mark.parametrize(
    "said",
    [
        {"sender.strategy": "evil.py:run"},
        {"workload.messages": "many", "workload.kind": "batch", "sender.strategy": "paced"},
        {"workload.kind": "trace", "workload.file": "../x.csv", "sender.strategy": "paced"},
        {"sender": "3"},
        {"sender.options": "[1]", "sender.strategy": "batches"},
        {"policy.use": "/etc/passwd"},
        {"policy": "7"},
        {"policy.window": "7", "sender.strategy": "paced"},
        {"faults.relay_down": "3", "faults.wrong_password": "true"},
        {"workload.kind": "daily", "workload.profile": "x"},
        {"network.client_time": "5", "until": "[]", "seed": "-1"},
        {"against": "sender.strategy=evil.py%3Arun", "expect.nothing": "== 1"},
        {"sender.workers": "1e999", "sender.usernames": "nan"},
        {"title": "![x](http://x)", "about": "# $x$", **SMALL},
    ],
    ids=str,
)
def test_no_address_brings_an_exception_to_the_page(said):
    app = opened(said, groups=True)
    assert not app.exception
    assert app.error or app.success or app.warning


def test_every_control_begins_with_the_value_of_the_setting():
    """A browser that missed the drawing in which the session sets a control's value must not say
    another for the person.
    """
    app = opened(
        {**FAULTY, "sender.workers": "3", "workload.messages": "77", "network.jitter": "0.25"},
        groups=True,
    )
    numbers = {one.key: one for one in app.number_input}
    texts = {one.key: one for one in app.text_input}
    assert numbers["c:sender.workers"].proto.default == 3
    assert texts["c:faults.wrong_password.from"].proto.default == "5s"
    assert len(numbers) > 10 < len(texts)
    assert [
        key for key, one in {**numbers, **texts}.items() if one.proto.default != one.value
    ] == []
    assert [one.key for one in app.toggle if one.proto.default != one.value] == []
    assert [
        one.key
        for one in app.selectbox
        if one.proto.options[one.proto.default] != one.format_func(one.value)
    ] == []
