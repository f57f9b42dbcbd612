"""Every quick row of the fidelity table: the real library, against the live relay, does what its
model does.
"""

from __future__ import annotations

import pytest

from tests.fidelity.harness import run_row, why_missing
from tests.fidelity.rows import all_rows
from tests.fidelity.table import FILE, missing_rows

ROWS = all_rows()


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS if row.quick])
def test_the_model_does_what_the_library_does(row, alone):
    if reason := why_missing(row):
        pytest.skip(reason)
    found = run_row(row, alone)
    assert found.holds, "\n".join([row.name, *found.differences])


def test_the_table_has_every_row_and_each_holds():
    text = FILE.read_text()
    assert not missing_rows(ROWS, text), "make fidelity makes the table anew"
    assert "| no: " not in text
