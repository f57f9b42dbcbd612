"""``relaysim strategies`` and ``relaysim policies``: what is shipped, with options and numbers."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..relay import policy as policies_of
from ..strategies import catalogue
from .common import HOLDS


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def strategies(as_json: bool) -> int:
    """What is shipped, with its options and their defaults."""
    found = [catalogue.shipped(name) for name in catalogue.SHIPPED]
    if as_json:
        click.echo(
            json.dumps([{"name": one.name, "about": one.about, "options": dict(one.options)} for one in found], indent=1)
        )
        return HOLDS
    for one in found:
        options = ", ".join(f"{name} = {json.dumps(value)}" for name, value in one.options.items())
        click.echo(f"{one.name}\n    {one.about}\n    options: {options or 'none'}")
    return HOLDS


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def policies(as_json: bool) -> int:
    """The policies that are shipped, with their limits."""
    found = [policies_of.load(name, {}, "command line", Path()) for name in policies_of.shipped()]
    if as_json:
        click.echo(json.dumps([one.model_dump(mode="json") for one in found], indent=1))
        return HOLDS
    for one in found:
        click.echo(f"{one.name}: {one.title}\n    source: {one.source}")
        for line in policies_of.described(one):
            click.echo(f"    {line}")
    return HOLDS
