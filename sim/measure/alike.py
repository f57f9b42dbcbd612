"""The parts of a result that are made alike from the rows of a run and from a live relay's counts.
Knows neither of them.
"""

from __future__ import annotations

from fractions import Fraction

from ..records import BlockRow, Incident
from ..units import seconds
from . import statistics as st
from .facts import Facts
from .result import Block, BlockKey, LogEntry, Throughput


def entry(row: Incident) -> LogEntry:
    """A line of the log."""
    return LogEntry(
        seconds(row.at),
        row.limit,
        row.code,
        row.text,
        row.ip,
        row.username,
        row.connection,
        row.message,
    )


def block(row: BlockRow) -> Block:
    """A block with its true end."""
    return Block(row.limit, BlockKey(row.ip, row.username), seconds(row.from_), seconds(row.until))


def throughput(accepted: int, span: int, peak: int, facts: Facts) -> Throughput:
    """``accepted`` messages in ``span`` microseconds, of which ``peak`` in the busiest minute; the
    mean over no time is None.
    """
    ceiling = facts.policy.ceiling(facts.usernames, facts.ips)
    mean = (Fraction(accepted * st.MINUTE, span) if span else None) if accepted else Fraction(0)
    return Throughput(
        mean_per_min=None if mean is None else float(mean),
        peak_per_min=peak,
        ceiling_per_min=None if ceiling is None else float(ceiling),
        utilisation=None if mean is None or ceiling is None else float(mean / ceiling),
    )
