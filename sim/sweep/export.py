"""The rows of a sweep as CSV and Parquet. Knows rows of plain values, nothing of scenarios. Parquet
needs the extra ``parquet``.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import ScenarioError


def columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Every name that a row has, in the order in which they first come."""
    return list(dict.fromkeys(name for row in rows for name in row))


def write_csv(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """One line a run; nothing where a metric has no value."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns(rows), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """One row a run, with a type for each column: a column of mixed values becomes text."""
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
        return (
            [None if value is None else float(value) for value in values]
            if float in kinds
            else values
        )
    return (
        values
        if len(kinds) <= 1 and kinds <= {bool, str}
        else [None if value is None else str(value) for value in values]
    )
