"""A setting: the tables of a scenario, how they stand in the page's address, and one key in them.
Plain tables in, plain tables out.

The address says what `relaysim try` says on the command line: one dotted key for each value,
``sender.strategy=batches``. Knows nothing of Streamlit.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from ..errors import ScenarioError
from ..scenario import Scenario, build
from ..scenario.loader import lay_on, toml_value
from ..scenario.text import value_text
from ..text import one_line
from . import guard

Tables = dict[str, Any]

PLACE = "this setting"
MISSING = object()
LONGEST_ADDRESS = 8_000
"""Characters; browsers and proxies cut longer ones."""


def scenario_of(tables: Mapping[str, Any], place: str = PLACE) -> Scenario:
    """The scenario, built where no path means anything. ScenarioError with every mistake."""
    refused = guard.mistakes(tables, place)
    name = str(tables.get("title") or "setting")
    if not refused:
        return build(tables, place, name, Path())
    try:
        build(
            guard.harmless(tables, refused), place, name, Path()
        )  # for what else is wrong with it
    except ScenarioError as error:
        refused += [
            ScenarioError(one.place, one.key, one.problem) for one in (error, *error.others)
        ]
    raise ScenarioError.joined(refused)


def get(tables: Mapping[str, Any], key: str) -> Any:
    """The value at the dotted ``key``, MISSING where it is not said. A limit's bare number is its
    count.
    """
    found: Any = tables
    for part in key.split("."):
        if isinstance(found, int) and not isinstance(found, bool) and part == "count":
            return found
        if not isinstance(found, Mapping) or part not in found:
            return MISSING
        found = found[part]
    return found


def put(tables: Mapping[str, Any], key: str, value: Any) -> Tables:
    """The tables with ``value`` at the dotted ``key``; MISSING takes it away, and a table that is
    empty then too.
    """
    whole = deepcopy(dict(tables))
    _put(whole, key.split("."), value)
    return whole


def _put(table: dict[str, Any], parts: list[str], value: Any) -> None:
    first, *rest = parts
    if not rest:
        if value is MISSING:
            table.pop(first, None)
        else:
            table[first] = value
        return
    below = table.get(first)
    if not isinstance(below, dict):
        below = {"count": below} if isinstance(below, int) and not isinstance(below, bool) else {}
        if value is MISSING and not below:
            return
    _put(below, rest, value)
    if below:
        table[first] = below
    else:
        table.pop(first, None)


def leaves(tables: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its dotted key. A list is one value."""
    for key, value in tables.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        elif not isinstance(value, Mapping):
            yield f"{prefix}{key}", value


def to_address(tables: Mapping[str, Any]) -> dict[str, str]:
    """The setting as query parameters."""
    return {key: _written(value) for key, value in leaves(tables)}


def _written(value: Any) -> str:
    """As short as can be: a string needs its quotes only where it would be read as something else."""
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
            lay_on(tables, f"{key}={text}")
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
    """The tables of a scenario's text; ScenarioError if it is no TOML."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ScenarioError(
            "the scenario", "", "is not valid TOML: its values are nested too deeply"
        ) from None
    except ValueError as error:
        raise ScenarioError(
            "the scenario", "", f"is not valid TOML: {one_line(str(error))}"
        ) from None
