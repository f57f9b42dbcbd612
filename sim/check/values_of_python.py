"""The value of a Python expression as far as it can be told without running anything: literals,
names, a little arithmetic.

What is looked up outside - ``os.environ.get`` and its like - is taken for its default, and that is
said. Knows no statements.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any, NamedTuple


class Unknown:
    """A value that only running the file would tell; ``either`` says in words which ones it may be,
    where that is known.
    """

    def __init__(self, either: str = "") -> None:
        self.either = either

    def __repr__(self) -> str:
        return "not known without running the file"


UNKNOWN = Unknown()


class Told(NamedTuple):
    """A value; ``outside`` where it is the default of what is looked up outside the file."""

    value: Any
    outside: bool = False


Names = Callable[[str], Told]
"""What a name is."""

CASTS: dict[str, Callable[[Any], Any]] = {"int": int, "float": float, "bool": bool, "str": str}

LOOK_UPS = ("get", "getenv", "env", "config", "int", "bool", "str", "float")
"""Last part of the name of a call that looks a value up outside: ``os.environ.get``, ``env.int``,
decouple's ``config``.
"""

ON = ("y", "yes", "t", "true", "on", "1")
OFF = ("n", "no", "f", "false", "off", "0", "")
"""How a look-up's own cast to bool reads a string, which is not how ``bool`` does."""

NUMBERS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}

LARGEST = 1e12
LONGEST = 10_000


def told(node: ast.expr, names: Names) -> Told:
    """The value of ``node`` where ``names`` are known; UNKNOWN for all that would have to be run."""
    try:
        return Told(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError):
        pass
    kind = type(node)
    return READERS[kind](node, names) if kind in READERS else Told(UNKNOWN)


def _name(node: ast.Name, names: Names) -> Told:
    return names(node.id)


def _sum(node: ast.BinOp, names: Names) -> Told:
    left = told(node.left, names)
    right = told(node.right, names)
    outside = left.outside or right.outside
    one = left.value
    other = right.value
    if isinstance(one, str) and isinstance(other, str) and isinstance(node.op, ast.Add):
        return Told((one + other)[:LONGEST], outside)
    if not (_is_number(one) and _is_number(other) and type(node.op) in NUMBERS):
        return Told(UNKNOWN)
    try:
        value = NUMBERS[type(node.op)](one, other)
    except (ArithmeticError, ValueError):
        return Told(UNKNOWN)
    return Told(value, outside) if abs(value) < LARGEST else Told(UNKNOWN)


def _not(node: ast.UnaryOp, names: Names) -> Told:
    value, outside = told(node.operand, names)
    if not isinstance(node.op, ast.Not) or isinstance(value, Unknown):
        return Told(UNKNOWN)
    return Told(not value, outside)


def _choice(node: ast.IfExp, names: Names) -> Told:
    condition = told(node.test, names).value
    if isinstance(condition, Unknown):
        return Told(UNKNOWN)
    return told(node.body if condition else node.orelse, names)


def _either(node: ast.BoolOp, names: Names) -> Told:
    """``looked_up or 587``: the last, where those before it are not there."""
    if isinstance(node.op, ast.Or) and all(_is_look_up(each) for each in node.values[:-1]):
        return Told(told(node.values[-1], names).value, outside=True)
    return Told(UNKNOWN)


def _formatted(node: ast.JoinedStr, names: Names) -> Told:
    text = ""
    outside = False
    for part in node.values:
        plain = (
            isinstance(part, ast.FormattedValue)
            and part.conversion == -1
            and part.format_spec is None
        )
        each = (
            told(part.value, names)
            if plain and isinstance(part, ast.FormattedValue)
            else told(part, names)
        )
        if not isinstance(each.value, str) and not _is_number(each.value):
            return Told(UNKNOWN)
        text = (text + str(each.value))[:LONGEST]
        outside = outside or each.outside
    return Told(text, outside)


def _called(node: ast.Call, names: Names) -> Told:
    before, _, last = ast.unparse(node.func).rpartition(".")
    if not before and last in CASTS and len(node.args) == 1:
        value, outside = told(node.args[0], names)
        return Told(_cast(CASTS[last], value), outside)
    keywords = {each.arg: each.value for each in node.keywords}
    default = keywords.get("default") or (node.args[1] if len(node.args) > 1 else None)
    if last not in LOOK_UPS or default is None:
        return Told(UNKNOWN)
    value = told(default, names).value
    cast = keywords.get("cast")
    if isinstance(cast, ast.Name) and cast.id in CASTS:
        value = _cast(_as_bool if cast.id == "bool" else CASTS[cast.id], value)
    elif cast is not None:
        return Told(UNKNOWN)
    return Told(value, outside=True)


def _is_look_up(node: ast.expr) -> bool:
    """A call or a subscript of something that is looked up outside, without a default."""
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
    said = value.strip().lower()
    return True if said in ON else False if said in OFF else UNKNOWN


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


READERS: dict[type[ast.expr], Callable[[Any, Names], Told]] = {
    ast.Name: _name,
    ast.BinOp: _sum,
    ast.UnaryOp: _not,
    ast.IfExp: _choice,
    ast.BoolOp: _either,
    ast.JoinedStr: _formatted,
    ast.Call: _called,
}
