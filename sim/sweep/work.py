"""What a worker of a sweep does: builds the scenarios of a lot, runs them and makes a row of each
result's metrics.

`run_lot` is the same in this process, in a child and on a Dask cluster. A lot is several runs, so
that handing it over costs little in comparison. Knows nothing of where rows are kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ScenarioError
from ..measure import Result
from ..measure.expectations import metrics
from ..runner import Answer, run_many
from ..runner.protocol import Watch, Work
from ..scenario import build
from .keys import package_digest
from .space import Point
from .store import Row, Store


class Task(NamedTuple):
    """One run: its key, the settings that override the tables, its seed."""

    key: str
    point: Point
    seed: int


@dataclass(frozen=True, slots=True)
class Lot:
    """Several runs of one scenario's ``tables``. ``digest`` is that of the package that made it."""

    tables: Mapping[str, Any]
    place: str
    name: str
    folder: str
    digest: str
    patience: float
    tasks: tuple[Task, ...]


class Done(NamedTuple):
    """A lot that was run: the rows, and the mistakes in the runs that have none."""

    rows: list[Row]
    mistakes: list[ScenarioError]


class LotWork(Work[Row, Done]):
    """A lot as work for a child, which reports each row as progress. ``db`` is the sweep's file."""

    def __init__(self, lot: Lot, db: str) -> None:
        self.lot = lot
        self.db = db

    def carry_out(self, watch: Watch) -> Done:
        return run_lot(self.lot, watch.report)

    def lost(self, how: str, progress: Row | None) -> ScenarioError:
        return ScenarioError(
            self.db, "", "a process of the sweep was killed; what was done is kept, call it again"
        )


def run_lot(lot: Lot, keep: Callable[[Row], None] | None = None) -> Done:
    """Runs the lot and calls ``keep`` with each row as it comes. Raises ScenarioError if this
    package is another version than the one that made the lot.
    """
    if lot.digest != package_digest():
        raise ScenarioError(
            "--dask", "", "a worker has another version of relaysim; install the same on all"
        )
    done = Done([], [])
    scenarios = []
    tasks = []
    for task in lot.tasks:
        try:
            scenarios.append(
                build(lot.tables, lot.place, lot.name, Path(lot.folder), task.point, task.seed)
            )
            tasks.append(task)
        except ScenarioError as error:
            done.mistakes.append(ScenarioError(error.place, ", ".join(task.point), str(error)))

    def told(index: int, answer: Answer) -> None:
        if isinstance(answer, ScenarioError):
            done.mistakes.append(answer)
            return
        row = Row(tasks[index].key, tasks[index].seed, metrics_text(answer))
        done.rows.append(row)
        if keep is not None:
            keep(row)

    run_many(scenarios, patience=lot.patience, on_result=told)
    return done


def metrics_text(result: Result) -> str:
    """Every metric of the result as JSON, and whether its expectations held. The bytes do not
    depend on where it was computed.
    """
    names = metrics(tuple(result.incidents.by_limit))
    return json.dumps(
        {"passed": result.passed, **{name: result.metric(name) for name in names}}, allow_nan=False
    )


def lots(whole: Lot, tasks: Sequence[Task], size: int) -> list[Lot]:
    """``whole`` cut into lots of at most ``size`` of the tasks."""
    return [
        Lot(
            whole.tables,
            whole.place,
            whole.name,
            whole.folder,
            whole.digest,
            whole.patience,
            tuple(tasks[start : start + size]),
        )
        for start in range(0, len(tasks), size)
    ]


SECONDS_TO_ANSWER = 10


def run_on_dask(
    lots: Sequence[Lot], address: str, store: Store, keep: Callable[[Done], None]
) -> None:
    """Runs the lots on the cluster at ``address``, such as tcp://10.0.0.5:8786; ``keep`` is told of
    each as it comes.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise ScenarioError(
            "command line", "--dask", 'needs an extra; pip install "relaysim[dask]"'
        ) from None
    try:
        client = Client(  # type: ignore[no-untyped-call]
            address, timeout=SECONDS_TO_ANSWER, set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise ScenarioError(
            "command line", "--dask", f"no cluster answers at {address}: {error}"
        ) from None
    with client, client.as_current():
        futures = [
            client.submit(run_lot, lot, key=f"relaysim-{lot.tasks[0].key}", pure=True)
            for lot in lots
        ]
        for future in as_completed(futures):  # type: ignore[no-untyped-call]
            done = future.result()
            store.keep(done.rows)
            keep(done)
            future.release()
