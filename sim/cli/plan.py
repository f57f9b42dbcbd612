"""``relaysim plan``: reads the demand and the resources of a call, prints the answer. Knows nothing
of how a plan is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from .. import units
from ..errors import ScenarioError
from ..plan import (
    Demand,
    Plan,
    Resources,
    Standard,
    Way,
    at_rate,
    beside_campaign,
    by_deadline,
    of_day,
    of_trace,
    plan,
)
from ..report.plan import print_plan, write_plan
from ..scenario.toml import toml_value
from .common import console, print_json, progress_bar
from .status import FAILS, HOLDS


@click.command(name="plan")
@click.option(
    "--messages", type=click.IntRange(1, 10_000_000), help="So many messages, all there at once ..."
)
@click.option("--within", help="... accepted within this time, such as 2h.")
@click.option(
    "--rate",
    help="Or a rate such as 300/min: with messages always waiting, or at random with --p99.",
)
@click.option(
    "--p99", help="99 of 100 messages accepted so soon after they were submitted, such as 5s."
)
@click.option(
    "--profile",
    help="Or a day: 24 messages-an-hour values from midnight, with commas, or a file with them. Needs --p99.",
)
@click.option(
    "--trace",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Or recorded arrivals, as in a scenario. Needs --p99.",
)
@click.option(
    "--beside",
    metavar="RATE",
    help="With --messages, --within and --p99: mail that is not to wait for the campaign.",
)
@click.option(
    "--lasts",
    metavar="DURATION",
    help="How long a rate is held in the proof.  [default: 10m; 30m with --p99]",
)
@click.option(
    "--usernames",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="The most usernames there are.",
)
@click.option(
    "--ips",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="The most IPs there are.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 1000),
    default=100,
    show_default=True,
    help="The most workers.",
)
@click.option(
    "--rtt",
    help="The round trip to the relay, such as 40ms, or the range it is in, such as 20ms..150ms.",
)
@click.option(
    "--tls",
    type=click.Choice(["none", "starttls", "implicit"]),
    help="How connections are encrypted.  [default: starttls]",
)
@click.option(
    "--for",
    "strategy",
    default="paced",
    show_default=True,
    metavar="LIBRARY",
    help="A library or strategy to plan for.",
)
@click.option("--confidence", default="95%", show_default=True, help="Of every interval.")
@click.option(
    "--share",
    default="90%",
    show_default=True,
    help="The share of runs that must meet the demand, at that confidence.",
)
@click.option(
    "--replications",
    type=click.IntRange(2, 10_000),
    help="Runs of the proof, instead of as many as the share needs.",
)
@click.option(
    "--precision",
    default="2%",
    show_default=True,
    help="Of the means: more runs are made until they are so certain.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the scenario, the snippet and the figures.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Lay a dotted scenario key on the plan, such as policy.logins_per_username=240.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**62),
    default=1,
    show_default=True,
    help="The seed of the first replication.",
)
@click.option(
    "--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes to use."
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON on stdout.")
def plan_(
    out: Path | None,
    as_json: bool,
    strategy: str,
    settings: Sequence[str],
    seed: int,
    jobs: int,
    **given: Any,
) -> int:
    """Settings that will do it, with their proof; or which limit forbids it, and what would change that.

    \b
    relaysim plan --messages 50000 --within 2h
    relaysim plan --rate 300/min --p99 5s --usernames 3
    relaysim plan --messages 20000 --within 1h --beside 30/min --p99 10s
    """  # noqa: D301 - click wants the sign itself
    demand = demand_of(given)
    way = way_of(given["rtt"])
    _only_the_world(settings)
    fixed = [*settings, *([f"network.tls={given['tls']}"] if given["tls"] else [])]
    standard = Standard(
        _part(given["confidence"], "--confidence"),
        _part(given["share"], "--share"),
        given["replications"],
        _part(given["precision"], "--precision"),
    )
    resources = Resources(given["usernames"], given["ips"], given["workers"])
    with progress_bar() as progress:
        bar = progress.add_task("search", total=None)
        found = plan(
            demand,
            strategy=strategy,
            resources=resources,
            settings=fixed,
            rtt=way,
            standard=standard,
            seed=seed,
            jobs=jobs,
            on_progress=lambda done, total, what: progress.update(
                bar, completed=done, total=total, description=what
            ),
        )
    if as_json:
        print_json(found.to_dict())
    else:
        print_plan(found, console())
    if out:
        _write(found, out)
    return HOLDS if found.feasible else FAILS


def demand_of(given: dict[str, Any]) -> Demand:
    """The demand of a call; ScenarioError for one that is none, or for two at once."""
    kinds = [name for name in ("messages", "rate", "profile", "trace") if given[name] is not None]
    if len(kinds) != 1:
        said = "no demand" if not kinds else f"{len(kinds)} demands at once"
        raise _mistake(
            "plan",
            f"{said}; give --messages with --within, or --rate, or --profile or --trace with --p99",
        )
    if kinds == ["messages"]:
        return _campaign(given)
    _only(given, kinds[0], "within", "beside")
    p99 = _duration(given["p99"], "--p99") if given["p99"] else None
    if kinds == ["rate"]:
        return at_rate(
            _rate(given["rate"], "--rate"),
            p99,
            _duration(given["lasts"], "--lasts") if given["lasts"] else None,
        )
    _only(given, kinds[0], "lasts")
    if p99 is None:
        raise _mistake("--p99", f"is required with --{kinds[0]}; write it like 5s")
    return (
        of_day(_profile(given["profile"]), p99)
        if kinds == ["profile"]
        else of_trace(given["trace"], p99)
    )


FOUND = {
    "workload": "is the demand's; say it with --messages, --rate, --profile or --trace",
    "sender": "is what a plan finds; --for names the library, --workers, --usernames and --ips the most of each",
    "expect": "is what a plan proves; say it with --within or --p99",
    "seed": "is --seed here",
    "title": "is made of the demand",
}
"""Tables of a scenario that are the plan's own, and what to write instead."""


def _only_the_world(settings: Sequence[str]) -> None:
    wrong = [
        _mistake(f"--set {key}", FOUND[table])
        for key, equals, _ in (setting.partition("=") for setting in settings)
        if (table := key.partition(".")[0].strip()) in FOUND and equals
    ]
    if wrong:
        raise ScenarioError.joined(wrong)


def _campaign(given: dict[str, Any]) -> Demand:
    _only(given, "messages", "lasts")
    if not given["within"]:
        raise _mistake("--within", "is required with --messages; write it like 2h")
    within = _duration(given["within"], "--within")
    if (given["beside"] is None) != (given["p99"] is None):
        raise _mistake(
            "--beside",
            "and --p99 go together where there is a campaign: what is not to wait, and how long at most",
        )
    if given["beside"] is None:
        return by_deadline(given["messages"], within)
    return beside_campaign(
        given["messages"],
        within,
        _rate(given["beside"], "--beside"),
        _duration(given["p99"], "--p99"),
    )


def _only(given: dict[str, Any], kind: str, *others: str) -> None:
    for name in others:
        if given[name] is not None:
            raise _mistake(f"--{name}", f"does not go with --{kind}")


def way_of(text: str | None) -> Way | None:
    """The round trip of ``40ms`` or ``20ms..150ms``; None where it is not given."""
    if text is None:
        return None
    low, dots, high = text.partition("..")
    first = _duration(low, "--rtt")
    last = _duration(high if dots else low, "--rtt")
    if last < first:
        raise _mistake("--rtt", f'"{text}" ends before it begins; write the shorter one first')
    return Way(first, last)


def _profile(text: str) -> list[float]:
    path = Path(text)
    try:
        whole = path.read_text(encoding="utf-8") if "," not in text else text
        return [float(part) for part in whole.replace(",", " ").split()]
    except OSError as error:
        raise _mistake(
            "--profile", f'"{text}" is neither 24 values with commas nor a file: {error.strerror}'
        ) from None
    except ValueError:
        raise _mistake(
            "--profile", "holds something that is no number; 24 messages-an-hour values are needed"
        ) from None


def _duration(text: str, key: str) -> int:
    try:
        return units.duration(toml_value(text))
    except ValueError as error:
        raise _mistake(key, str(error)) from None


def _rate(text: str, key: str) -> Fraction:
    try:
        return units.rate(text)
    except ValueError as error:
        raise _mistake(key, str(error)) from None


def _part(text: str, key: str) -> float:
    """0.95 of ``95%`` or ``0.95``."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise _mistake(key, f'"{text}" is not a share above 0 and below 1; write it like 95%')
    return value


def _mistake(key: str, problem: str) -> ScenarioError:
    return ScenarioError("command line", key, problem)


def _write(found: Plan, out: Path) -> None:
    try:
        with progress_bar() as progress:
            bar = progress.add_task("figures", total=None)
            written = write_plan(found, out, lambda: progress.advance(bar))
    except OSError as error:
        raise ScenarioError(
            str(out), "--out", f"cannot be written: {error.strerror or error}"
        ) from None
    click.echo(f"{len(written)} files written to {out}", err=True)
