"""The rules of the house as data, and a function for each that reads source and complains.

A complaint is one line: the place, the problem, the remedy. Reads source and imports none of it.
``tests/test_tidy.py`` applies it to the whole repository. The rules for readable lines are in
``tests/readable.py``.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import takewhile
from pathlib import Path

STAGES: list[tuple[str, ...]] = [
    ("errors",),
    ("text",),
    ("units",),
    ("streams",),
    ("records",),
    ("schema_base",),
    ("limits", "smtp"),
    ("relay",),
    ("policies",),
    ("measure",),
    ("strategies",),
    ("outbox",),
    ("scenario",),
    ("explain",),
    ("world", "live", "production"),
    ("runner", "pytest_plugin"),
    ("sweep",),
    ("plan",),
    ("check",),
    ("report",),
    ("battery",),
    ("ui",),
    ("cli",),
    ("__main__",),
    ("public",),
]
"""The parts of ``sim``, lowest first. A part imports only from parts above its line; parts in one
line never import each other.
"""

DOORS = {"world", "live", "production"}
CLOCK_READERS = {"live", "production", "runner"}
"""The two doors of real time, and the watchdog that ends the user's code."""

OUTSIDE = {
    "simpy",
    "greenlet",
    "asyncio",
    "socket",
    "ssl",
    "selectors",
    "smtplib",
    "time",
    "random",
    "secrets",
    "datetime",
}
"""Modules that no part below the doors imports: time is an argument there, and random numbers come
from ``sim.streams``.
"""

PARSES_DATES = {"sim.scenario.trace"}
"""Below the doors, but reads ISO 8601 from the user's file. That it reads no clock is checked as
everywhere else.
"""

MOST_LINES_FUNCTION = 70
MOST_LINES_FILE = 500

INSTEAD = {
    **dict.fromkeys(["server", "servers", "provider", "host"], "relay"),
    **dict.fromkeys(["config", "configuration", "profile", "rules"], "policy"),
    **dict.fromkeys(["rule", "quota", "quotas"], "limit"),
    **dict.fromkeys(["bucket", "buckets", "throttle", "throttled", "throttling"], "limiter"),
    **dict.fromkeys(["interval", "period"], "window"),
    **dict.fromkeys(["ban", "banned", "bans", "lockout", "lockouts"], "block"),
    **dict.fromkeys(["socket", "sockets", "channel", "channels"], "connection"),
    **dict.fromkeys(["mail", "mails", "email", "emails", "item", "items"], "message"),
    **dict.fromkeys(["job", "jobs"], "run (or message)"),
    **dict.fromkeys(["violation", "violations"], "incident"),
    **dict.fromkeys(["algorithm", "algorithms"], "strategy (or window)"),
    **dict.fromkeys(["client", "clients"], "sender"),
    **dict.fromkeys(["queue", "queues", "queued"], "outbox"),
    **dict.fromkeys(["traffic"], "workload"),
    **dict.fromkeys(["experiment", "experiments", "testcase"], "scenario"),
    **dict.fromkeys(["repeat", "repeats", "repetition", "repetitions"], "replication"),
    **dict.fromkeys(["recommendation", "recommendations"], "plan"),
}
"""Synonyms that the glossary rules out, each with its word. Error, load, output and report are
standard terms too.
"""

STANDARD = {
    **dict.fromkeys(["mail", "Mail", "MAIL", "mail_from"], "the verb of SMTP"),
    "jobs": "the option --jobs",
    "queue_run_delay": "a parameter of Postfix",
    "maximal_queue_lifetime": "a parameter of Postfix",
    "job": "a piece of work of the runner, as in --jobs",
    "Job": "its class",
    "profile": "the key of a daily workload",
    "client_time": "the scenario's key",
    "ClientTime": "the table of that key",
    "send_mass_mail": "Django's own name",
    "EMAIL_TIMEOUT": "Django's own setting",
    "socketTimeout": "Nodemailer's own option",
}
"""Whole names that stay, and why."""

STANDARD_IN = {
    "interval": {"measure", "plan", "report", "cli"},  # of confidence
    "host": {"live", "production"},  # of an address
    "config": {"pytest_plugin"},  # the argument's name is pytest's
    "item": {"pytest_plugin"},  # likewise
    "socket": {"world", "live", "production"},
    "sockets": {"world", "live", "production"},
}
"""Words that are a standard term in some parts."""

MACHINE_PATH = re.compile(
    r"(?:(?<![\w.~/-])|\bfile://)/(?:home|root|Users|work|farm|opt|tmp)/[A-Za-z_.][\w.-]*"
)
INDEX_HOST = re.compile(
    r"\b(?:https?|file)://[^/\s\"']*"
    r"(?:pypi|pythonhosted|npmjs|registry|debian|mirror|proxy)[^/\s\"']*",
    re.I,
)


def part_of(module: str) -> str:
    """``limits`` of ``sim.limits.fixed``; empty for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def module_name(path: Path) -> str:
    """``sim.limits`` of ``sim/limits/__init__.py``; ``path`` is relative to the repository."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of each import anywhere in the file, also within functions and
    under TYPE_CHECKING. Relative imports are resolved.
    """
    package = list(path.with_suffix("").parts[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{stem}.{alias.name}") for alias in node.names)


def upward_imports(path: Path, tree: ast.Module) -> Iterator[str]:
    """Imports of ``sim`` that do not run downward. The package's own ``__init__`` may import
    anything.
    """
    mine = part_of(module_name(path))
    rank = {part: stage for stage, parts in enumerate(STAGES) for part in parts}
    if not mine:
        return
    if mine not in rank:
        yield f"{path}: {mine} has no place in the order: add it to STAGES in tests/house.py"
        return
    for line, name in imports(path, tree):
        theirs = part_of(name)
        if name.partition(".")[0] != "sim" or theirs == mine:
            continue
        if theirs not in rank:
            yield f"{path}:{line}: imports {name} from sim itself: name the module that defines it"
        elif rank[theirs] >= rank[mine]:
            yield (
                f"{path}:{line}: {mine} imports {name}, which is not below it: "
                "move what both need down, or pass it in"
            )


def circles(texts: Mapping[Path, str]) -> Iterator[str]:
    """Modules of ``sim`` that import each other in a circle, and parts that do. An import within a
    function or under TYPE_CHECKING counts: it hides the circle from Python, not from a reader.
    """
    modules = {module_name(path): path for path in texts if path.parts[0] == "sim"}
    graph: dict[str, set[str]] = {}
    for module, path in modules.items():
        found = (name for _, name in imports(path, ast.parse(texts[path])))
        graph[module] = {nearest_module(name, modules) for name in found} - {module, ""}
    for circle in circles_of(graph):
        yield complaint_about(circle)
    between: dict[str, set[str]] = defaultdict(set)
    for module, others in graph.items():
        mine = part_of(module)
        if mine:
            between[mine] |= {part_of(other) for other in others} - {mine, ""}
    for circle in circles_of(between):
        yield complaint_about(circle)


def nearest_module(name: str, modules: Mapping[str, Path]) -> str:
    """``sim.relay.policy`` of ``sim.relay.policy.Policy``; empty if it is none of ``modules``."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def circles_of(graph: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """Circles of ``graph``, which maps each name to those that it imports: one after the other,
    each broken at one import before the next is looked for.
    """
    left = {name: sorted(others) for name, others in sorted(graph.items())}
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1]
            left[circle[1]].remove(circle[0])
            yield circle[::-1]
        else:
            return


def complaint_about(circle: list[str]) -> str:
    """One line about a circle."""
    path = " imports ".join(circle)
    return f"{path}: a circle; move the shared part to a module that imports none of them"


def outside_imports(path: Path, tree: ast.Module) -> Iterator[str]:
    """Clocks, sockets, random numbers and event loops below the doors."""
    module = module_name(path)
    below = [part for stage in takewhile(DOORS.isdisjoint, STAGES) for part in stage]
    for line, name in imports(path, tree):
        top = name.partition(".")[0]
        if (
            part_of(module) in below
            and top in OUTSIDE
            and not (top == "datetime" and module in PARSES_DATES)
        ):
            yield (
                f"{path}:{line}: imports {top} below the doors: take the time as an argument, "
                "random numbers from sim.streams"
            )


def clock_readings(path: Path, tree: ast.Module) -> Iterator[str]:
    """Clocks read by a part that is not one of :data:`CLOCK_READERS`, and random numbers that come
    from no named stream.
    """
    reads = part_of(module_name(path)) in CLOCK_READERS
    allowed = ", ".join(sorted(CLOCK_READERS))
    for line, name in imports(path, tree):
        top = name.partition(".")[0]
        if top == "time" and not reads:
            yield f"{path}:{line}: imports time: take the time as an argument; only {allowed} may"
        if top in ("random", "secrets") or name.startswith("numpy.random."):
            yield f"{path}:{line}: imports {top}: take a named stream of sim.streams"
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute | ast.Name):
            continue
        used = ast.unparse(node)
        if used in DATE_CLOCKS and not reads:
            yield f"{path}:{node.lineno}: reads a clock with {used}: take the time as an argument"
        if used.rpartition(".")[2] in ("default_rng", "RandomState") and path.name != "streams.py":
            yield f"{path}:{node.lineno}: uses {used}: take a named stream of sim.streams"


DATE_CLOCKS = {
    f"{module}{kind}"
    for module in ("", "datetime.")
    for kind in ("datetime.now", "datetime.utcnow", "datetime.today")
}
DATE_CLOCKS |= {"date.today", "datetime.date.today"}


def missing_docstring(path: Path, tree: ast.Module) -> Iterator[str]:
    """A module without a docstring. An empty ``__init__.py`` needs none."""
    if tree.body and not ast.get_docstring(tree):
        yield f"{path}:1: has no docstring: write its purpose and its main entry point"


def too_long(path: Path, tree: ast.Module, text: str) -> Iterator[str]:
    """Functions and files above the house's sizes."""
    lines = len(text.splitlines())
    if lines > MOST_LINES_FILE:
        yield f"{path}: {lines} lines, at most {MOST_LINES_FILE}: split it by what each half knows"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MOST_LINES_FUNCTION:
                yield (
                    f"{path}:{node.lineno}: {node.name} has {length} lines, "
                    f"at most {MOST_LINES_FUNCTION}: name its steps"
                )


def words(name: str) -> list[str]:
    """``["client", "time"]`` of ``client_time``, ``ClientTime`` and ``client-time``."""
    return [found.lower() for found in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def synonym(place: str, name: str, part: str) -> Iterator[str]:
    """The complaint about a name that contains a synonym."""
    if name in STANDARD:
        return
    for word in words(name):
        if word in INSTEAD and part not in STANDARD_IN.get(word, ()):
            yield f'{place}: "{name}" contains {word}: the word here is {INSTEAD[word]}'


def public_names(body: list[ast.stmt]) -> Iterator[tuple[int, str]]:
    """Public classes, functions, their parameters and the annotated fields, of a module or of a
    public class in it.
    """
    for node in body:
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and not node.target.id.startswith("_")
        ):
            yield node.lineno, node.target.id
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("_") and node.name != "__init__":
            continue
        yield node.lineno, node.name
        if isinstance(node, ast.ClassDef):
            yield from public_names(node.body)
        else:
            yield from (
                (each.lineno, each.arg) for each in ast.walk(node.args) if isinstance(each, ast.arg)
            )


def keys_and_options(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """String keys of dict displays, which become JSON, and options of the command line."""
    for node in ast.walk(tree):
        for key in node.keys if isinstance(node, ast.Dict) else []:
            if (
                isinstance(key, ast.Constant)
                and isinstance(key.value, str)
                and key.value.isidentifier()
            ):
                yield key.lineno, key.value
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"--[a-z-]+", node.value)
        ):
            yield node.lineno, node.value.removeprefix("--")


def synonyms(path: Path, tree: ast.Module) -> Iterator[str]:
    """Synonyms in our own names: public API, JSON keys and options."""
    part = part_of(module_name(path))
    for line, name in [*public_names(tree.body), *keys_and_options(tree)]:
        yield from synonym(f"{path}:{line}", name, part)


def toml_synonyms(path: Path, text: str) -> Iterator[str]:
    """Synonyms in the keys of a policy or scenario. ``sender.options`` is spelt as its library
    spells it.
    """

    def keys(table: dict[str, object], at: str) -> Iterator[str]:
        for key, value in table.items():
            dotted = f"{at}{key}"
            if dotted in ("sender.options", "expect"):
                continue
            yield from synonym(f"{path}: {dotted}", key, "")
            if isinstance(value, dict):
                yield from keys(value, f"{dotted}.")

    yield from keys(tomllib.loads(text), "")


def machine_traces(path: Path, text: str) -> Iterator[str]:
    """Absolute paths of one machine, and addresses of package indexes."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in MACHINE_PATH.findall(line):
            yield (
                f"{path}:{number}: {found} is a path of one machine: "
                "make it relative, or use a temporary folder"
            )
        for found in INDEX_HOST.findall(line):
            yield f"{path}:{number}: {found} is a package index: write only the package's name"


def complaints(path: Path, text: str) -> list[str]:
    """All complaints about one Python file of ``sim``, ``tests`` or ``app.py``; ``path`` is
    relative to the repository.
    """
    tree = ast.parse(text, str(path))
    found = [*missing_docstring(path, tree), *too_long(path, tree, text)]
    if path.parts[0] == "sim":
        for check in (upward_imports, outside_imports, clock_readings, synonyms):
            found += check(path, tree)
    return found
