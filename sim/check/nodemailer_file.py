"""Where in a JSON file the options of a Nodemailer transport are. Knows which keys tell, not what
they mean.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ..errors import ScenarioError
from .found import Setting
from .lines_of_json import parsed

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
"""Keys of which one at least is there in a transport's options."""

URL = re.compile(r"smtps?://", re.IGNORECASE)

DEEPEST = 8
MOST_IN_A_ROW = 100
"""Keys under keys, and members of an array, that are looked into."""


class Found(NamedTuple):
    """An object that may be a transport's options: where it is, in words and as a path of keys."""

    said: str
    path: tuple[str, ...]
    table: dict[str, Any]


def read(text: str, place: str) -> dict[str, Setting]:
    """The options, wherever in the file they are; ScenarioError if they are nowhere, or in two
    places.
    """
    value, lines = parsed(text, place)
    tables = [each for each in _tables(value, "", ()) if TELLING & set(each.table)]
    if not tables:
        raise ScenarioError(
            place,
            "",
            f"has no options of Nodemailer in it; allowed: an object with {', '.join(sorted(TELLING))}",
        )
    shortest = [each for each in tables if len(each.path) == min(len(one.path) for one in tables)]
    if len(shortest) > 1:
        said = " and ".join(each.said for each in shortest[:2])
        raise ScenarioError(
            place,
            "",
            f"has the options of several transports, {said}; write one of them to a file of its own",
        )
    (_, path, table), above = shortest[0], lines.get(shortest[0].path, 1)
    return {key: Setting(each, lines.get((*path, key), above)) for key, each in table.items()}


def _tables(value: object, said: str, path: tuple[str, ...]) -> list[Found]:
    """Every object, but not what is inside a transport's own auth or tls; an smtp:// URL is the
    options in it.
    """
    if isinstance(value, str) and URL.match(value):
        return [Found(said, path, {"url": value})]
    if len(path) >= DEEPEST:
        return []
    if isinstance(value, list):
        return [
            each
            for number, inner in enumerate(value[:MOST_IN_A_ROW])
            for each in _tables(inner, f"{said}[{number}]", path)
        ]
    if not isinstance(value, dict):
        return []
    found = [Found(said, path, value)]
    for key, inner in value.items():
        if key not in ("auth", "tls", "dkim"):
            found += _tables(inner, f"{said}.{key}" if said else key, (*path, key))
    return found
