"""Finds, reads and merges policy files: ``load`` for a scenario, ``changed`` for a running relay.

Every mistake in a file or an overlay is a ScenarioError with the file, the key and the remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ScenarioError, nearest
from ..schema_base import read, read_toml, unknown_key, written
from ..text import shown
from .kinds import KINDS
from .policy import Policy

SHIPPED = Path(__file__).parent.parent / "policies"


def shipped() -> list[str]:
    """The names of the policies that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load(use: str, overlay: Mapping[str, Any], place: str, folder: Path) -> Policy:
    """The policy ``use`` (a shipped name, or a path relative to ``folder``), with the keys of
    ``overlay`` set.

    In the overlay, a bare number is a limit's count, a table sets any of the limit's fields, and
    false removes the limit. Raises a ScenarioError with every mistake in either.
    """
    path, data = _find(use, place, folder)
    own = _without_false(data)
    base = _read(own, path.stem, str(path))
    if not any(key in data for key in KINDS):
        example = next(iter(KINDS))
        problem = (
            f"names no limit, so nothing would be refused; write {example} = 5 or "
            f"{example} = false, and so on"
        )
        raise ScenarioError(str(path), "", problem)
    return _read(_merge(own, overlay), path.stem, place, "policy") if overlay else base


def changed(policy: Policy, overlay: Mapping[str, Any], place: str) -> Policy:
    """``policy`` with the keys of ``overlay`` set, as in :func:`load`."""
    own = {key: value for key, value in written(policy).items() if key != "name"}
    return _read(_merge(own, overlay), policy.name, place, "policy")


def _find(use: str, place: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    if use in shipped():
        path = SHIPPED / f"{use}.toml"
    elif "/" in use or use.endswith(".toml"):
        path = folder / use
        if not _is_file(path):
            raise ScenarioError(
                place,
                "policy.use",
                f"{shown(use)} is not a file; a path is relative to the scenario file",
            )
    else:
        close = nearest(use, shipped())
        raise ScenarioError(
            place,
            "policy.use",
            f"{shown(use)} is no shipped policy; allowed: {', '.join(shipped())}, or a path{close}",
        )
    return path, read_toml(path)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a NUL in it
        return False


def _read(data: Mapping[str, Any], name: str, place: str, key: str = "") -> Policy:
    """Parses a policy table. ``key`` is the table's own key, and empty for a whole file."""
    prefix = f"{key}." if key else ""
    allowed = [*(["use"] if key else []), *(each for each in Policy.model_fields if each != "name")]
    errors = [
        ScenarioError(place, prefix + each, _not_a_key(each, allowed))
        for each in data
        if each not in allowed
    ]
    table = {
        **{each: _counted(each, value) for each, value in data.items() if each in allowed},
        "name": name,
    }
    for each in KINDS:
        if each not in data or isinstance(table[each], Mapping):
            continue
        problem = (
            f"{shown(table.pop(each))} is not allowed; write a count, a table, or false to remove "
            f"the limit"
        )
        errors.append(ScenarioError(place, prefix + each, problem))
    try:
        policy = read(Policy, table, place, key)
    except ScenarioError as error:
        raise ScenarioError.joined([*errors, error]) from None
    if errors:
        raise ScenarioError.joined(errors)
    return policy


def _not_a_key(name: str, allowed: list[str]) -> str:
    if name == "name":
        return "is not a key; a policy's name is its file's"
    return unknown_key(name, allowed)


def counted(value: object) -> object:
    """Turns a limit given as a bare number into a table, so that it merges with one."""
    bare = isinstance(value, int | float) and not isinstance(value, bool)
    return {"count": value} if bare else value


def _counted(key: str, value: object) -> object:
    return counted(value) if key in KINDS else value


def _without_false(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if not (key in KINDS and value is False)}


def _merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Sets the keys of ``overlay`` in ``base``, table by table. False removes a limit."""
    result = dict(base)
    for key, given in overlay.items():
        below = _counted(key, result.get(key))
        value = _counted(key, given)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            value = _merge(below, value)
        result[key] = value
    return _without_false(result)
