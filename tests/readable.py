"""The rules for readable lines, with the number of places in each folder that still break one.

Main entry point: :func:`too_many`. ``tests/test_tidy.py`` applies it to the whole repository.
"""

from __future__ import annotations

import ast
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

MOST_COLUMNS = 100

ALLOWED: dict[str, dict[str, int]] = {
    "long line": {
        "sim/battery": 3,
        "sim/cli": 18,
        "sim/relay": 1,
        "sim/report": 13,
        "tests": 5,
        "tests/agreement": 5,
        "tests/benchmarks": 12,
        "tests/browser": 1,
        "tests/fidelity": 8,
        "tests/fidelity/programs": 1,
        "tests/live": 8,
        "tests/measure": 2,
        "tests/proof": 3,
        "tests/runner": 2,
        "tests/ui": 1,
    },
    "nested conditional": {
        "tests/fidelity": 1,
    },
    "tuple assignment": {
        "tests/agreement": 1,
        "tests/benchmarks": 3,
        "tests/fidelity/programs": 4,
    },
}
"""For each rule of readable lines the number of places that still break it, by folder. The numbers
only fall: one that is larger than needed is a complaint too. A folder that is not here has none.
"""


def hard_to_read(path: Path, text: str) -> Iterator[tuple[str, str]]:
    """The rule and the complaint for each place of a Python file that is hard to read."""
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > MOST_COLUMNS and not holds_long_address(line):
            yield "long line", f"{path}:{number}: {len(line)} columns, at most {MOST_COLUMNS}"
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type == tokenize.COMMENT and re.search(r"fmt:\s*(skip|off|on)\b", token.string):
            yield "fmt", f"{path}:{token.start[0]}: {token.string}: let the formatter have its way"
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Assign | ast.IfExp):
            continue
        place = f"{path}:{node.lineno}: {ast.unparse(node)[:50]}"
        if isinstance(node, ast.IfExp):
            if has_another_within(node):
                yield "nested conditional", f"{place}: write an if statement"
        elif assigns_independent_values(node):
            yield "tuple assignment", f"{place}: write one assignment per statement"


def holds_long_address(line: str) -> bool:
    """Whether a line is long because of a URL, which cannot be broken, at the line's indent."""
    indent = len(line) - len(line.lstrip())
    return any("://" in word and indent + len(word) > MOST_COLUMNS for word in line.split())


def assigns_independent_values(node: ast.Assign) -> bool:
    """Whether it is ``a, b = 1, 2``. A swap, ``a, b = b, a + b`` and unpacking are not: there the
    values must be computed before the first name changes.
    """
    target = node.targets[0]
    if not isinstance(target, ast.Tuple | ast.List):
        return False
    if not isinstance(node.value, ast.Tuple | ast.List):
        return False
    changed: set[str] = set()
    for name, value in zip(target.elts, node.value.elts, strict=False):
        if changed & {ast.unparse(part) for part in ast.walk(value)}:
            return False
        changed.add(ast.unparse(name))
    return True


def has_another_within(node: ast.IfExp) -> bool:
    """Whether a conditional expression holds another."""
    return any(isinstance(part, ast.IfExp) for part in ast.walk(node) if part is not node)


def too_many(texts: Mapping[Path, str]) -> Iterator[str]:
    """Complaints about every folder with more places that are hard to read than :data:`ALLOWED`,
    or with fewer.
    """
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path, text in texts.items():
        for rule, complaint in hard_to_read(path, text):
            found[rule, path.parent.as_posix()].append(complaint)
    allowed = {(rule, folder): most for rule in ALLOWED for folder, most in ALLOWED[rule].items()}
    for key in sorted(found.keys() | allowed.keys()):
        places = found.get(key, [])
        most = allowed.get(key, 0)
        rule, folder = key
        if len(places) > most:
            yield from places
            yield f"{folder}: {rule}: {len(places)} places, at most {most}"
        elif len(places) < most:
            yield f'{folder}: only {len(places)} left: lower ALLOWED["{rule}"]["{folder}"]'
