"""Incidents as CSV, one row each, for a spreadsheet. Knows the log of a result, which is cut at
10,000 entries.
"""

from __future__ import annotations

import csv
import io
from dataclasses import astuple, fields

from ..measure.result import LogEntry, Result

COLUMNS = tuple(field.name for field in fields(LogEntry))
"""The keys of incidents.log; ``t`` is in seconds, what is not known is empty."""


def incidents(result: Result) -> str:
    """A line of COLUMNS and one for each entry of the log; lines end with CR LF (RFC 4180)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(astuple(entry) for entry in result.incidents.log)
    return text.getvalue()
