"""``relaysim check``: what the relay would do to a sender that is configured already. Knows how it
is printed, not how it is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from .. import check as checking
from ..check import Checked, Finding
from ..units import spoken
from .common import print_json
from .status import FAILS, HOLDS


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--kind",
    type=click.Choice(sorted(checking.KINDS)),
    help="What the file is.  [default: by its name and text]",
)
@click.option(
    "--policy", metavar="NAME", help="A shipped policy, or a path.  [default: mailersend]"
)
@click.option(
    "-n",
    "messages",
    type=click.IntRange(1, 1_000_000),
    default=1000,
    show_default=True,
    help="Messages, all at once.",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Lay a dotted scenario key on the runs.",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="The seed of the runs.")
def check(
    file: Path,
    kind: str | None,
    policy: str | None,
    messages: int,
    as_json: bool,
    settings: Sequence[str],
    seed: int | None,
) -> int:
    """Read a configuration - Nodemailer's options as JSON, Django's settings, Postfix's main.cf -
    and say what the relay does to it.
    """
    overrides = [*([] if policy is None else [f"policy.use={policy}"]), *settings]
    command = [
        "relaysim",
        "check",
        str(file),
        *([] if kind is None else ["--kind", kind]),
        *([] if policy is None else ["--policy", policy]),
        *(["-n", str(messages)] if messages != 1000 else []),
        *(part for one in settings for part in ("--set", one)),
        *([] if seed is None else ["--seed", str(seed)]),
    ]
    found = checking.check(
        file, kind=kind, messages=messages, overrides=overrides, seed=seed, command=command
    )
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found)
    return HOLDS if found.passed else FAILS


def _print(found: Checked) -> None:
    click.echo(f"{found.place}: {found.kind}, judged at {found.policy}{_circumstances(found)}")
    for one in found.findings:
        click.echo(_line(found.place, one))
        for said in (one.why, f"instead: {one.instead}" if one.instead else ""):
            if said:
                click.echo(f"    {said}")
    for run in found.runs:
        messages = run.result.messages
        incidents = run.result.incidents.total
        click.echo(
            f"{run.usage.title}: {messages.accepted:,} of {messages.submitted:,} accepted, {messages.lost:,} lost, "
            f"{incidents:,} incident{'' if incidents == 1 else 's'}"
        )
    if found.unmodelled:
        click.echo(found.unmodelled)
    if found.snippet:
        click.echo(f"\nThis was run too, and nothing is refused:\n\n{found.snippet.rstrip()}")
    elif found.better:
        click.echo(
            f"This was run too, and nothing is refused: {', '.join(f'{name} = {value}' for name, value in found.better.items())}"
        )
    elif not found.passed and found.runs:
        click.echo("No setting is known that is refused nowhere; relaysim plan searches for one.")
    if found.passed:
        click.echo(
            "passed: nothing of this is refused"
            if found.runs
            else "passed: nothing of this was run"
        )


def _circumstances(found: Checked) -> str:
    """What it was judged by beyond the file."""
    if found.rtt is None:
        return ""
    return f", {found.runs[0].result.messages.submitted:,} messages at once over round trips of {spoken(found.rtt)}"


def _line(place: str, one: Finding) -> str:
    at = f"{place}:{one.line}" if one.line is not None else place
    return f"{at}: {'' if one.refused else 'note: '}{one.what}"
