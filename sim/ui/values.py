"""Converts the values of a setting to those of a control and back: durations are text, numbers are
numbers.

A text that cannot be converted stays as the user typed it: the loader reports the mistake, and the
page shows it next to the control.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..scenario.keys import MISSING, Tables, get, put
from ..scenario.toml import toml_value
from .controls import Control

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
