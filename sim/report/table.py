"""Many results as one table for a terminal or a pipe, and below it what went wrong and what to set.
Knows results and rich.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..measure.formatting import lasting, moment, plural
from ..measure.result import Result
from ..units import MICRO
from .exports import missed

WIDE = 110
"""From so many columns on sender and blocks have columns of their own; below, they stand under
scenario and incidents.
"""
NAME_LEAST = 12
"""A scenario's name is folded down to so many columns; where less is left, each result stands in
lines of its own.
"""
_STYLES = {"passed": "green", "failed": "bold red", "aborted": "bold red"}


def table(results: Sequence[Result], console: Console) -> None:
    """Prints a row for each result, then the failed expectations and the diagnosis of each that has
    any.
    """
    wide = console.width >= WIDE
    cells = [_cells(result, wide=wide) for result in results]
    if _least(cells, wide=wide) <= console.width:
        console.print(_rows(cells, wide=wide))
    else:
        for result in results:
            _stacked(result, console)
    for result in results:
        _explain(result, console)


def verdict(result: Result) -> str:
    """``passed``, ``failed`` (an expectation does not hold) or ``aborted``."""
    if result.ended == "aborted":
        return "aborted"
    return "passed" if result.passed else "failed"


def _titles(*, wide: bool) -> list[str]:
    """The columns behind the names."""
    return ["accepted", "lost", "a minute", "incidents", "p99", *["blocks"] * wide, "verdict"]


def _least(cells: Sequence[Sequence[Text]], *, wide: bool) -> int:
    """The columns of a terminal that a table of these cells needs: only names can be folded."""
    names = 1 + wide
    titles = _titles(wide=wide)
    widest = [
        max(
            cell_len(line)
            for line in [
                title,
                *(line for row in cells for line in row[names + index].plain.splitlines()),
            ]
        )
        for index, title in enumerate(titles)
    ]
    return names * NAME_LEAST + sum(widest) + 2 * (names + len(titles))


def _rows(cells: Sequence[Sequence[Text]], *, wide: bool) -> Table:
    rows = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for title in ["scenario", *["sender"] * wide]:
        rows.add_column(title, overflow="fold", min_width=NAME_LEAST)
    for title in _titles(wide=wide):
        rows.add_column(title, justify="left" if title == "verdict" else "right", no_wrap=True)
    for row in cells:
        rows.add_row(*row)
    return rows


def _stacked(result: Result, console: Console) -> None:
    """A result in lines of its own, for a terminal that is too narrow for a table."""
    _, sent, lost, minute, incidents, p99, told = _cells(result, wide=False)
    console.print(Text(f"{result.scenario}: ").append_text(told))
    for label, cell in (
        ("sender", Text(result.sender)),
        ("accepted", sent),
        ("lost", lost),
        ("a minute", minute),
        ("refused", incidents),
        ("p99", p99),
    ):
        _line(console, label, cell.plain.replace("\n", " "))


def _cells(result: Result, *, wide: bool) -> list[Text]:
    name = (
        [Text(result.scenario), Text(result.sender)]
        if wide
        else [Text(f"{result.scenario}\n").append(result.sender, "dim")]
    )
    told = verdict(result)
    sent = result.messages
    ceiling = result.throughput.ceiling_per_min
    blocks = len(result.blocks)
    return [
        *name,
        Text(f"{sent.accepted:,} of\n{sent.submitted:,}"),
        Text(f"{sent.lost:,}"),
        Text(
            f"{_rate(result.throughput.mean_per_min)} of\n{_rate(ceiling)}"
            if ceiling
            else _rate(result.throughput.mean_per_min)
        ),
        Text(
            f"{result.incidents.total:,}"
            + (f"\n{plural(blocks, 'block')}" if blocks and not wide else "")
        ),
        Text("-" if result.latency_s.p99 is None else _seconds(result.latency_s.p99)),
        *[Text(str(blocks))] * wide,
        Text(told, _STYLES[told]),
    ]


def _rate(per_min: float | None) -> str:
    if per_min is None:
        return "-"
    return f"{per_min:,.1f}" if per_min < 100 and per_min % 1 else f"{per_min:,.0f}"


def _seconds(value: float) -> str:
    micros = round(value * MICRO)
    return moment(micros) if micros >= MICRO or not micros else lasting(micros)


def _explain(result: Result, console: Console) -> None:
    """Failed expectations, the error and the diagnosis; nothing for a result that has none of them."""
    failed = [missed(outcome) for outcome in result.expectations if not outcome.passed]
    if not (failed or result.error or result.diagnosis):
        return
    console.print()
    console.print(
        Text(result.scenario, "bold").append(f": {verdict(result)}", _STYLES[verdict(result)])
    )
    for label, text in [("error", result.error)] * bool(result.error) + [
        ("expected", line) for line in failed
    ]:
        _line(console, label, text or "")
    for finding in result.diagnosis:
        console.print(Padding(Text(finding.limit or "no limit", "cyan"), (0, 0, 0, 2)))
        for label, text in (("what", finding.what), ("why", finding.why), ("fix", finding.fix)):
            _line(console, label, text)
    if result.command and verdict(result) != "passed":
        _line(console, "again", result.command)


def _line(console: Console, label: str, text: str) -> None:
    """A label and its text, which goes on beneath itself where it is wrapped."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=8, justify="right", style="dim")
    grid.add_column(overflow="fold")
    grid.add_row(Text(label), Text(text))
    console.print(Padding(grid, (0, 0, 0, 2)))
