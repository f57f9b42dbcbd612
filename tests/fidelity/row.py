"""One row of the fidelity table: a library in one mode, as the real program and as the model are to
run it. Data alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """``program`` is a file of ``programs/``, ``strategy`` the model; both get ``options``, the
    program ``arguments`` besides.

    ``policy``, ``network`` and ``faults`` are tables of a scenario, without jitter unless luck
    decides anyway. ``quick`` rows run in the tests, the others in ``make fidelity`` alone.
    ``lucky`` says in words why a count is a matter of luck in the real library, where it is; then
    the row is run several times and the model's counts must lie within the range that was seen.
    ``until`` (a duration) ends the model's run where the real program would go on for hours.
    ``seconds`` is the program's time limit. ``calibration`` are options that stand in for the row's
    in its calibration run, so that no sleep is taken for the library's own time; ``pause`` is taken
    out by itself. ``calibration_messages`` are how many it has: more than a few where connections
    share one thread, or where a program gets quicker as it goes on.
    """

    library: str
    mode: str
    program: str
    strategy: str
    messages: int
    options: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    network: Mapping[str, Any] = field(default_factory=dict)
    faults: Mapping[str, Any] = field(default_factory=dict)
    sender: Mapping[str, Any] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    quick: bool = False
    lucky: str = ""
    until: str | None = None
    calibration_messages: int = 24
    seconds: float = 600.0

    @property
    def name(self) -> str:
        """What tells the row from all others."""
        return f"{self.library}: {self.mode}"
