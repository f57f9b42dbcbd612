"""Scenario tables as the text of a TOML file: what `loader` reads, the other way round.

The standard library reads TOML and does not write it. Knows nothing of what the tables mean, but
puts the keys above the tables and the tables in the order of a scenario file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .loader import TABLES

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(tables: Mapping[str, Any]) -> str:
    """The text of a scenario file with these tables; reading it gives them back. ValueError for
    what TOML cannot hold.
    """
    order = {key: place for place, key in enumerate(TABLES)}
    keys = sorted(tables, key=lambda key: order.get(key, len(order)))
    lines = list(_lines({key: tables[key] for key in keys}, ()))
    return "\n".join(lines).lstrip("\n") + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """The plain keys of a table and then its tables. Below the second level a table stands in its
    line.
    """
    deep = {
        key: value
        for key, value in table.items()
        if isinstance(value, Mapping) and value and len(path) < 2
    }
    if path and (len(deep) < len(table) or not table):
        yield ""
        yield f"[{'.'.join(_key(part) for part in path)}]"
    for key, value in table.items():
        if key not in deep:
            yield f"{_key(key)} = {value_text(value)}"
    for key, value in deep.items():
        yield from _lines(value, (*path, key))


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def value_text(value: object) -> str:
    """One TOML value in one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(str(key))} = {value_text(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(value_text(each) for each in value)}]"
    raise ValueError(f"{value!r} has no place in a TOML file")


def _float(value: float) -> str:
    text = repr(value)
    return text if any(sign in text for sign in ".ein") else f"{text}.0"


def _text(text: str) -> str:
    # A JSON string is a TOML basic string, but for the surrogate pairs that JSON writes and the one
    # control that it leaves.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
