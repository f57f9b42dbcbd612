"""``relaysim run``: scenario files, and folders of them. Knows how results are printed and written, not how they come about."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from .. import report
from ..errors import ScenarioError
from ..measure import Result
from ..relay.policy import LIMITS
from ..scenario import Scenario, load_scenario
from ..tables import printable, read_toml
from .common import common, console, print_json, run_all, status_of


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for JSON, CSV, figures and JUnit.")
@common
def run(
    paths: Sequence[Path], out: Path | None, as_json: bool, settings: Sequence[str], seed: int | None, jobs: int, patience: str
) -> int:
    """Run scenario files, and folders of them."""
    scenarios, wrong = _loaded(paths, settings, seed)
    answers = run_all(scenarios, jobs, patience)
    wrong += [answer for answer in answers if isinstance(answer, ScenarioError)]
    done = [(answer, scenario) for answer, scenario in zip(answers, scenarios, strict=True) if isinstance(answer, Result)]
    results = [answer for answer, _ in done]
    if as_json:
        print_json([result.to_dict() for result in results])
    elif results:
        report.table(results, console())
    if out:
        _write(done, wrong, out)
    return status_of(results, wrong)


def _loaded(paths: Sequence[Path], settings: Sequence[str], seed: int | None) -> tuple[list[Scenario], list[ScenarioError]]:
    scenarios: list[Scenario] = []
    wrong: list[ScenarioError] = []
    suffix = [part for setting in settings for part in ("--set", setting)] + ([] if seed is None else ["--seed", str(seed)])
    for path in paths:
        try:
            for file in _found(path):
                try:
                    scenario = load_scenario(file, settings, seed)
                    scenarios.append(replace(scenario, command=printable(shlex.join(["relaysim", "run", file.name, *suffix]))))
                except ScenarioError as error:
                    wrong.append(error)
        except ScenarioError as error:
            wrong.append(error)
    return scenarios, wrong


def _found(path: Path) -> list[Path]:
    try:
        return _files(path)
    except OSError as error:  # a name too long, a folder that may not be looked into
        raise ScenarioError(str(path), "", f"cannot be read: {error.strerror or error}") from None


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        os.scandir(path).close()  # rglob() finds nothing where it may not look, and says nothing
        files = sorted(file for file in path.rglob("*.toml") if not file.is_dir() and not _is_policy(file))
        if not files:
            raise ScenarioError(str(path), "", "has no scenario in it; a scenario is a .toml file")
        return files
    if not path.exists():
        raise ScenarioError(str(path), "", "is not there; name a scenario file or a folder of them")
    return [path]


def _is_policy(file: Path) -> bool:
    """Whether a file of a folder is a policy that its scenarios use: it names limits, and neither a workload nor a sender."""
    try:
        keys = read_toml(file).keys()
    except ScenarioError:
        return False
    return bool(keys & set(LIMITS)) and not keys & {"workload", "sender"}


def _write(done: Sequence[tuple[Result, Scenario]], wrong: Sequence[ScenarioError], out: Path) -> None:
    try:
        written = report.write_all([(result, scenario.policy) for result, scenario in done], out, wrong)
    except OSError as error:
        raise ScenarioError(str(out), "--out", f"cannot be written: {error.strerror or error}") from None
    click.echo(f"{len(written)} files written to {out}", err=True)
