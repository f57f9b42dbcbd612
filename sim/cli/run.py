"""``relaysim run``: scenario files, and folders of them. Knows how results are printed and written,
not how they come about.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from errno import EACCES
from pathlib import Path

import click

from .. import report
from ..errors import ScenarioError, nearest
from ..measure import Result
from ..measure.formatting import plural
from ..relay.kinds import KINDS
from ..runner import Answer
from ..scenario import Scenario, load_scenario
from ..scenario.schema import TABLES
from ..schema_base import read_toml
from ..text import printable
from .common import common, console, print_json, run_all, status_of
from .status import STOPPED


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for JSON, CSV, figures and JUnit.",
)
@common
def run(
    paths: Sequence[Path],
    out: Path | None,
    as_json: bool,
    settings: Sequence[str],
    seed: int | None,
    jobs: int,
    patience: str,
) -> int:
    """Run scenario files, and folders of them."""
    if out:
        _make(out)  # before anything is run: what takes an hour is not to end at a misspelt folder
    scenarios, wrong = _loaded(paths, settings, seed)
    answers: dict[int, Answer] = {}
    try:
        run_all(scenarios, jobs, patience, answers.__setitem__)
    except KeyboardInterrupt:
        click.echo(
            f"stopped: {len(answers):,} of {plural(len(scenarios), 'scenario')} had been run",
            err=True,
        )
    found = [
        (answers[index], scenario) for index, scenario in enumerate(scenarios) if index in answers
    ]
    wrong += [answer for answer, _ in found if isinstance(answer, ScenarioError)]
    done = [(answer, scenario) for answer, scenario in found if isinstance(answer, Result)]
    results = [answer for answer, _ in done]
    if as_json:
        print_json([result.to_dict() for result in results])
    elif results:
        report.table(results, console())
    if out:
        _write(done, wrong, out)
    status = status_of(results, wrong)
    return status if len(answers) == len(scenarios) else STOPPED


def _loaded(
    paths: Sequence[Path], settings: Sequence[str], seed: int | None
) -> tuple[list[Scenario], list[ScenarioError]]:
    scenarios: list[Scenario] = []
    wrong: list[ScenarioError] = []
    suffix = [part for setting in settings for part in ("--set", setting)] + (
        [] if seed is None else ["--seed", str(seed)]
    )
    for path in paths:
        try:
            for file in _found(path):
                try:
                    scenario = load_scenario(file, settings, seed)
                    scenarios.append(
                        replace(
                            scenario,
                            command=printable(shlex.join(["relaysim", "run", file.name, *suffix])),
                        )
                    )
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
        os.scandir(path).close()  # a walk finds nothing where it may not look, and says nothing
        files = sorted(file for file in _below(path) if not file.is_dir() and not _is_other(file))
        if not files:
            raise ScenarioError(str(path), "", "has no scenario in it; a scenario is a .toml file")
        return files
    if not path.exists():
        raise ScenarioError(str(path), "", "is not there; name a scenario file or a folder of them")
    return [path]


def _below(path: Path) -> Iterator[Path]:
    """The .toml files of a folder and of those in it, but for what is hidden and for what was
    installed there.
    """
    for folder, below, names in os.walk(path):
        below[:] = [
            name
            for name in below
            if not name.startswith(".") and not _is_installed(Path(folder, name))
        ]
        yield from (
            Path(folder, name)
            for name in names
            if name.endswith(".toml") and not name.startswith(".")
        )


def _is_installed(folder: Path) -> bool:
    return folder.name == "node_modules" or (folder / "pyvenv.cfg").exists()


def _is_other(file: Path) -> bool:
    """Whether a file of a folder is no scenario: a policy that its scenarios use, or of another
    program, as pyproject.toml.

    A policy names limits, and neither a workload nor a sender; no key of the other resembles one of
    a scenario.
    """
    try:
        keys = read_toml(file).keys()
    except ScenarioError:
        return False
    if keys & set(KINDS):
        return not keys & {"workload", "sender"}
    return file.name == "pyproject.toml" or (
        bool(keys) and not any(key in TABLES or nearest(key, TABLES) for key in keys)
    )


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not os.access(out, os.W_OK | os.X_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
    except OSError as error:
        raise ScenarioError(
            str(out), "--out", f"cannot be written: {error.strerror or error}"
        ) from None


def _write(
    done: Sequence[tuple[Result, Scenario]], wrong: Sequence[ScenarioError], out: Path
) -> None:
    try:
        written = report.write_all(
            [(result, scenario.policy) for result, scenario in done], out, wrong
        )
    except OSError as error:
        raise ScenarioError(
            str(out), "--out", f"cannot be written: {error.strerror or error}"
        ) from None
    click.echo(f"{len(written)} files written to {out}", err=True)
