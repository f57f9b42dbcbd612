"""``relaysim validate``: a strategy against a battery of worlds. Knows nothing of the worlds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from .. import battery
from .common import FAILS, HOLDS, common, console, patience_of, progress_bar, tables_of_call


@click.command()
@click.argument("strategy", metavar="FILE.py:NAME")
@click.argument("settings_given", nargs=-1, metavar="[OPTION=VALUE]...")
@click.option("--seeds", type=click.IntRange(1, 1000), default=3, show_default=True, help="Seeds for each world and window.")
@common
def validate(strategy: str, settings_given: Sequence[str], seeds: int, as_json: bool, settings: Sequence[str], seed: int | None, jobs: int,
             patience: str) -> int:  # fmt: skip
    """A strategy against a battery of worlds: bursts, a slow relay, dropped connections, a stale password and more."""
    tables, dotted = tables_of_call(strategy, settings_given)
    sender = [
        f"sender.{key}={json.dumps(value)}" for key, value in tables["sender"].items() if key not in ("strategy", "options")
    ]
    with progress_bar() as progress:
        bar = progress.add_task("worlds", total=None)
        verdict = battery.validate(
            strategy, Path(), options=tables["sender"]["options"], seeds=seeds, first_seed=1 if seed is None else seed, jobs=jobs,
            patience=patience_of(patience), overrides=[*sender, *dotted, *settings], on_result=lambda *_: progress.advance(bar),
        )  # fmt: skip
    if as_json:
        click.echo(json.dumps(verdict.to_dict(), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        battery.print_verdict(verdict, console())
    return HOLDS if verdict.passed else FAILS
