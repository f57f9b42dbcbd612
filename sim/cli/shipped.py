"""``relaysim strategies`` and ``relaysim policies``: what is shipped, with options and numbers."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..relay import policy_file
from ..relay.policy import described
from ..strategies import catalogue
from ..strategies.catalogue import Strategy
from .common import print_json
from .status import HOLDS


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def strategies(as_json: bool) -> int:
    """What is shipped, with its options and their defaults."""
    found = [catalogue.shipped(name) for name in catalogue.SHIPPED]
    if as_json:
        print_json([_table(one) for one in found])
        return HOLDS
    for one in found:
        click.echo(
            f"{one.name}{f', a model of {one.library}' if one.library else ''}\n    {one.about}"
        )
        for line in _options(one):
            click.echo(f"    {line}")
    return HOLDS


def _table(one: Strategy) -> dict[str, object]:
    return {
        "name": one.name,
        "library": one.library,
        "about": one.about,
        "options": dict(one.options),
        "explained": dict(one.explained),
    }


def _options(one: Strategy) -> list[str]:
    """A line for each option that is explained, and one for all others."""
    written = {name: f"{name} = {json.dumps(value)}" for name, value in one.options.items()}
    explained = [
        f"{said}: {one.explained[name]}" for name, said in written.items() if name in one.explained
    ]
    others = [said for name, said in written.items() if name not in one.explained]
    return [
        *([f"options: {', '.join(others) or 'none'}"] if others or not explained else ["options:"]),
        *(f"  {each}" for each in explained),
    ]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def policies(as_json: bool) -> int:
    """The policies that are shipped, with their limits."""
    found = [policy_file.load(name, {}, "command line", Path()) for name in policy_file.shipped()]
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return HOLDS
    for one in found:
        click.echo(f"{one.name}: {one.title}\n    source: {one.source}")
        for line in described(one):
            click.echo(f"    {line}")
    return HOLDS
