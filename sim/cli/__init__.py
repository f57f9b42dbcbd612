"""The command line: the commands by name, each in a module of its own that is read when it is
called.

A command reads its call, hands the work to the packages below and prints: results to stdout,
progress and prose to stderr. A person's mistake is one line on stderr and status 2, never a
traceback. Knows nothing of how a run is done.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from ..errors import ScenarioError, nearest
from .status import STOPPED, WRONG
from .streams import endure

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS = {
    "run": "run:run",
    "try": "try_:try_",
    "validate": "validate:validate",
    "plan": "plan:plan_",
    "sweep": "sweep:sweep_",
    "serve": "serve:serve",
    "ui": "ui:ui",
    "check": "check:check",
    "strategies": "shipped:strategies",
    "policies": "shipped:policies",
}
"""Every command: the module in this package and the name in it, in the order in which help lists
them.
"""


class Commands(click.Group):
    """Imports a command when it is asked for, so that none pays for what another needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of :data:`COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of that name, or None."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        found: click.Command = getattr(import_module(f".{module}", __name__), attribute)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of a call; a mistake names the nearest."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"{args[0]} is no command{nearest(args[0], COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="relaysim")
def cli() -> None:
    """What will the relay do to my sender? Find out before production does."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script: exits with 0, 1 or 2, as ``scenarios/REFERENCE.md`` has it."""
    endure()
    try:
        status = cli.main(
            args=None if arguments is None else list(arguments), standalone_mode=False
        )
        sys.stdout.flush()
    except ScenarioError as error:
        click.echo(str(error), err=True)
        status = WRONG
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        status = STOPPED
    except KeyboardInterrupt:
        status = STOPPED
    except click.ClickException as error:
        click.echo(_said(error), err=True)
        status = WRONG
    sys.exit(status)


def _said(error: click.ClickException) -> str:
    """One line with the place where more is said; the help itself where a call says nothing at all."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message()
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = error.format_message().replace(
        "is not a valid integer range.", "is not a whole number."
    )
    return f"{message}  ({context.command_path if context else 'relaysim'} --help shows what is allowed)"
