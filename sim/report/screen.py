"""The live relay on a terminal while it runs: throughput, the use of each limit, the last incidents
and what they mean.

Knows results, a few numbers beside them, and rich; nothing of ports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich import box
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..measure.formatting import moment, plural
from ..measure.result import Result
from ..records import Incident
from ..relay.policy import Policy


class Moment(NamedTuple):
    """What is shown. ``rate`` is messages accepted in the last 60 s, ``uses`` the budget that each
    limit's busiest key uses.
    """

    where: str
    result: Result
    policy: Policy
    rate: int
    open: int
    uses: Mapping[str, int]
    latest: Sequence[Incident]


def screen(now: Moment) -> RenderableType:
    """The whole of it."""
    parts: list[RenderableType] = [_head(now), _limits(now)]
    if now.latest:
        parts += [_incidents(now), *_explanations(now)]
    return Group(*parts, Text("Ctrl-C ends it and prints the result", "dim"))


def _head(now: Moment) -> Text:
    result = now.result
    ceiling = now.result.throughput.ceiling_per_min
    most = f" of at most {ceiling:,.0f}" if ceiling else ""
    head = Text(
        f"{now.where}  {result.policy}  {moment(round(result.duration_s * 1_000_000))}\n", "bold"
    )
    head.append(f"{result.messages.accepted:,} accepted", "green").append(
        f", {now.rate:,}{most} in the last minute"
    )
    head.append(f", {now.open:,} open, {plural(result.logins.accepted, 'login')}")
    if result.logins.failed:
        head.append(f", {plural(result.logins.failed, 'wrong password')}", "yellow")
    if result.incidents.total:
        head.append(f", {plural(result.incidents.total, 'incident')}", "bold red")
    return head


def _limits(now: Moment) -> Table:
    rows = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("limit", "in use", "of", "", "refused"):
        rows.add_column(
            title, justify="right" if title in ("in use", "of", "refused") else "left", no_wrap=True
        )
    for kind, spec in now.policy.by_kind():
        name = kind.name
        count = spec.count
        used = now.uses.get(name, 0)
        refused = now.result.incidents.by_limit.get(name, 0)
        style = "yellow" if used >= 0.8 * count else "green"
        if used > count:
            style = "red"
        bar = ProgressBar(
            total=count,
            completed=min(used, count),
            width=30,
            complete_style=style,
            finished_style=style,
        )
        rows.add_row(
            name,
            Text(f"{used:,}", style),
            f"{count:,}",
            bar,
            Text(f"{refused:,}", "bold red" if refused else "dim"),
        )
    return rows


def _incidents(now: Moment) -> Table:
    rows = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("at", "limit", "answer", "who"):
        rows.add_column(title, no_wrap=title != "who", overflow="fold")
    for row in reversed(now.latest):
        who = " at ".join(part for part in (row.username, row.ip) if part)
        answer = "dropped" if row.code is None else f"{row.code}"
        rows.add_row(
            moment(row.at),
            Text(row.limit, "cyan"),
            answer,
            Text(f"{who}, connection {row.connection}"),
        )
    return rows


def _explanations(now: Moment) -> list[RenderableType]:
    """Why and what to set, for the limits of the incidents that are shown."""
    shown = {row.limit for row in now.latest}
    return [
        Text.assemble((f"{found.limit}: ", "cyan"), f"{found.why} ", (found.fix, "bold"))
        for found in now.result.diagnosis
        if found.limit in shown
    ]
