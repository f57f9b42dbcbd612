"""A setting, that is the tables of a scenario: to and from the page's address, the scenario that it
makes, and the command that repeats its run.

The address is what `relaysim try` takes on the command line: a dotted key for each value, such as
``sender.strategy=batches``.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ScenarioError
from ..scenario import Scenario, build
from ..scenario.keys import MISSING, Tables, get, leaves, put
from ..scenario.overrides import with_override
from ..scenario.toml import toml_value, value_text
from ..schema_base import not_toml
from . import input_limits
from .controls import Control

PLACE = "this setting"
LONGEST_ADDRESS = 8_000
"""Characters; browsers and proxies cut longer ones."""


def scenario_of(tables: Mapping[str, Any], place: str = PLACE) -> Scenario:
    """The scenario of a setting, which may name no file. ScenarioError with every mistake."""
    refused = input_limits.mistakes(tables, place)
    name = str(tables.get("title") or "setting")
    if not refused:
        return build(tables, place, name, Path())
    try:
        # Only to find the other mistakes, so that all of them are shown at once.
        build(input_limits.harmless(tables, refused), place, name, Path())
    except ScenarioError as error:
        refused += [
            ScenarioError(one.place, one.key, one.problem) for one in (error, *error.others)
        ]
    raise ScenarioError.joined(refused)


def to_address(tables: Mapping[str, Any]) -> dict[str, str]:
    """The setting as query parameters."""
    return {key: _written(value) for key, value in leaves(tables)}


def _written(value: Any) -> str:
    """A value in the shortest form: a string has quotes only where it would be read as
    another type.
    """
    if (
        isinstance(value, str)
        and value == value.strip()
        and "\n" not in value
        and toml_value(value) == value
    ):
        return value
    return value_text(value)


def from_address(said: Mapping[str, str]) -> tuple[Tables, list[str]]:
    """The tables, and a sentence for each parameter that could not be read."""
    tables: Tables = {}
    wrong = []
    for key, text in said.items():
        try:
            if len(text) > LONGEST_ADDRESS:
                raise ScenarioError(PLACE, key, "is too long for an address")
            tables = with_override(tables, f"{key}={text}")
        except (ScenarioError, ValueError) as error:
            wrong.append(str(error))
    return tables, wrong


def command_of(tables: Mapping[str, Any]) -> str:
    """The command line that repeats a run of this setting."""
    said = to_address(
        {key: value for key, value in tables.items() if key not in ("title", "about", "expect")}
    )
    strategy = said.pop("sender.strategy", "")
    whole = [
        part
        for key in ("seed", "until")
        if key in said
        for part in ("--set", f"{key}={said.pop(key)}")
    ]
    return shlex.join(
        ["relaysim", "try", strategy, *(f"{key}={text}" for key, text in said.items()), *whole]
    )


def from_text(text: str) -> Tables:
    """The tables of a scenario's text; ScenarioError if it is not TOML."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ScenarioError("the scenario", "", not_toml(error)) from None


OUTAGES = "faults.relay_down"
_SAFE = 2**53 - 1
"""The largest whole number that a browser holds exactly."""


def shown(tables: Mapping[str, Any], control: Control) -> Any:
    """The value that the control shows for these tables."""
    value = get(tables, control.key)
    if value is MISSING:
        value = control.default
    if control.key == OUTAGES:
        return _outages_text(value)
    if control.kind == "list":
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if control.kind == "whole":
        return value if _is_whole(value) else control.default
    if control.kind == "number":
        is_safe = isinstance(value, int | float) and abs(value) <= _SAFE
        return float(value if is_safe else control.default)
    if control.kind == "switch":
        return value is True
    if control.kind == "choice":
        return value if value in control.values else control.default
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _SAFE


def changed(tables: Mapping[str, Any], control: Control, value: Any) -> Tables:
    """The tables after the control was set to ``value``. A default is left out, unless the key is
    required.
    """
    new = _value_of(control, value)
    is_empty = new is None or (new == "" and control.kind == "choice")
    if not control.required and (is_empty or new == control.default):
        new = MISSING
    return put(tables, control.key, new)


def _value_of(control: Control, value: Any) -> Any:
    """The value for the tables of the value that a widget has."""
    if value is None:
        return control.default if control.required else None
    if control.key == OUTAGES:
        return _outages(str(value)) if str(value).strip() else None
    text = value.strip() if isinstance(value, str) else value
    if control.kind == "list":
        return [_number(each.strip()) for each in str(text).split(",") if each.strip()]
    if control.kind == "duration":
        return _number(text) if text or control.required else None
    return text


def _number(text: str) -> Any:
    """A text of digits as a number; any other text unchanged."""
    value = toml_value(text) if re.fullmatch(r"-?[\d.]+", text) else text
    return value if isinstance(value, int | float | str) else text


def _outages(text: str) -> Any:
    found = []
    for part in text.split(","):
        at, plus, length = part.strip().partition("+")
        found.append({"at": at.strip(), "for": length.strip()} if plus else {"at": at.strip()})
    return found


def _outages_text(value: Any) -> str:
    if not isinstance(value, list):
        return ""
    return ", ".join(
        f"{each.get('at', '')}+{each.get('for', '')}" for each in value if isinstance(each, Mapping)
    )
