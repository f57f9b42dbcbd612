"""Where a sweep keeps its results: one SQLite file with a row for each run, by its key.

Each run is committed at once. A process that is killed loses no row that was written: SQLite's
journal is written ahead. Does not know scenarios.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ScenarioError

FORM = 1
"""The version of the file format."""

BUSY_MS = 30_000
"""How long a process waits while another one writes."""


class Row(NamedTuple):
    """One run: its key, its seed and the metrics of its result as JSON."""

    key: str
    seed: int
    metrics: str


class Store:
    """One file. Close it, or use it in a ``with``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            form = self._db.execute("PRAGMA user_version").fetchone()[0]
            tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if form not in (0, FORM) or (form == 0 and tables):
                raise ScenarioError(
                    str(path), "--db", "is no file of a sweep of this version; name another one"
                )
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS runs (key TEXT PRIMARY KEY, seed INTEGER, "
                "metrics TEXT) WITHOUT ROWID"
            )
            # One row for each run that was computed, so that a test can find one computed twice.
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS computed (number INTEGER PRIMARY KEY, key TEXT)"
            )
            self._db.execute(f"PRAGMA user_version = {FORM}")
        except sqlite3.Error as error:
            raise ScenarioError(str(path), "--db", f"cannot be used: {error}") from None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def keep(self, rows: Iterable[Row]) -> None:
        """Writes the rows, all or none."""
        self._db.execute("BEGIN IMMEDIATE")
        for row in rows:
            self._db.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", row)
            self._db.execute("INSERT INTO computed (key) VALUES (?)", (row.key,))
        self._db.execute("COMMIT")

    def known(self, keys: Iterable[str]) -> set[str]:
        """The keys that are in the file."""
        wanted = set(keys)
        return {key for (key,) in self._db.execute("SELECT key FROM runs") if key in wanted}

    def rows(self, keys: Iterable[str]) -> Iterator[dict[str, Any] | None]:
        """The metrics of each key in turn; None for a key that is missing."""
        for key in keys:
            found = self._db.execute("SELECT metrics FROM runs WHERE key = ?", (key,)).fetchone()
            yield json.loads(found[0]) if found else None

    def texts(self, keys: Iterable[str]) -> list[str | None]:
        """The metrics as they were written, byte by byte."""
        found = [
            self._db.execute("SELECT metrics FROM runs WHERE key = ?", (key,)).fetchone()
            for key in keys
        ]
        return [row[0] if row else None for row in found]

    def counts(self) -> tuple[int, int]:
        """The number of runs in the file, and the number that were ever computed."""
        (there,) = self._db.execute("SELECT count(*) FROM runs").fetchone()
        (computed,) = self._db.execute("SELECT count(*) FROM computed").fetchone()
        return there, computed


def columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Every name in the rows, in order of their first use."""
    return list(dict.fromkeys(name for row in rows for name in row))


def write_csv(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """One line for each run; empty where a metric has no value."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns(rows), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """One row for each run. Each column has a type; one of mixed values becomes text."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ScenarioError(
            "command line", "--parquet", 'needs an extra; pip install "relaysim[parquet]"'
        ) from None
    table = {name: _column([row.get(name) for row in rows]) for name in columns(rows)}
    pq.write_table(pa.table(table), str(path))


def _column(values: list[Any]) -> list[Any]:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and bool not in kinds:
        if float not in kinds:
            return values
        return [None if value is None else float(value) for value in values]
    if len(kinds) <= 1 and kinds <= {bool, str}:
        return values
    return [None if value is None else str(value) for value in values]
