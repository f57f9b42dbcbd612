"""Overrides as ``--set`` gives them, ``dotted.key=value``: :func:`with_override` sets one, and
:func:`blamed` finds the override that a mistake comes from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..errors import ScenarioError
from ..text import one_line, shown
from . import keys
from .toml import toml_value


def with_override(tables: Mapping[str, Any], override: str) -> keys.Tables:
    """The tables with ``dotted.key=value`` set; the value is TOML, or a string where it is not.

    Raises a ScenarioError for a text that is not of this form.
    """
    key, equals, text = override.partition("=")
    if not equals or not all(keys.split(key)):
        raise ScenarioError(
            "--set", "", f"{shown(override)} is not KEY=VALUE; write it like workload.messages=500"
        )
    return keys.put(tables, key, toml_value(text.strip()))


def blamed(
    error: ScenarioError, overrides: Sequence[str], own: Collection[ScenarioError], place: str
) -> ScenarioError:
    """``error`` with ``--set KEY=VALUE`` before ``place``, the file, in each mistake that an
    override makes.

    ``own`` are the mistakes that the file has without any override.
    """
    known = {(one.key, one.problem) for one in own}
    # Each mistake on its own: the first of a joined error carries all the others.
    single = [ScenarioError(one.place, one.key, one.problem) for one in error.each()]
    return ScenarioError.joined([_blamed(one, overrides, known, place) for one in single])


def _blamed(
    one: ScenarioError, overrides: Sequence[str], known: set[tuple[str, str]], place: str
) -> ScenarioError:
    if one.place != place:
        return one
    guilty = _guilty(one, overrides, known)
    if not guilty:
        return one
    settings = " ".join(f"--set {one_line(each)}" for each in guilty)
    return ScenarioError(f"{settings} (on {place})", one.key, one.problem)


def _guilty(one: ScenarioError, overrides: Sequence[str], known: set[tuple[str, str]]) -> list[str]:
    """The overrides that the mistake comes from; none for a mistake of the file itself."""
    # A required table that is missing has its name in brackets.
    at = [one.key[1:-1]] if one.key.endswith("]") else one.key.split(".")
    cut = [(override, _cut(override)) for override in overrides]
    guilty = [override for override, key in cut if key == at[: len(key)]]
    if guilty or (one.key, one.problem) in known:
        return guilty
    # The value itself is right, but something around it does not go with it, such as the keys of
    # another kind of workload: the overrides below it, else those of the same table, else all.
    below = [override for override, key in cut if at == key[: len(at)]]
    same_table = [override for override, key in cut if key[0] == at[0]]
    return below or same_table or list(overrides)


def _cut(override: str) -> list[str]:
    """The key of an override, divided at each dot as the key of a mistake is."""
    return one_line(".".join(keys.split(override.partition("=")[0]))).split(".")
