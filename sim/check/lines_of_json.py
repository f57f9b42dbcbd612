"""JSON with the line of each key. Knows nothing of what the keys mean."""

from __future__ import annotations

import json
import re
from typing import Any

from ..errors import ScenarioError

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.DOTALL)

Path = tuple[str, ...]


def parsed(text: str, place: str) -> tuple[Any, dict[Path, int]]:
    """The value, and the line of each key by its path; of two equal keys the later one, as
    JSON.parse takes it.
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
    """What to do where other notations end at ``at``: JavaScript's objects, JSON with comments."""
    rest = text[at : at + 1000]
    before = text[:at].rstrip()[-1:]
    if rest.startswith(("//", "/*", "#")):
        return "; JSON has no comments, take them out"
    if (rest[:1] in ("}", "]") and before == ",") or (
        rest[:1] == "," and rest[1:].lstrip()[:1] in ("}", "]")
    ):
        return "; take out the comma in front of the bracket"
    if rest[:1] in ("'", "`"):
        return "; write double quotes"
    return (
        "; write names and texts in double quotes"
        if rest[:1].isalpha() or rest[:1] in ("_", "$")
        else ""
    )


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no value of JSON")


def _lines(text: str) -> dict[Path, int]:
    """Walks the tokens of text that is known to be valid."""
    found: dict[Path, int] = {}
    path: list[str | None] = []  # the key under which each open bracket stands; None in an array
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
