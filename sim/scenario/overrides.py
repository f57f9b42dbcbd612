"""Overrides as ``--set`` gives them, ``dotted.key=value``: how the key is cut up, and which
override a mistake is of.

Knows text and keys; nothing of what may stand in a scenario, nor how a value is laid on it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Sequence
from typing import Any

from ..errors import ScenarioError
from ..text import one_line


def segments(key: str) -> list[str]:
    """``["sender", "options", "mail.smtp.timeout"]`` of ``sender.options."mail.smtp.timeout"``, as
    TOML reads a key.

    What is no key to TOML is cut at its dots.
    """
    plain = [part.strip() for part in key.split(".")]
    try:
        table: Any = tomllib.loads(f"{key} = 0")
    except (ValueError, RecursionError):
        return plain
    parts = []
    while isinstance(table, dict):
        if len(table) != 1:  # a comment, or several lines
            return plain
        ((part, table),) = table.items()
        parts.append(part)
    return parts


def blamed(
    error: ScenarioError, overrides: Sequence[str], own: Collection[ScenarioError], place: str
) -> ScenarioError:
    """``error`` with ``--set KEY=VALUE`` in front of ``place``, the file, in each mistake that is
    an override's.

    ``own`` are the mistakes that the file has without any override.
    """
    known = {(one.key, one.problem) for one in own}
    alone = [
        ScenarioError(one.place, one.key, one.problem) for one in error.each()
    ]  # the first carries all the others along
    return ScenarioError.joined([_blamed(one, overrides, known, place) for one in alone])


def _blamed(
    one: ScenarioError, overrides: Sequence[str], known: set[tuple[str, str]], place: str
) -> ScenarioError:
    if one.place != place:
        return one
    at = (
        one.key.split(".") if not one.key.endswith("]") else [one.key[1:-1]]
    )  # a table that is missing stands in brackets
    cut = [
        (override, one_line(".".join(segments(override.partition("=")[0]))).split("."))
        for override in overrides
    ]
    guilty = [override for override, key in cut if key == at[: len(key)]]
    if not guilty and (one.key, one.problem) not in known:
        # Not of the value itself: something around it does not go with it, such as the keys of
        # another kind of workload.
        guilty = [override for override, key in cut if at == key[: len(at)]] or [
            each for each, key in cut if key[0] == at[0]
        ]
        guilty = guilty or list(overrides)
    if not guilty:
        return one
    return ScenarioError(
        f"{' '.join(f'--set {one_line(each)}' for each in guilty)} (on {place})",
        one.key,
        one.problem,
    )
