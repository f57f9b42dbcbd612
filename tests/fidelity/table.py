"""The fidelity table as text: a line for each row, the real library beside its model. Knows no
library.

``python -m tests.fidelity.table [WORDS]`` runs every row (whose name holds WORDS) and writes into
``TABLE.md`` the section of each library of which it ran all rows.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tests.fidelity.comparison import Comparison
from tests.fidelity.harness import run_row, why_missing
from tests.fidelity.observed import Observed
from tests.fidelity.row import Row
from tests.fidelity.rows import all_rows

FILE = Path(__file__).with_name("TABLE.md")

HEAD = """\
# What the libraries do, and what their models do

Made by `make fidelity`; do not edit. Each row runs the real library against the live relay, and its model in virtual time on the
same scenario. `library / model`, one number where both are the same. The transcripts of all connections are compared line by
line, the counts must be equal, and durations within 5% or 150 ms. Where threads or processes of the real library make a count a
matter of luck, the row says so and gives the range of five runs, and the model must lie within it. The library's own time for
a connection and a message is measured in a run of its own without limits.
"""

COLUMNS = (
    "mode",
    "messages",
    "accepted",
    "lost",
    "incidents",
    "connections",
    "logins (failed)",
    "seconds",
    "transcripts",
    "holds",
)


def main(words: Sequence[str]) -> int:
    """Runs the rows, tells each as it comes, and writes the table when all were run; 1 if one does
    not hold.
    """
    rows = [row for row in all_rows() if all(word.lower() in row.name.lower() for word in words)]
    done: list[Comparison] = []
    missing: list[str] = []
    for row in rows:
        if reason := why_missing(row):
            missing.append(f"{row.name}: {reason}")
            print(f"not run  {row.name}: {reason}")
            continue
        found = run_row(row)
        done.append(found)
        print(
            f"{'holds   ' if found.holds else 'DIFFERS '} {row.name}",
            *found.differences,
            sep="\n             ",
            flush=True,
        )
    whole = [each for each in done if _whole(each.row.library, done)]
    if whole:
        FILE.write_text(merged(FILE.read_text() if FILE.exists() else "", whole))
        print(
            f"written into {FILE.name}: {', '.join(dict.fromkeys(each.row.library for each in whole))}"
        )
    differing = sum(not each.holds for each in done)
    print(f"{len(done)} rows, {differing} of them differ, {len(missing)} could not be run here")
    return int(differing > 0 or bool(missing))


def merged(text: str, done: Sequence[Comparison]) -> str:
    """``text``, a table, with the sections of ``done`` in it, in the order of all rows; other
    sections stay as they are.
    """
    found = _sections(text) | _sections(written(done))
    order = ["", *dict.fromkeys(row.library for row in all_rows())]
    return "\n".join(found[library] for library in order if library in found)


def _whole(library: str, done: Sequence[Comparison]) -> bool:
    return {row.name for row in all_rows() if row.library == library} <= {
        each.row.name for each in done
    }


def _sections(text: str) -> dict[str, str]:
    """Each section by its library, without the empty line behind it; what stands above them by an
    empty name.
    """
    libraries = {row.library for row in all_rows()}
    found = {}
    for section in re.split(r"(?m)^(?=## )", text):
        heads = [library for library in libraries if section.startswith(f"## {library}")]
        found[max(heads, key=len, default="")] = section.rstrip("\n") + "\n"
    return found


def written(done: Sequence[Comparison]) -> str:
    """The whole table, a section for each library."""
    libraries = list(dict.fromkeys(each.row.library for each in done))
    parts = [HEAD, f"Made with {versions()}.\n"]
    for library in libraries:
        mine = [each for each in done if each.row.library == library]
        known = sorted({one.version for each in mine for one in each.real} - {""})
        parts.append(f"## {library}{' ' + ', '.join(known) if known else ''}\n")
        parts.append(
            "\n".join([_line(COLUMNS), _line(["---"] * len(COLUMNS)), *map(_row, mine)]) + "\n"
        )
        parts += [
            f"- {each.row.mode}: luck decides, since {each.row.lucky}\n"
            for each in mine
            if each.row.lucky
        ]
    return "\n".join(parts)


def versions() -> str:
    """What the rows were run with, besides the libraries."""
    found = [f"Python {platform.python_version()}"]
    for name, command in (
        ("Node.js", ["node", "--version"]),
        ("PHP", ["php", "-r", "echo PHP_VERSION;"]),
    ):
        said = _said(command)
        found += [f"{name} {said.lstrip('v')}"] if said else []
    java = _said(["java", "--version"])
    return ", ".join([*found, *([java.splitlines()[0]] if java else [])])


def _said(command: list[str]) -> str:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=600, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _row(found: Comparison) -> str:
    def both(of: Callable[[Observed], object]) -> str:
        real = _span([of(each) for each in found.real])
        model = str(of(found.model))
        return real if real == model else f"{real} / {model}"

    same = (
        "equal"
        if all(each.talks == found.model.talks for each in found.real)
        else "lucky"
        if found.row.lucky
        else "differ"
    )
    return _line(
        [
            found.row.mode,
            str(found.row.messages),
            both(lambda seen: seen.accepted),
            both(lambda seen: seen.lost),
            both(_incidents),
            both(lambda seen: seen.connections),
            both(lambda seen: f"{seen.logins} ({seen.failed_logins})"),
            both(lambda seen: f"{seen.duration / 1e6:.2f}"),
            same,
            "yes" if found.holds else "no: " + "; ".join(found.differences),
        ]
    )


def _incidents(seen: Observed) -> str:
    return (
        ", ".join(f"{count} {limit}" for limit, count in sorted(seen.incidents.items())) or "none"
    )


def _span(values: Sequence[object]) -> str:
    different = list(dict.fromkeys(str(value) for value in values))
    return (
        different[0]
        if len(different) == 1
        else " to ".join((min(different, key=_order), max(different, key=_order)))
    )


def _order(text: str) -> tuple[float, str]:
    head = text.split()[0]
    return (float(head), text) if head.replace(".", "", 1).isdigit() else (0.0, text)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def missing_rows(rows: Iterable[Row], text: str) -> list[str]:
    """The modes of ``rows`` that ``text``, a table, has no line for."""
    declared = [row.mode for row in rows]
    return [mode for mode in declared if f"| {mode} |" not in text]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
