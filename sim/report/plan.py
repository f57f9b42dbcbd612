"""A plan for people: the settings, how sure they are, what binds, what the neighbours do; and its
files. Knows Plans and rich.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..measure.formatting import moment, number
from ..plan import Plan
from ..plan.curves import MOST_MESSAGES, drain_curve, latency_curve
from ..plan.estimates import Estimate
from ..units import MICRO
from . import plan_figures


def print_plan(plan: Plan, console: Console) -> None:
    """Prints the answer, then the numbers behind it."""
    console.print(
        Text(
            "feasible" if plan.feasible else "not feasible",
            "green" if plan.feasible else "bold red",
        )
    )
    console.print(Text(plan.why))
    console.print()
    if plan.feasible:
        console.print(_numbers(plan))
        console.print()
    console.print(_ceilings(plan))
    for label, text in _lines(plan):
        _line(console, label, text)
    if plan.snippet:
        console.print()
        console.print(Text(plan.snippet.rstrip()), soft_wrap=True)


def _numbers(plan: Plan) -> Table:
    found = plan.predicted
    assert found, "a feasible plan has its proof"
    assert plan.p_deadline, "and its share"
    rows = _table("predicted", "mean", "a run lies between", "the mean lies between")
    for name, one, told in (
        ("messages a minute", found.throughput, number),
        ("last one accepted after", found.drain_s, _time),
        ("p99 of latency", found.latency_s, _time),
        ("incidents", found.incidents, number),
    ):
        rows.add_row(
            name, *(told(value) for value in (one.mean,)), _range(one, told), _mean_range(one, told)
        )
    rows.add_row(
        "share of runs that meet it",
        f"{plan.p_deadline.mean:.0%}",
        "",
        f"{plan.p_deadline.low:.1%} to {plan.p_deadline.high:.1%}",
    )
    return rows


def _range(one: Estimate, told: object) -> str:
    assert callable(told), "a function of a number"
    return f"{told(max(0.0, one.low))} to {told(one.high)}"


def _mean_range(one: Estimate, told: object) -> str:
    assert callable(told), "a function of a number"
    return f"{told(max(0.0, one.mean_low))} to {told(one.mean_high)}"


def _ceilings(plan: Plan) -> Table:
    rows = _table("ceiling", "a minute", "reached", "because")
    for one in plan.ceilings:
        per_min = "-" if one.per_min is None else f"{float(one.per_min):,.1f}"
        binds = "yes" if one.reachable else "never"
        if one.limit == plan.binding:
            binds = "binds first"
        rows.add_row(one.limit, per_min, binds, one.term)
    return rows


def _lines(plan: Plan) -> list[tuple[str, str]]:
    lines = [
        (one.change, _neighbour(one.meets, one.per_min, one.drain_s, one.incidents))
        for one in plan.frontier
    ]
    if plan.rtt_s:
        low, high = (number(value * 1000) for value in plan.rtt_s)
        lines.append(("holds for", f"round trips of {low} to {high} ms"))
    if plan.headroom:
        lines.append(
            ("unused", ", ".join(f"{name} {share:.0%}" for name, share in plan.headroom.items()))
        )
    against = [name for name, holds in plan.readings.items() if not holds]
    if plan.feasible:
        lines.append(
            (
                "readings",
                f"all {len(plan.readings)} hold"
                if not against
                else f"fails under {', '.join(against)}",
            )
        )
        lines.append(("replications", f"{plan.replications}"))
    if plan.probe:
        lines.append(("probe", plan.probe.words()))
    return lines


def _neighbour(meets: bool, per_min: float, drain_s: float, incidents: int) -> str:
    verdict = "would do it too" if meets else "would not do it"
    return f"{verdict}: {number(round(per_min, 1))} a minute, the last one after {_time(drain_s)}, {incidents:,} incidents"


def _table(*titles: str) -> Table:
    rows = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for index, title in enumerate(titles):
        rows.add_column(
            title, overflow="fold", justify="right" if index == 1 else "left", no_wrap=index == 1
        )
    return rows


def _line(console: Console, label: str, text: str) -> None:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=18, justify="right", style="dim")
    grid.add_column(overflow="fold")
    grid.add_row(Text(label), Text(text))
    console.print(grid)


def _time(seconds: float) -> str:
    return moment(round(seconds * MICRO))


def write_plan(plan: Plan, folder: Path, on_step: Callable[[], object] | None = None) -> list[Path]:
    """Writes plan.json and, of a feasible plan, plan.toml (the proof), plan.snippet.txt and two
    figures; returns what it wrote.

    ``on_step()`` is called as each run of the figures is done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "plan.json": json.dumps(plan.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        + "\n",
        "plan.toml": plan.scenario,
        "plan.snippet.txt": plan.snippet,
    }
    written = []
    for name, text in texts.items():
        if text:
            (folder / name).write_text(text, encoding="utf-8")
            written.append(folder / name)
    if plan.feasible:
        drained = f"{min(plan.demand.messages, MOST_MESSAGES):,} messages, all there at once"
        for name, figure in (
            (
                "plan.latency.png",
                plan_figures.latency(latency_curve(plan, on_step=on_step), plan.demand.asked),
            ),
            ("plan.drain.png", plan_figures.drain(drain_curve(plan, on_step=on_step), drained)),
        ):
            figure.savefig(folder / name)
            written.append(folder / name)
    return written
