"""``relaysim validate``: a strategy against a battery of worlds, or what follows ``--`` against the
live relay.

Knows nothing of the worlds, and of the other form only where it is.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from .. import battery
from ..errors import ScenarioError
from ..strategies.catalogue import SHIPPED
from .common import common, console, patience_of, print_json, progress_bar, tables_of_call
from .status import FAILS, HOLDS


class TwoForms(click.Command):
    """With ``--`` in the call it is the command of ``validate_program``, whose options are its own."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """The context of the form that was called."""
        if "--" not in args:
            return super().make_context(info_name, args, parent, **extra)
        behind = len(args) - args.index("--") - 1
        context = self._other().make_context(info_name, args, parent, **extra)
        program = context.params["program"]
        if len(program) > behind:
            raise click.UsageError(
                f"{program[0]} stands before --; a strategy and a program do not go together"
            )
        return context

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The other form's help, below this one's."""
        other = self._other()
        formatter.write_paragraph()
        with click.Context(other, info_name=ctx.info_name, parent=ctx.parent) as its:
            other.format_help(its, formatter)

    @staticmethod
    def _other() -> click.Command:
        from .validate_program import (
            validate_program,
        )  # read when it is called: it needs the live relay

        return validate_program


@click.command(cls=TwoForms)
@click.argument("strategy", metavar="FILE.py:NAME")
@click.argument("settings_given", nargs=-1, metavar="[OPTION=VALUE]...")
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    default=3,
    show_default=True,
    help="Seeds for each world and window.",
)
@common
def validate(
    strategy: str,
    settings_given: Sequence[str],
    seeds: int,
    as_json: bool,
    settings: Sequence[str],
    seed: int | None,
    jobs: int,
    patience: str,
) -> int:
    """A strategy against a battery of worlds: bursts, a slow relay, dropped connections, a stale
    password and more.
    """
    _no_program(strategy, settings_given)
    tables, dotted = tables_of_call(strategy, settings_given)
    sender = [
        f"sender.{key}={json.dumps(value)}"
        for key, value in tables["sender"].items()
        if key not in ("strategy", "options")
    ]
    with progress_bar() as progress:
        bar = progress.add_task("worlds", total=None)
        verdict = battery.validate(
            strategy,
            Path(),
            options=tables["sender"]["options"],
            seeds=seeds,
            first_seed=1 if seed is None else seed,
            jobs=jobs,
            patience=patience_of(patience),
            overrides=[*sender, *dotted, *settings],
            on_result=lambda *_: progress.advance(bar),
        )
    if as_json:
        print_json(verdict.to_dict())
    else:
        battery.print_verdict(verdict, console())
    return HOLDS if verdict.passed else FAILS


def _no_program(strategy: str, given: Sequence[str]) -> None:
    """ScenarioError where a program stands in a strategy's place: -- was forgotten."""
    if ":" not in strategy and strategy not in SHIPPED and shutil.which(strategy):
        again = shlex.join(["relaysim", "validate", "--", strategy, *given])
        raise ScenarioError(
            "command line", strategy, f"is a program and no strategy; write {again}"
        )
