"""A setting, that is the tables of a scenario: to and from the page's address, the scenario that it
makes, and the command that repeats its run.

The address is what `relaysim try` takes on the command line: a dotted key for each value, such as
``sender.strategy=batches``.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ScenarioError
from ..scenario import Scenario, build
from ..scenario.keys import Tables, leaves
from ..scenario.overrides import with_override
from ..scenario.toml import toml_value, value_text
from ..schema_base import not_toml
from . import guard

PLACE = "this setting"
LONGEST_ADDRESS = 8_000
"""Characters; browsers and proxies cut longer ones."""


def scenario_of(tables: Mapping[str, Any], place: str = PLACE) -> Scenario:
    """The scenario of a setting, which may name no file. ScenarioError with every mistake."""
    refused = guard.mistakes(tables, place)
    name = str(tables.get("title") or "setting")
    if not refused:
        return build(tables, place, name, Path())
    try:
        # Only to find the other mistakes, so that all of them are shown at once.
        build(guard.harmless(tables, refused), place, name, Path())
    except ScenarioError as error:
        refused += [
            ScenarioError(one.place, one.key, one.problem) for one in (error, *error.others)
        ]
    raise ScenarioError.joined(refused)


def to_address(tables: Mapping[str, Any]) -> dict[str, str]:
    """The setting as query parameters."""
    return {key: _written(value) for key, value in leaves(tables)}


def _written(value: Any) -> str:
    """A value in the shortest form: a string has quotes only where it would be read as another type."""
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
