"""A sweep from its scenario to its rows: finds its points, looks up those that are known, and runs
and keeps the others.

`sweep_of` reads the call, `run` does the work. Knows points, keys and stores, not how rows are
shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ScenarioError
from ..runner import PATIENCE
from ..runner.jobs import as_completed
from ..scenario import build
from ..scenario.overrides import with_override
from ..scenario.toml import toml_value
from ..schema_base import read_toml
from .keys import Keys, package_digest
from .space import Axis, Point, axis, hypercube, points
from .store import Store
from .work import Done, Lot, LotWork, Task, lots, run_lot, run_on_dask

MOST_IN_A_LOT = 16
"""Runs that are handed over at once: enough that the handing over costs nothing with runs of
milliseconds, and so few that the last lots end together.
"""

MOST_CHECKED = 200
"""Points that are built to find a mistake before anything runs. One in a later point is reported at
the end, next to what did run.
"""

OnProgress = Callable[[int, int], None]
"""Called with the number of runs done, and of all runs."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A scenario's tables and what is varied. ``points`` are the combinations; each is run with
    every one of ``seeds``.
    """

    path: Path
    tables: Mapping[str, Any]
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]
    seeds: tuple[int, ...]

    @property
    def varied(self) -> list[str]:
        """The keys that have more than one value."""
        return [one.key for one in self.axes if one.span is not None or len(one.values) > 1]


@dataclass(frozen=True, slots=True)
class Swept:
    """The result of a sweep: a row for each point and seed, in their order. ``computed`` of them
    are new, the others were known before.
    """

    sweep: Sweep
    rows: tuple[dict[str, Any], ...]
    computed: int
    mistakes: tuple[ScenarioError, ...]


def sweep_of(
    path: Path,
    settings: Sequence[str],
    *,
    hypercube_points: int | None = None,
    seeds: int = 1,
    seed: int | None = None,
) -> Sweep:
    """The sweep of a scenario file over ``settings`` (see ``space``). ScenarioError for a mistake
    in any of them or in the file.
    """
    tables = read_toml(path)
    axes = tuple(axis(setting, drawn=hypercube_points is not None) for setting in settings)
    keys = [one.key for one in axes]
    for key in keys:
        if keys.count(key) > 1:
            raise ScenarioError(
                "command line", f"--set {key}", "is given twice; put its values into one"
            )
    first = seed if seed is not None else tables.get("seed", 1)
    if not isinstance(first, int):
        first = 1  # the loader reports the mistake
    made = points(axes) if hypercube_points is None else hypercube(axes, hypercube_points, first)
    found = Sweep(path, tables, axes, tuple(made), tuple(range(first, first + seeds)))
    _check(found)
    return found


def _check(sweep: Sweep) -> None:
    """Raises the mistake in a value that no point can be built with, before anything runs."""
    good = set[str]()
    wrong = dict[str, ScenarioError]()
    for point in sweep.points[:MOST_CHECKED]:
        new = [setting for setting in point if setting not in good]
        if not new and point:
            continue
        try:
            build(
                sweep.tables,
                str(sweep.path),
                sweep.path.stem,
                sweep.path.parent,
                point,
                sweep.seeds[0],
            )
            good.update(point)
        except ScenarioError as error:
            wrong.update({setting: error for setting in new or [""] if setting not in wrong})
    for setting, mistake in wrong.items():
        if setting not in good:
            raise mistake


def run(
    sweep: Sweep,
    db: Path,
    *,
    jobs: int = 1,
    dask: str | None = None,
    patience: float = PATIENCE,
    on_progress: OnProgress | None = None,
) -> Swept:
    """Runs what is not in ``db`` yet and returns all rows. A run that is there is not computed
    again.

    ``dask`` is a cluster's address, instead of ``jobs`` processes here. Every run is kept as soon
    as it is done, so that a sweep that was killed continues where it stopped. Rows do not depend
    on where they were computed.
    """
    report = on_progress or (lambda done, total: None)
    tasks = _tasks(sweep)
    unique = {task.key: task for task in tasks}
    with Store(db) as store:
        there = store.known(unique)
        missing = [task for key, task in unique.items() if key not in there]
        count = len(there)
        mistakes = list[ScenarioError]()
        report(count, len(unique))

        def keep(done: Done) -> None:
            nonlocal count
            count += len(done.rows) + len(done.mistakes)
            mistakes.extend(done.mistakes)
            report(count, len(unique))

        whole = Lot(
            sweep.tables,
            str(sweep.path),
            sweep.path.stem,
            str(sweep.path.parent),
            package_digest(),
            patience,
            (),
        )
        size = max(1, min(MOST_IN_A_LOT, len(missing) // (jobs * 8)))
        cut = lots(whole, missing, size)
        if dask is not None and cut:
            run_on_dask(
                lots(whole, missing, max(1, min(MOST_IN_A_LOT, len(missing) // 16))),
                dask,
                store,
                keep,
            )
        elif jobs > 1 and len(cut) > 1:
            _run_in_children(cut, store, min(jobs, len(cut)), keep)
        else:
            for lot in cut:
                keep(run_lot(lot, lambda row: store.keep([row])))
        rows = tuple(_rows(tasks, list(store.rows(task.key for task in tasks))))
    return Swept(sweep, rows, len(missing) - len(mistakes), tuple(mistakes))


def _run_in_children(
    cut: Sequence[Lot], store: Store, jobs: int, keep: Callable[[Done], None]
) -> None:
    """Runs the lots, ``jobs`` at once, and writes each row as it comes: all that was computed is
    kept, also when a child or this process is killed.
    """
    works = [LotWork(lot, str(store.path)) for lot in cut]
    for _, done in as_completed(works, jobs, lambda row: store.keep([row])):
        if isinstance(done, ScenarioError):
            raise done
        keep(done)


def _tasks(sweep: Sweep) -> list[Task]:
    keys = Keys(sweep.path.parent)
    found = []
    for point in sweep.points:
        tables = dict(sweep.tables)
        for setting in point:
            tables = with_override(tables, setting)
        found += [Task(keys.key(tables, seed), point, seed) for seed in sweep.seeds]
    return found


def _rows(tasks: Sequence[Task], found: Sequence[dict[str, Any] | None]) -> list[dict[str, Any]]:
    """The varied keys, the seed and the metrics of each run that has a result."""
    return [
        {
            **{
                key: toml_value(value)
                for key, _, value in (part.partition("=") for part in task.point)
            },
            "seed": task.seed,
            **metrics,
        }
        for task, metrics in zip(tasks, found, strict=True)
        if metrics is not None
    ]
