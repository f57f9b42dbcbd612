"""Every row of the fidelity table: each module of this package declares those of one library in
``ROWS``.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tests.fidelity.row import Row


def all_rows() -> list[Row]:
    """All rows, by library in the order of the modules' names, then as declared."""
    found: list[Row] = []
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        rows: list[Row] = import_module(f"tests.fidelity.rows.{path.stem}").ROWS
        found += rows
    names = [row.name for row in found]
    assert len(set(names)) == len(names), (
        f"rows of one name: {sorted(name for name in names if names.count(name) > 1)}"
    )
    return found
