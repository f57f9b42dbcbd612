"""A sweep on this machine: children that each run lots and write every row into the store as soon
as it is there.

So what was computed is kept, even if everything is killed the moment after. Knows nothing of
scenarios.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread

from ..errors import ScenarioError
from .store import Store
from .work import Done, Lot, run_lot

BEAT = 0.1
"""Seconds between two looks at whether the parent is still there."""

_store: Store | None = None


def run_here(lots: Sequence[Lot], store: Store, keep: Callable[[Done], None]) -> None:
    """Runs the lots one after the other in this process."""
    for lot in lots:
        keep(run_lot(lot, lambda row: store.keep([row])))


def run_in_processes(
    lots: Sequence[Lot], path: Path, jobs: int, keep: Callable[[Done], None]
) -> None:
    """Runs the lots in ``jobs`` children; ``keep`` is told of each lot, whose rows are written
    already.
    """
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (str(path), os.getpid()))
    try:
        for done in as_completed([pool.submit(_work, lot) for lot in lots]):
            keep(done.result())
    except BrokenProcessPool:
        raise ScenarioError(
            str(path), "", "a process of the sweep was killed; what was done is kept, call it again"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(path: str, parent: int) -> None:
    """In a child: opens the store, and has it end with its parent."""
    global _store
    _store = Store(Path(path))
    Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    never = Event()
    while not never.wait(BEAT):
        if os.getppid() != parent:
            os._exit(1)


def _work(lot: Lot) -> Done:
    store = _store
    assert store is not None, "_begin opened it"
    return run_lot(lot, lambda row: store.keep([row]))
