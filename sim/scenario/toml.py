"""Scenario tables as TOML: :func:`to_toml` writes a whole file, :func:`value_text` and
:func:`toml_value` write and read a single value.

The library tomli-w writes; the standard library only reads TOML.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import tomli_w

from .schema import TABLES


def to_toml(tables: Mapping[str, Any]) -> str:
    """The text of a scenario file with these tables, in the order of a scenario file.

    Reading it gives the tables back, without the keys whose value is None. Raises a ValueError for
    a value that TOML cannot hold.
    """
    order = {key: place for place, key in enumerate(TABLES)}
    keys = sorted(tables, key=lambda key: order.get(key, len(order)))
    return _dumps({key: _without_none(tables[key]) for key in keys if tables[key] is not None})


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(one) for key, one in value.items() if one is not None}
    return value


def value_text(value: object) -> str:
    """One TOML value on one line, for a link, a command or a table; tomli-w gives lists a line for
    each of their values.
    """
    if isinstance(value, Mapping):
        pairs = [f"{_key(str(key))} = {value_text(one)}" for key, one in value.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(value_text(one) for one in value)}]"
    return _dumps({"x": value}).removeprefix("x = ").removesuffix("\n")


def toml_value(text: str) -> Any:
    """The value of a TOML literal. Text that is none is a string itself: ``window=sliding``
    needs no quotes.
    """
    try:
        return tomllib.loads(f"value = {text}")["value"] if "\n" not in text else text
    except (ValueError, RecursionError):  # an integer of thousands of digits is a plain ValueError
        return text


def _key(key: str) -> str:
    return _dumps({key: 0}).removesuffix(" = 0\n")


def _dumps(tables: Mapping[str, Any]) -> str:
    try:
        return tomli_w.dumps(tables)
    except TypeError as error:
        raise ValueError(f"TOML cannot hold this: {error}") from None
