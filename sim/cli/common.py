"""What the commands share: common options, how scenarios are run, and the consoles.

Knows nothing of any one command.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .. import units
from ..errors import ScenarioError
from ..measure import Result
from ..runner import PATIENCE, Answer, OnResult, run_many
from ..scenario import Scenario
from ..scenario.toml import toml_value
from ..strategies import catalogue
from .status import FAILS, HOLDS, WRONG
from .streams import utf8


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of everything that runs something."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print results as JSON on stdout."),
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="KEY=VALUE",
            help="Lay a dotted scenario key on every scenario.",
        ),
        click.option(
            "--seed", type=click.IntRange(0, 2**63 - 1), help="The seed, instead of the scenario's."
        ),
        click.option(
            "--jobs",
            type=click.IntRange(1, 256),
            default=1,
            show_default=True,
            help="Processes to use.",
        ),
        click.option(
            "--patience",
            default=f"{PATIENCE:g}s",
            show_default=True,
            help="Real time that a strategy may be stuck.",
        ),
    ):
        command = option(command)
    return command


def tables_of_call(strategy: str, given: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The tables of a call without a file, and the dotted settings to lay on them."""
    sender: dict[str, Any] = {"strategy": strategy, "options": {}}
    dotted: list[str] = []
    for setting in given:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise ScenarioError(
                "command line",
                setting,
                "is not KEY=VALUE; write it like size=5, workers=4 or policy.window=sliding",
            )
        if "." in key and not _declares(strategy, key):
            dotted.append(setting)
        elif key in ("workers", "usernames", "ips"):
            sender[key] = toml_value(value)
        else:
            sender["options"][key] = toml_value(value)
    return {"sender": sender}, dotted


def _declares(strategy: str, option: str) -> bool:
    """Whether a dotted name is an option of a shipped strategy, or one misspelt behind its first
    dot.
    """
    family = option.partition(".")[0] + "."
    return strategy in catalogue.SHIPPED and any(
        each.startswith(family) for each in catalogue.shipped(strategy).options
    )


def run_all(
    scenarios: Sequence[Scenario],
    jobs: int,
    patience: str,
    keep: OnResult = lambda index, answer: None,
) -> list[Answer]:
    """Runs them with a progress bar; ``patience`` is a duration as text. ``keep`` is given each
    answer as soon as it is there.
    """
    seconds = patience_of(patience)
    with progress_bar() as progress:
        bar = progress.add_task("scenarios", total=len(scenarios))

        def told(index: int, answer: Answer) -> None:
            keep(index, answer)
            progress.advance(bar)

        return run_many(scenarios, jobs=jobs, patience=seconds, on_result=told)


def patience_of(text: str) -> float:
    """Seconds of ``--patience``, at least one; ScenarioError for what is no duration."""
    try:
        return max(1.0, units.seconds(units.duration(toml_value(text))))
    except ValueError as error:
        raise ScenarioError("command line", "--patience", str(error)) from None


def status_of(results: Sequence[Result], wrong: Sequence[ScenarioError]) -> int:
    """The exit status; prints the mistakes, one line each."""
    for error in wrong:
        click.echo(str(error), err=True)
    if wrong:
        return WRONG
    return HOLDS if all(result.passed for result in results) else FAILS


def print_json(value: Any) -> None:
    """The one way in which JSON goes to stdout: in UTF-8."""
    print_json_text(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def print_json_text(text: str) -> None:
    """JSON that is text already."""
    utf8()
    click.echo(text)


def console() -> Console:
    """Where results go."""
    return Console(file=sys.stdout, soft_wrap=False)


def progress_bar() -> Progress:
    """Where progress goes: stderr, on a terminal only."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    )
