"""The command line: run, try, validate, strategies, policies (CONTRACT section 4).

Reads the call, hands the work to the packages below and prints: results to stdout, progress and prose to stderr. A person's
mistake is one line on stderr and status 2, never a traceback. Knows nothing of how a run is done.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from . import battery, report
from .errors import ScenarioError
from .measure import Result
from .relay import policy as policies_of
from .runner import PATIENCE, Answer, run_many
from .scenario import Scenario, build, load_scenario
from .strategies import catalogue

HOLDS, FAILS, WRONG = 0, 1, 2
"""Exit status: all expectations hold; one does not or a run was aborted; the call or a file is wrong (2 outranks 1)."""


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of everything that runs something."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print results as JSON on stdout."),
        click.option(
            "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Lay a dotted scenario key on every scenario."
        ),
        click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="The seed, instead of the scenario's."),
        click.option("--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes to use."),
        click.option("--patience", default=f"{PATIENCE:g}s", show_default=True, help="Real time that a strategy may be stuck."),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="relaysim")
def cli() -> None:
    """What will the relay do to my sender? Find out before production does."""


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for JSON, CSV, figures and JUnit.")
@common
def run(
    paths: Sequence[Path], out: Path | None, as_json: bool, settings: Sequence[str], seed: int | None, jobs: int, patience: str
) -> int:
    """Run scenario files, and folders of them."""
    scenarios, wrong = _loaded(paths, settings, seed)
    answers = _run_all(scenarios, jobs, patience)
    wrong += [answer for answer in answers if isinstance(answer, ScenarioError)]
    done = [(answer, scenario) for answer, scenario in zip(answers, scenarios, strict=True) if isinstance(answer, Result)]
    results = [answer for answer, _ in done]
    if as_json:
        click.echo(json.dumps([result.to_dict() for result in results], indent=1, ensure_ascii=False, allow_nan=False))
    elif results:
        report.table(results, _console())
    if out:
        _write(done, wrong, out)
    return _status(results, wrong)


@cli.command(name="try")
@click.argument("strategy")
@click.argument("settings_given", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("-n", "messages", type=click.IntRange(1, 10_000_000), help="So many messages, all at once.  [default: 1000]")
@common
def try_(strategy: str, settings_given: Sequence[str], messages: int | None, as_json: bool, settings: Sequence[str], seed: int | None,
         jobs: int, patience: str) -> int:  # fmt: skip
    """One run without a file. A dotted KEY is a scenario's; workers, usernames and ips the sender's; any other an option."""
    tables, dotted = _tables_of_try(strategy, settings_given)
    if messages is not None or not any(key.startswith("workload.") for key in [*dotted, *settings]):
        tables["workload"] = {"kind": "batch", "messages": messages or 1000}
    seeded = [] if seed is None else ["--seed", str(seed)]
    command = shlex.join(["relaysim", "try", strategy, *settings_given, *([] if messages is None else ["-n", str(messages)]), *seeded,
                          *(part for setting in settings for part in ("--set", setting))])  # fmt: skip
    scenario = replace(build(tables, "command line", strategy, Path(), [*dotted, *settings], seed), command=command)
    answer = _run_all([scenario], jobs, patience)[0]
    if isinstance(answer, ScenarioError):
        raise answer
    if as_json:
        click.echo(answer.to_json())
    else:
        report.table([answer], _console())
    return _status([answer], [])


@cli.command()
@click.argument("strategy", metavar="FILE.py:NAME")
@click.argument("settings_given", nargs=-1, metavar="[OPTION=VALUE]...")
@click.option("--seeds", type=click.IntRange(1, 1000), default=3, show_default=True, help="Seeds for each world and window.")
@common
def validate(strategy: str, settings_given: Sequence[str], seeds: int, as_json: bool, settings: Sequence[str], seed: int | None, jobs: int,
             patience: str) -> int:  # fmt: skip
    """A strategy against a battery of worlds: bursts, a slow relay, dropped connections, a stale password and more."""
    tables, dotted = _tables_of_try(strategy, settings_given)
    sender = [
        f"sender.{key}={json.dumps(value)}" for key, value in tables["sender"].items() if key not in ("strategy", "options")
    ]
    with _progress() as progress:
        bar = progress.add_task("worlds", total=None)
        verdict = battery.validate(
            strategy, Path(), options=tables["sender"]["options"], seeds=seeds, first_seed=1 if seed is None else seed, jobs=jobs,
            patience=_patience(patience), overrides=[*sender, *dotted, *settings], on_result=lambda *_: progress.advance(bar),
        )  # fmt: skip
    if as_json:
        click.echo(json.dumps(verdict.to_dict(), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        battery.print_verdict(verdict, _console())
    return HOLDS if verdict.passed else FAILS


@cli.command()
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


@cli.command()
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


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script: exits with the contract's status."""
    try:
        status = cli.main(args=None if arguments is None else list(arguments), standalone_mode=False)
    except ScenarioError as error:
        click.echo(str(error), err=True)
        status = WRONG
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        status = 130
    except KeyboardInterrupt:
        status = 130
    except click.ClickException as error:
        click.echo(f"{error.format_message()}  (relaysim --help shows what is allowed)", err=True)
        status = WRONG
    except BrokenPipeError:  # the reader of a pipe has gone, as with `| head`
        sys.stderr.close()
        status = WRONG
    sys.exit(status)


def _loaded(paths: Sequence[Path], settings: Sequence[str], seed: int | None) -> tuple[list[Scenario], list[ScenarioError]]:
    scenarios: list[Scenario] = []
    wrong: list[ScenarioError] = []
    suffix = [part for setting in settings for part in ("--set", setting)] + ([] if seed is None else ["--seed", str(seed)])
    for path in paths:
        try:
            for file in _files(path):
                try:
                    scenario = load_scenario(file, settings, seed)
                    scenarios.append(replace(scenario, command=shlex.join(["relaysim", "run", file.name, *suffix])))
                except ScenarioError as error:
                    wrong.append(error)
        except ScenarioError as error:
            wrong.append(error)
    return scenarios, wrong


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(path.rglob("*.toml"))
        if not files:
            raise ScenarioError(str(path), "", "has no scenario in it; a scenario is a .toml file")
        return files
    if not path.exists():
        raise ScenarioError(str(path), "", "is not there; name a scenario file or a folder of them")
    return [path]


def _tables_of_try(strategy: str, given: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The tables of a call without a file, and the dotted settings to lay on them."""
    sender: dict[str, Any] = {"strategy": strategy, "options": {}}
    dotted: list[str] = []
    from .scenario.loader import toml_value

    for setting in given:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise ScenarioError(
                "command line", setting, "is not KEY=VALUE; write it like size=5, workers=4 or policy.window=sliding"
            )
        if "." in key:
            dotted.append(setting)
        elif key in ("workers", "usernames", "ips"):
            sender[key] = toml_value(value)
        else:
            sender["options"][key] = toml_value(value)
    return {"sender": sender}, dotted


def _run_all(scenarios: Sequence[Scenario], jobs: int, patience: str) -> list[Answer]:
    seconds = _patience(patience)
    with _progress() as progress:
        bar = progress.add_task("scenarios", total=len(scenarios))
        return run_many(scenarios, jobs=jobs, patience=seconds, on_result=lambda index, answer: progress.advance(bar))


def _patience(text: str) -> float:
    from . import units
    from .scenario.loader import toml_value

    try:
        return max(1.0, units.seconds(units.duration(toml_value(text))))
    except ValueError as error:
        raise ScenarioError("command line", "--patience", str(error)) from None


def _write(done: Sequence[tuple[Result, Scenario]], wrong: Sequence[ScenarioError], out: Path) -> None:
    try:
        written = report.write_all([(result, scenario.policy) for result, scenario in done], out, wrong)
    except OSError as error:
        raise ScenarioError(str(out), "--out", f"cannot be written: {error.strerror or error}") from None
    click.echo(f"{len(written)} files written to {out}", err=True)


def _status(results: Sequence[Result], wrong: Sequence[ScenarioError]) -> int:
    for error in wrong:
        click.echo(str(error), err=True)
    return WRONG if wrong else HOLDS if all(result.passed for result in results) else FAILS


def _console() -> Console:
    return Console(file=sys.stdout, soft_wrap=False)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
