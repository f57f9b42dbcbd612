"""A scenario's tables as TOML text that the loader reads back to the same. Knows TOML's spelling,
nothing of what it says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def toml_text(tables: Mapping[str, Any]) -> str:
    """Plain keys first, then a ``[table]`` for each mapping; what is deeper stands inline. None is
    left out.
    """
    plain = {
        key: value
        for key, value in tables.items()
        if not isinstance(value, Mapping) and value is not None
    }
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for key, table in tables.items():
        if isinstance(table, Mapping) and table:
            lines += ["", f"[{_key(key)}]"]
            lines += [
                f"{_key(name)} = {_value(value)}"
                for name, value in table.items()
                if value is not None
            ]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return (
        name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _text(name)
    )


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return (
            "{ "
            + ", ".join(
                f"{_key(key)} = {_value(one)}" for key, one in value.items() if one is not None
            )
            + " }"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return _text(str(value))
