"""A verdict for a person at a terminal: worlds by windows, then why each failing world fails, and
how to see it again.
"""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..limits import WINDOWS
from ..measure.formatting import plural
from .verdict import Verdict, World, smallest
from .worlds import WORLDS, Kind


def print_verdict(verdict: Verdict, console: Console) -> None:
    """Prints the grid of runs that passed, the reason for each world that did not, and the command
    for the smallest failure.
    """
    console.print(_grid(verdict))
    failing = {
        kind: [one for one in verdict.worlds if one.world == kind.name and not one.passed]
        for kind in WORLDS
    }
    for kind, runs in failing.items():
        if runs:
            _explain(kind, runs, console)
    bad = sum(map(len, failing.values()))
    if bad:
        console.print(Text(f"failed: {bad:,} of {plural(len(verdict.worlds), 'run')}", "bold red"))
    else:
        console.print(Text(f"passed: all of {plural(len(verdict.worlds), 'run')}", "bold green"))
    if found := verdict.smallest_failing:
        console.print("the smallest failing run again:")
        # Unwrapped, so that it can be copied.
        console.print(Text(found.command), soft_wrap=True)


def _grid(verdict: Verdict) -> Table:
    table = Table("world", title="runs passed, by window", title_justify="left")
    for window in WINDOWS:
        table.add_column(window, justify="right")
    for kind in WORLDS:
        cells = [
            [one for one in verdict.worlds if (one.world, one.window) == (kind.name, window)]
            for window in WINDOWS
        ]
        table.add_row(kind.name, *map(_cell, cells))
    return table


def _cell(runs: list[World]) -> Text:
    passed = sum(one.passed for one in runs)
    return Text(f"{passed} of {len(runs)}", "green" if passed == len(runs) else "bold red")


def _explain(kind: Kind, runs: list[World], console: Console) -> None:
    found = smallest(runs)
    assert found, "only a world with a failing run is explained"
    console.print(Text(kind.name, "bold"), Text(f"- {kind.proves}", "dim"))
    console.print(
        Padding(Text(f"{found.window} window, seed {found.seed}: {found.why}"), (0, 0, 0, 2))
    )
    for finding in found.result.diagnosis:
        console.print(Padding(Text(f"fix: {finding.fix}"), (0, 0, 0, 2)))
