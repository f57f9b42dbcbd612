"""The names that a Python file assigns at its top level, with their lines: read as text, never executed.

A value that is no literal is taken where it can be told without running anything: the default of ``os.environ.get`` and its
like, through ``int``, ``float``, ``bool`` and ``str``. Knows nothing of Django.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from typing import Any

from ..errors import ScenarioError
from .found import Setting


class Unknown:
    """A value that only running the file would tell."""

    def __repr__(self) -> str:
        return "not known without running the file"


UNKNOWN = Unknown()

CASTS = {"int": int, "float": float, "bool": bool, "str": str}

LOOK_UPS = ("get", "getenv", "env", "config", "int", "bool", "str", "float")
"""Last part of the name of a call that looks a value up outside: ``os.environ.get``, ``env.int``, decouple's ``config``."""


def assigned(text: str, place: str) -> dict[str, Setting]:
    """Each name's last assignment, those inside if and try too, in the order of the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a person's file: a backslash that means nothing, a comparison with a literal
            tree = ast.parse(text)
        found: dict[str, Setting] = {}
        for name, value, line in _assignments(tree.body):
            found[name] = Setting(_value(value), line)
    except SyntaxError as error:
        raise ScenarioError(f"{place}:{error.lineno or 1}", "", f"is not valid Python: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise ScenarioError(place, "", "is not valid Python: its expressions are nested too deeply") from None
    except ValueError as error:
        raise ScenarioError(place, "", f"is not valid Python: {error}") from None
    return found


def _assignments(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr, int]]:
    for node in body:
        if isinstance(node, ast.Assign):
            yield from ((each.id, node.value, node.lineno) for each in node.targets if isinstance(each, ast.Name))
        elif isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
            yield node.target.id, node.value, node.lineno
        elif isinstance(node, ast.If | ast.Try | ast.With):
            for part in ("body", "handlers", "orelse", "finalbody"):
                for inner in getattr(node, part, []):
                    yield from _assignments(inner.body if isinstance(inner, ast.ExceptHandler) else [inner])


def _value(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _looked_up(node) if isinstance(node, ast.Call) else UNKNOWN


def _looked_up(call: ast.Call) -> Any:
    name = ast.unparse(call.func).rpartition(".")
    if not name[0] and name[2] in CASTS and len(call.args) == 1:
        return _cast(CASTS[name[2]], _value(call.args[0]))
    if name[2] not in LOOK_UPS:
        return UNKNOWN
    keywords = {each.arg: each.value for each in call.keywords}
    default = keywords.get("default") or (call.args[1] if len(call.args) > 1 else None)
    if default is None:
        return UNKNOWN
    value = _value(default)
    cast = keywords.get("cast")
    return _cast(CASTS[cast.id], value) if isinstance(cast, ast.Name) and cast.id in CASTS else value


def _cast(to: type, value: Any) -> Any:
    if value is UNKNOWN:
        return UNKNOWN
    try:
        return to(value)
    except (ValueError, TypeError, OverflowError):
        return UNKNOWN
