"""The parameters of a Postfix main.cf with their lines: continuation lines, comments and ``$name``
as postconf(5) has them.

Knows no parameter but by the name that stands in the file; what is not there has its default
elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..errors import ScenarioError
from ..text import cut
from .found import Setting

NAME = re.compile(r"[A-Za-z_][\w.-]*\Z", re.ASCII)
REFERENCE = re.compile(
    r"\$(?:\$|(?P<bare>\w+)|\{(?P<brace>[^{}$]*)\}|\((?P<paren>[^()$]*)\))",
    re.ASCII,
)
DEEPEST = 20
"""References inside references, at most; one that leads to itself ends here."""

LONGEST = 100_000
"""Characters of a value, at most: references can double it each time."""


def parameters(text: str, place: str) -> dict[str, Setting]:
    """Each parameter as it is written, the last of two; ScenarioError for the first line that is no
    parameter.
    """
    found: dict[str, Setting] = {}
    for line, logical in _logical_lines(text):
        name, equals, value = logical.partition("=")
        name = name.strip()
        if not equals or not NAME.match(name):
            raise ScenarioError(
                f"{place}:{line}",
                "",
                f'"{cut(logical)}" is no parameter of a main.cf; write name = value, or # before a comment',
            )
        found[name] = Setting(value.strip(), line)
    return found


def expanded(name: str, found: Mapping[str, Setting], defaults: Mapping[str, str]) -> str:
    """The value of ``name`` with its references put in; its default where the file has none."""

    def value_of(wanted: str) -> str:
        return str(found[wanted].value) if wanted in found else defaults.get(wanted, "")

    value = value_of(name)
    for _ in range(DEEPEST):
        fresh = REFERENCE.sub(lambda match: _replaced(match, value_of), value)[:LONGEST]
        if fresh == value:
            break
        value = fresh
    return value.strip()


def _replaced(match: re.Match[str], value_of: object) -> str:
    inner = match["bare"] or match["brace"] or match["paren"]
    if inner is None:
        return "$" if match[0] == "$$" else ""
    name, mark, text = re.match(r"\s*([\w.]*)\s*([?:]?)(.*)", inner, re.DOTALL).groups()  # type: ignore[union-attr]
    value = value_of(name)  # type: ignore[operator]
    if mark == "?":
        return text.strip() if value else ""
    if mark == ":":
        return "" if value else text.strip()
    return str(value)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that begin with white space continue the one before; comments and empty lines between
    them do not end it.
    """
    begun = 0
    parts = list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and parts:
            parts.append(line.strip())
            continue
        if parts:
            yield begun, " ".join(parts)
        begun = number
        parts = [line.strip()]
    if parts:
        yield begun, " ".join(parts)
