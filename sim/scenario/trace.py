"""Reads a recorded workload: the first column of a CSV file, in seconds or ISO 8601, with or
without a header.

:func:`read_trace` returns microseconds: since the first arrival for dates, as written for seconds.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from .. import units
from ..errors import ScenarioError
from ..text import shown
from .schema import LONGEST_FOR, MOST_MESSAGES


def read_trace(path: Path, place: str) -> tuple[int, ...]:
    """Ascending arrival times in microseconds; ScenarioError with the file and line of the first
    value that is not a time.
    """
    cells = list(_cells(path, place))
    if cells and _moment(cells[0][1]) is None and not _is_number(cells[0][1]):
        cells = cells[1:]  # a header; a number such as -5 is a mistake and not one
    if not cells:
        raise ScenarioError(place, "workload.file", f"{path.name} holds no arrival")
    moments = [_required(moment, line, path, place) for line, moment in cells]
    if len({kind for kind, _ in moments}) > 1:
        raise ScenarioError(
            place, "workload.file", f"{path.name} mixes seconds and dates; write one kind"
        )
    first = min(at for _, at in moments) if moments[0][0] == "date" else 0
    arrivals = sorted(at - first for _, at in moments)
    if arrivals[-1] > LONGEST_FOR:
        raise ScenarioError(place, "workload.file", f"{path.name} spans more than 366 days")
    return tuple(arrivals)


def _cells(path: Path, place: str) -> Iterator[tuple[int, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for line, row in enumerate(csv.reader(file), 1):
                if line > MOST_MESSAGES:
                    raise ScenarioError(
                        place, "workload.file", f"{path.name} has more than {MOST_MESSAGES} lines"
                    )
                if row and row[0].strip():
                    yield line, row[0].strip()
    except OSError as error:
        raise ScenarioError(
            place, "workload.file", f"{path.name} cannot be read: {error.strerror or error}"
        ) from None
    except (UnicodeDecodeError, csv.Error):
        raise ScenarioError(
            place, "workload.file", f"{path.name} is not a CSV file in UTF-8"
        ) from None
    except ValueError:
        raise ScenarioError(
            place, "workload.file", f"{shown(path.name)} is no name that a file can have"
        ) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _moment(text: str) -> tuple[str, int] | None:
    try:
        return "seconds", units.duration(float(text))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return "date", (since.days * 86_400 + since.seconds) * units.MICRO + since.microseconds


def _required(text: str, line: int, path: Path, place: str) -> tuple[str, int]:
    moment = _moment(text)
    if moment is None:
        wrong = "is neither seconds of 0 or more nor a date such as 2026-11-24T08:00:00"
        if (
            _is_number(text) and float(text) > 0 and float(text) != float("inf")
        ):  # seconds since 1970, most likely
            wrong = (
                "is more than 366 days; seconds count from the run's beginning, so take the "
                "first from each, or write dates"
            )
        problem = f"{path.name} line {line}: {shown(text)} {wrong}"
        raise ScenarioError(place, "workload.file", problem)
    return moment
