"""The names that a Python file assigns at its top level, with their lines: read as text, never
executed.

Where a condition decides which value a name has, all that it may have are kept, and a name of which
only running the file would tell has the value UNKNOWN. Knows nothing of Django.
"""

from __future__ import annotations

import ast
import warnings
from collections import ChainMap
from collections.abc import Iterable, MutableMapping

from ..errors import ScenarioError
from ..text import cut
from .found import Setting
from .values_of_python import UNKNOWN, Told, Unknown, told

__all__ = ["ELSEWHERE", "UNKNOWN", "Unknown", "assigned", "in_classes"]

ELSEWHERE = "*"
"""The name of what brings in names that the file does not show: its value is the statement, its
line where it stands.
"""

MOST = 8
"""Values that a name may have, at most; beyond it none of them is told."""

BY_RUNNING = ("globals()", "vars()", "locals()", "include", "exec")

Possible = tuple[Setting | None, ...]
"""What a name may be; None stands for not being there."""
State = MutableMapping[str, Possible]


def assigned(text: str, place: str) -> dict[str, Setting]:
    """What each name is at the end of the file; ELSEWHERE where it takes names from somewhere else.
    ScenarioError for no Python.
    """
    state: State = dict[str, Possible]()
    try:
        _run(_tree(text).body, state)
    except SyntaxError as error:
        raise ScenarioError(
            f"{place}:{error.lineno or 1}", "", f"is not valid Python: {error.msg}"
        ) from None
    except (RecursionError, MemoryError):
        raise ScenarioError(
            place, "", "is not valid Python: its expressions are nested too deeply"
        ) from None
    except ValueError as error:
        raise ScenarioError(place, "", f"is not valid Python: {error}") from None
    brought_in = [each for each in state.pop(ELSEWHERE, ()) if each is not None]
    found = {name: _one(possible) for name, possible in state.items()} | (
        {ELSEWHERE: brought_in[-1]} if brought_in else {}
    )
    return {name: each for name, each in found.items() if each is not None}


def in_classes(text: str, beginning: str) -> list[str]:
    """The classes at the top of valid ``text`` that assign names with this ``beginning``, each with
    its line.
    """
    found = []
    for node in _tree(text).body:
        if isinstance(node, ast.ClassDef):
            state: State = dict[str, Possible]()
            _run(node.body, state)
            if any(name.startswith(beginning) for name in state):
                found.append(f"{node.name} (line {node.lineno})")
    return found


def _tree(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # of a person's file: a backslash that means nothing, a comparison with a literal
        return ast.parse(text)


def _run(body: list[ast.stmt], state: State) -> None:
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _assign(target, node.value, state)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                _assign(node.target, node.value, state)
        elif isinstance(node, ast.AugAssign):
            _set_unknown([node.target], state)
        elif isinstance(node, ast.Delete):
            for name in _names(node.targets):
                state[name] = (None,)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            _import(node, state)
        elif isinstance(node, ast.Expr):
            _expression(node, state)
        else:
            _branch(node, state)


def _branch(node: ast.stmt, state: State) -> None:
    """Statements of which one part or another runs; all parts of ``try`` may."""
    if isinstance(node, ast.With):
        _set_unknown(
            [each.optional_vars for each in node.items if each.optional_vars is not None], state
        )
        _run(node.body, state)
    elif isinstance(node, ast.If):
        _merge(state, [node.body, node.orelse])
    elif isinstance(node, ast.For | ast.While):
        if isinstance(node, ast.For):
            _set_unknown([node.target], state)
        _merge(state, [[*node.body, *node.orelse], node.orelse])
    elif isinstance(node, ast.Try):
        _merge(state, [[*node.body, *node.orelse], *(handler.body for handler in node.handlers)])
        _run(node.finalbody, state)
    elif isinstance(node, ast.Match):
        _merge(state, [*(case.body for case in node.cases), []])


def _merge(state: State, bodies: list[list[ast.stmt]]) -> None:
    """Each of ``bodies`` by itself from here on, and then all that may be."""
    ends: list[ChainMap[str, Possible]] = []
    for body in bodies:
        ends.append(ChainMap({}, state))
        _run(body, ends[-1])
    changed = dict.fromkeys(name for end in ends for name in end.maps[0])
    after = {
        name: _distinct(each for end in ends for each in end.get(name, (None,))) for name in changed
    }
    state.update(after)


def _distinct(settings: Iterable[Setting | None]) -> Possible:
    found: dict[str, Setting | None] = {}
    for each in settings:
        found.setdefault(
            "" if each is None else f"{type(each.value).__name__} {each.value!r}", each
        )
    return tuple(found.values())[: MOST + 1]


def _one(possible: Possible) -> Setting | None:
    """The one value, or an Unknown that says which it may be; None where it is not there."""
    there = [each for each in possible if each is not None]
    if len(possible) <= 1 or not there:
        return there[0] if there else None
    last = there[-1]
    if len(possible) > MOST or any(isinstance(each.value, Unknown) for each in there):
        return Setting(UNKNOWN, last.line)
    said = [f"{cut(repr(each.value))} (line {each.line})" for each in there] + ["not there"] * (
        None in possible
    )
    return Setting(Unknown(f"{', '.join(said[:-1])} or {said[-1]}"), last.line)


def _assign(target: ast.expr, value: ast.expr, state: State) -> None:
    if isinstance(target, ast.Tuple | ast.List):
        same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
        if (
            same
            and isinstance(value, ast.Tuple | ast.List)
            and not any(isinstance(one, ast.Starred) for one in target.elts)
        ):
            for one, part in zip(target.elts, value.elts, strict=True):
                _assign(one, part, state)
        else:
            _set_unknown([target], state)
    elif isinstance(target, ast.Name):
        seen = told(value, lambda name: _known(state, name))
        state[target.id] = (Setting(seen.value, target.lineno, seen.outside),)
    elif isinstance(target, ast.Subscript):
        _by_running(target.value, target, state)


def _known(state: State, name: str) -> Told:
    one = _one(state.get(name, ()))
    return Told(UNKNOWN) if one is None else Told(one.value, one.outside)


def _import(node: ast.Import | ast.ImportFrom, state: State) -> None:
    for each in node.names:
        if each.name == "*":
            _elsewhere(node, state)
        else:
            state[each.asname or each.name.partition(".")[0]] = (Setting(UNKNOWN, node.lineno),)


def _expression(node: ast.Expr, state: State) -> None:
    """``globals().update(...)`` and ``include(...)`` bring in names; any other expression is
    nothing.
    """
    call = node.value
    if isinstance(call, ast.Call):
        function = call.func
        _by_running(
            function.value if isinstance(function, ast.Attribute) else function, call, state
        )


def _by_running(named: ast.expr, whole: ast.expr, state: State) -> None:
    if ast.unparse(named) in BY_RUNNING:
        _elsewhere(whole, state)


def _elsewhere(node: ast.AST, state: State) -> None:
    """Names come from somewhere else here."""
    said = " ".join(ast.unparse(node).split())
    state[ELSEWHERE] = (Setting(cut(said), getattr(node, "lineno", 1)),)


def _set_unknown(targets: Iterable[ast.expr], state: State) -> None:
    for target in targets:
        for name in _names([target]):
            state[name] = (Setting(UNKNOWN, target.lineno),)


def _names(targets: Iterable[ast.expr]) -> list[str]:
    return [
        node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)
    ]
