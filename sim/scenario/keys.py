"""Dotted keys of a scenario: :func:`parse` one, and :func:`get`, :func:`put` or :func:`remove` the
value at it.

Files, ``--set``, links, the dashboard and Explain all name a value by its dotted key, and this is
the only module that knows how one is divided: an option's name may itself contain dots, as in
``sender.options.mail.smtp.timeout``, and so may a metric's in ``expect``. No function changes the
tables that it receives.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..relay.policy_file import counted

Tables = dict[str, Any]

MISSING: Any = object()
"""Returned by :func:`get` where a key has no value; passed to :func:`put` it removes the key."""

_WITH_DOTS = (["sender", "options"], ["expect"])
"""The tables whose keys may contain dots, so that all that follows them is one key."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", re.ASCII)


def split(key: str) -> list[str]:
    """The parts of a dotted key as TOML reads it: ``a."b.c"`` is ``["a", "b.c"]``.

    A key that TOML does not accept is divided at each dot.
    """
    if _PLAIN.fullmatch(key):
        return key.split(".")
    parts = [part.strip() for part in key.split(".")]
    try:
        table: Any = tomllib.loads(f"{key} = 0")
    except (ValueError, RecursionError):
        return parts
    found = []
    while isinstance(table, dict):
        if len(table) != 1:  # the text was a comment, or had several lines
            return parts
        ((part, table),) = table.items()
        found.append(part)
    return found


def parse(key: str) -> list[str]:
    """The tables that lead to the value at ``key``, and its own key, which may contain dots.

    An option's name may be quoted or not: ``sender.options."a.b"`` and ``sender.options.a.b`` are
    both ``["sender", "options", "a.b"]``.
    """
    parts = split(key)
    for table in _WITH_DOTS:
        size = len(table)
        if parts[:size] == table and len(parts) > size:
            return [*table, ".".join(parts[size:])]
    return parts


def get(tables: Mapping[str, Any], key: str) -> Any:
    """The value at ``key``, or MISSING. A limit that is a bare number has a ``count``."""
    found = _found(tables, parse(key))
    # A metric may also be written as tables within tables: expect.latency_s.p99 without quotes.
    return _found(tables, split(key)) if found is MISSING else found


def _found(tables: Mapping[str, Any], parts: Sequence[str]) -> Any:
    found: Any = tables
    for part in parts:
        table = _table(found)
        if not isinstance(table, Mapping) or part not in table:
            return MISSING
        found = table[part]
    return found


def _table(value: Any) -> Any:
    # A float is never a count: it is in the way of a key as a string is.
    return counted(value) if isinstance(value, int) else value


def put(tables: Mapping[str, Any], key: str, value: Any) -> Tables:
    """The tables with ``value`` at ``key``; MISSING removes the key.

    A limit that is a bare number becomes a table with that ``count``, and any other value that is
    in the way of the key is replaced.
    """
    return remove(tables, key) if value is MISSING else _put(tables, parse(key), value)


def _put(table: Any, parts: Sequence[str], value: Any) -> Tables:
    below = _table(table)
    changed = dict(below) if isinstance(below, Mapping) else {}
    first, *rest = parts
    changed[first] = _put(changed.get(first), rest, value) if rest else value
    return changed


def remove(tables: Mapping[str, Any], key: str) -> Tables:
    """The tables without the value at ``key``, and without the tables that this leaves empty."""
    return _removed(tables, parse(key))


def _removed(table: Mapping[str, Any], parts: Sequence[str]) -> Tables:
    left = dict(table)
    first, *rest = parts
    below = _table(left.get(first))
    if not rest:
        left.pop(first, None)
    elif isinstance(below, Mapping):
        left[first] = _removed(below, rest)
        if not left[first]:
            del left[first]
    return left


def leaves(tables: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its dotted key. A list is one value, and an empty table is none."""
    for key, value in tables.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
