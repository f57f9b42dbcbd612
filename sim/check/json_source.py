"""Nodemailer's options in a JSON file, with the line of each key. Main entry point:
:func:`read`.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from ..errors import ScenarioError
from .found import Setting

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.DOTALL)

TELLING = {
    "host",
    "service",
    "url",
    "pool",
    "port",
    "auth",
    "maxMessages",
    "maxConnections",
    "rateLimit",
}
"""The options of a transport have at least one of these keys."""

NOT_TRANSPORTS = ("auth", "tls", "dkim")
"""Objects inside a transport's options that have keys of the same names."""

URL = re.compile(r"smtps?://", re.IGNORECASE)

DEEPEST = 8
MOST_IN_A_ROW = 100
"""How deep the search goes, and how many members of an array it reads."""

Path = tuple[str, ...]


class Found(NamedTuple):
    """An object that may be a transport's options. ``label`` and ``path`` are its place in the
    file, in words and as keys.
    """

    label: str
    path: Path
    table: dict[str, Any]


def read(text: str, place: str) -> dict[str, Setting]:
    """The options of the file's transport, at any depth. ScenarioError if the file has none, or
    several.
    """
    value, lines = parsed(text, place)
    tables = [each for each in _tables(value, "", ()) if TELLING & set(each.table)]
    if not tables:
        allowed = ", ".join(sorted(TELLING))
        raise ScenarioError(
            place, "", f"has no options of Nodemailer in it; allowed: an object with {allowed}"
        )
    depth = min(len(each.path) for each in tables)
    shortest = [each for each in tables if len(each.path) == depth]
    if len(shortest) > 1:
        labels = " and ".join(each.label for each in shortest[:2])
        raise ScenarioError(
            place,
            "",
            f"has the options of several transports, {labels}; "
            "write one of them to a file of its own",
        )
    _, path, table = shortest[0]
    above = lines.get(path, 1)
    return {key: Setting(each, lines.get((*path, key), above)) for key, each in table.items()}


def _tables(value: object, label: str, path: Path) -> list[Found]:
    """Every object except a transport's own auth, tls and dkim. An smtp:// URL counts as an object
    with this URL.
    """
    if isinstance(value, str) and URL.match(value):
        return [Found(label, path, {"url": value})]
    if len(path) >= DEEPEST:
        return []
    if isinstance(value, list):
        return [
            each
            for number, inner in enumerate(value[:MOST_IN_A_ROW])
            for each in _tables(inner, f"{label}[{number}]", path)
        ]
    if not isinstance(value, dict):
        return []
    found = [Found(label, path, value)]
    for key, inner in value.items():
        if key not in NOT_TRANSPORTS:
            found += _tables(inner, f"{label}.{key}" if label else key, (*path, key))
    return found


def parsed(text: str, place: str) -> tuple[Any, dict[Path, int]]:
    """The value, and the line of each key by its path. Of two equal keys the later one counts, as
    in JSON.parse. ScenarioError for invalid JSON.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        problem = (
            f"is not valid JSON: {error.msg} at column {error.colno}{_remedy(text, error.pos)}"
        )
        raise ScenarioError(f"{place}:{error.lineno}", "", problem) from None
    except RecursionError:
        raise ScenarioError(
            place, "", "is not valid JSON: its values are nested too deeply"
        ) from None
    except ValueError as error:
        raise ScenarioError(place, "", f"is not valid JSON: {error}") from None
    return value, _lines(text)


def _remedy(text: str, at: int) -> str:
    """What to change at ``at`` in a JavaScript object or in JSON with comments."""
    rest = text[at : at + 1000]
    before = text[:at].rstrip()[-1:]
    if rest.startswith(("//", "/*", "#")):
        return "; JSON has no comments, take them out"
    closes_after_comma = rest[:1] in ("}", "]") and before == ","
    if closes_after_comma or (rest[:1] == "," and rest[1:].lstrip()[:1] in ("}", "]")):
        return "; take out the comma in front of the bracket"
    if rest[:1] in ("'", "`"):
        return "; write double quotes"
    if rest[:1].isalpha() or rest[:1] in ("_", "$"):
        return "; write names and texts in double quotes"
    return ""


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no value of JSON")


def _lines(text: str) -> dict[Path, int]:
    """The line of each key of valid JSON, from its tokens."""
    found: dict[Path, int] = {}
    path: list[str | None] = []  # the key of each open bracket; None in an array
    key: str | None = None
    last: re.Match[str] | None = None
    line = 1
    at = 0
    for token in TOKEN.finditer(text):
        mark = token[0]
        if mark == ":" and last is not None:
            key = json.loads(last[0])
            line += text.count("\n", at, last.start())
            at = last.start()
            found[(*[each for each in path[1:] if each is not None], key)] = line
        elif mark in "{[":
            path.append(key)
            key = None
        elif mark in "}]":
            path.pop()
        elif mark == ",":
            key = None
        last = token
    return found
