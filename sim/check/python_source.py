"""The names that a Python file assigns at its top level, with their values and lines, without
executing it. Main entry point: :func:`assigned`.

Reads literals, names, simple arithmetic and calls such as ``os.environ.get``, which count as their
default. If a condition decides which value a name has, all possible values are kept. A name whose
value depends on running the file has the value UNKNOWN.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections import ChainMap
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any, NamedTuple

from ..errors import ScenarioError
from ..text import cut
from .found import Setting

ELSEWHERE = "*"
"""Stands for names that the file takes from elsewhere, for example with ``import *``: the value is
that statement.
"""

MOST = 8
"""Possible values of a name that are reported; with more, the name is UNKNOWN."""

BY_RUNNING = ("globals()", "vars()", "locals()", "include", "exec")

Possible = tuple[Setting | None, ...]
"""The settings that a name may have; None if it may be missing."""

State = MutableMapping[str, Possible]


class Unknown:
    """A value that depends on running the file. ``either`` lists the possible values in words, if
    they are known.
    """

    def __init__(self, either: str = "") -> None:
        self.either = either

    def __repr__(self) -> str:
        return "not known without running the file"


UNKNOWN = Unknown()


class Value(NamedTuple):
    """A value. ``outside`` marks the default of a value that is looked up outside the file."""

    value: Any
    outside: bool = False


Names = Callable[[str], Value]
"""Gives the value of a name."""

CASTS: dict[str, Callable[[Any], Any]] = {"int": int, "float": float, "bool": bool, "str": str}

LOOK_UPS = ("get", "getenv", "env", "config", "int", "bool", "str", "float")
"""The last part of the names of calls that look up a value outside the file: ``os.environ.get``,
``env.int``, decouple's ``config``.
"""

ON = ("y", "yes", "t", "true", "on", "1")
OFF = ("n", "no", "f", "false", "off", "0", "")
"""How the cast to bool of such a call reads a string; ``bool`` itself reads every non-empty string
as true.
"""

NUMBERS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}

LARGEST = 1e12
LONGEST = 10_000
"""The largest number and the longest text that are computed; a file could ask for far more."""


def assigned(text: str, place: str) -> dict[str, Setting]:
    """The setting of each name at the end of the file, and of ELSEWHERE if it takes names from
    elsewhere. ScenarioError for invalid Python.
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
    found = {name: _one(possible) for name, possible in state.items()}
    if brought_in:
        found[ELSEWHERE] = brought_in[-1]
    return {name: each for name, each in found.items() if each is not None}


def in_classes(text: str, beginning: str) -> list[str]:
    """The top-level classes of valid Python that assign names with this ``beginning``, each with
    its line, in words.
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
        # The user's file may cause some: an unknown escape, a comparison with a literal.
        warnings.simplefilter("ignore")
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
    """Statements of which only some parts may run."""
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
    """Runs each of ``bodies`` from ``state``, and then keeps the possible values of all of them."""
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
    """The only possible setting, or an Unknown that lists the possible ones; None if the name is
    missing.
    """
    there = [each for each in possible if each is not None]
    if len(possible) <= 1 or not there:
        return there[0] if there else None
    last = there[-1]
    if len(possible) > MOST or any(isinstance(each.value, Unknown) for each in there):
        return Setting(UNKNOWN, last.line)
    choices = [f"{cut(repr(each.value))} (line {each.line})" for each in there]
    if None in possible:
        choices.append("not there")
    return Setting(Unknown(f"{', '.join(choices[:-1])} or {choices[-1]}"), last.line)


def _assign(target: ast.expr, value: ast.expr, state: State) -> None:
    if isinstance(target, ast.Tuple | ast.List):
        starred = any(isinstance(one, ast.Starred) for one in target.elts)
        if (
            isinstance(value, ast.Tuple | ast.List)
            and len(value.elts) == len(target.elts)
            and not starred
        ):
            for one, part in zip(target.elts, value.elts, strict=True):
                _assign(one, part, state)
        else:
            _set_unknown([target], state)
    elif isinstance(target, ast.Name):
        found = value_of(value, lambda name: _value_of_name(state, name))
        state[target.id] = (Setting(found.value, target.lineno, found.outside),)
    elif isinstance(target, ast.Subscript):
        _by_running(target.value, target, state)


def _value_of_name(state: State, name: str) -> Value:
    one = _one(state.get(name, ()))
    return Value(UNKNOWN) if one is None else Value(one.value, one.outside)


def _import(node: ast.Import | ast.ImportFrom, state: State) -> None:
    for each in node.names:
        if each.name == "*":
            _elsewhere(node, state)
        else:
            state[each.asname or each.name.partition(".")[0]] = (Setting(UNKNOWN, node.lineno),)


def _expression(node: ast.Expr, state: State) -> None:
    """``globals().update(...)`` and ``include(...)`` bring in names; any other expression assigns
    none.
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
    """Notes a statement that takes names from elsewhere."""
    statement = " ".join(ast.unparse(node).split())
    state[ELSEWHERE] = (Setting(cut(statement), getattr(node, "lineno", 1)),)


def _set_unknown(targets: Iterable[ast.expr], state: State) -> None:
    for target in targets:
        for name in _names([target]):
            state[name] = (Setting(UNKNOWN, target.lineno),)


def _names(targets: Iterable[ast.expr]) -> list[str]:
    return [
        node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)
    ]


def value_of(node: ast.expr, names: Names) -> Value:
    """The value of ``node``, given the values of ``names``; UNKNOWN if it depends on a run."""
    try:
        return Value(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError):
        pass
    kind = type(node)
    return READERS[kind](node, names) if kind in READERS else Value(UNKNOWN)


def _name(node: ast.Name, names: Names) -> Value:
    return names(node.id)


def _sum(node: ast.BinOp, names: Names) -> Value:
    left = value_of(node.left, names)
    right = value_of(node.right, names)
    outside = left.outside or right.outside
    one = left.value
    other = right.value
    if isinstance(one, str) and isinstance(other, str) and isinstance(node.op, ast.Add):
        return Value((one + other)[:LONGEST], outside)
    if not (_is_number(one) and _is_number(other) and type(node.op) in NUMBERS):
        return Value(UNKNOWN)
    try:
        value = NUMBERS[type(node.op)](one, other)
    except (ArithmeticError, ValueError):
        return Value(UNKNOWN)
    return Value(value, outside) if abs(value) < LARGEST else Value(UNKNOWN)


def _not(node: ast.UnaryOp, names: Names) -> Value:
    value, outside = value_of(node.operand, names)
    if not isinstance(node.op, ast.Not) or isinstance(value, Unknown):
        return Value(UNKNOWN)
    return Value(not value, outside)


def _choice(node: ast.IfExp, names: Names) -> Value:
    condition = value_of(node.test, names).value
    if isinstance(condition, Unknown):
        return Value(UNKNOWN)
    return value_of(node.body if condition else node.orelse, names)


def _either(node: ast.BoolOp, names: Names) -> Value:
    """``looked_up or 587``: the last value, because the others are looked up outside."""
    if isinstance(node.op, ast.Or) and all(_is_look_up(each) for each in node.values[:-1]):
        return Value(value_of(node.values[-1], names).value, outside=True)
    return Value(UNKNOWN)


def _formatted(node: ast.JoinedStr, names: Names) -> Value:
    text = ""
    outside = False
    for part in node.values:
        inner = part
        if isinstance(part, ast.FormattedValue):
            if part.conversion != -1 or part.format_spec is not None:
                return Value(UNKNOWN)
            inner = part.value
        each = value_of(inner, names)
        if not isinstance(each.value, str) and not _is_number(each.value):
            return Value(UNKNOWN)
        text = (text + str(each.value))[:LONGEST]
        outside = outside or each.outside
    return Value(text, outside)


def _called(node: ast.Call, names: Names) -> Value:
    before, _, last = ast.unparse(node.func).rpartition(".")
    if not before and last in CASTS and len(node.args) == 1:
        value, outside = value_of(node.args[0], names)
        return Value(_cast(CASTS[last], value), outside)
    keywords = {each.arg: each.value for each in node.keywords}
    default = keywords.get("default") or (node.args[1] if len(node.args) > 1 else None)
    if last not in LOOK_UPS or default is None:
        return Value(UNKNOWN)
    value = value_of(default, names).value
    cast = keywords.get("cast")
    if isinstance(cast, ast.Name) and cast.id in CASTS:
        value = _cast(_as_bool if cast.id == "bool" else CASTS[cast.id], value)
    elif cast is not None:
        return Value(UNKNOWN)
    return Value(value, outside=True)


def _is_look_up(node: ast.expr) -> bool:
    """Whether it is a call or a subscript that looks up a value outside, without a default."""
    if isinstance(node, ast.Subscript):
        return ast.unparse(node.value).endswith("environ")
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in LOOK_UPS
        and len(node.args) == 1
    )


def _cast(to: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, Unknown):
        return UNKNOWN
    try:
        return to(value)
    except (ValueError, TypeError, OverflowError):
        return UNKNOWN


def _as_bool(value: Any) -> Any:
    if not isinstance(value, str):
        return bool(value)
    text = value.strip().lower()
    if text in ON:
        return True
    return False if text in OFF else UNKNOWN


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


READERS: dict[type[ast.expr], Callable[[Any, Names], Value]] = {
    ast.Name: _name,
    ast.BinOp: _sum,
    ast.UnaryOp: _not,
    ast.IfExp: _choice,
    ast.BoolOp: _either,
    ast.JoinedStr: _formatted,
    ast.Call: _called,
}
