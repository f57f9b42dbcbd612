"""``relaysim try``: one run without a file. Knows nothing of how it is run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from .. import report
from ..errors import ScenarioError
from ..scenario import build
from .common import common, console, print_json_text, run_all, status_of, tables_of_call


@click.command(name="try")
@click.argument("strategy")
@click.argument("settings_given", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "-n",
    "messages",
    type=click.IntRange(1, 10_000_000),
    help="So many messages, all at once.  [default: 1000]",
)
@common
def try_(
    strategy: str,
    settings_given: Sequence[str],
    messages: int | None,
    as_json: bool,
    settings: Sequence[str],
    seed: int | None,
    jobs: int,
    patience: str,
) -> int:
    """One run without a file. KEY is an option of the strategy's; workers, usernames and ips are
    the sender's, another dotted KEY is a scenario's.
    """
    tables, dotted = tables_of_call(strategy, settings_given)
    if messages is not None or not any(
        _other_workload(setting) for setting in [*dotted, *settings]
    ):
        tables["workload"] = {"kind": "batch", "messages": messages or 1000}
    seeded = [] if seed is None else ["--seed", str(seed)]
    command = shlex.join(
        [
            "relaysim",
            "try",
            strategy,
            *settings_given,
            *([] if messages is None else ["-n", str(messages)]),
            *seeded,
            *(part for setting in settings for part in ("--set", setting)),
        ]
    )
    scenario = replace(
        build(tables, "command line", strategy, Path(), [*dotted, *settings], seed), command=command
    )
    answer = run_all([scenario], jobs, patience)[0]
    if isinstance(answer, ScenarioError):
        raise answer
    if as_json:
        print_json_text(answer.to_json())
    else:
        report.table([answer], console())
    return status_of([answer], [])


def _other_workload(setting: str) -> bool:
    """Whether a setting asks for another workload than so many messages at once."""
    key = setting.partition("=")[0]
    return key.startswith("workload") and key != "workload.messages"
