"""What a child process says to its parent while it runs and at the end. Plain rows; knows nothing
of processes.
"""

from __future__ import annotations

from typing import NamedTuple

from ..measure import Result
from ..measure.story import Story


class Reached(NamedTuple):
    """How far a run has come: virtual time in microseconds, and how many of its messages are
    settled.
    """

    at: int
    settled: int
    messages: int

    @property
    def share(self) -> float:
        """0 to 1: the settled messages, of all that the workload has."""
        return self.settled / self.messages if self.messages else 0.0


class Told(NamedTuple):
    """A result and, where it was asked for, what became of each connection."""

    result: Result
    story: Story | None
