"""The parts of a run that its workers share. Senders, connections and dialogues take a Stage, so
that they need not know the run that starts and ends them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from ..measure import Recorder
from ..outbox import Claim
from ..relay import Relay
from ..scenario import Scenario
from .clock import Clock
from .outbox import WorldOutbox


@dataclass(slots=True)
class Stage:
    """The parts of a run, put together by :class:`.run.World`, and two calls back to it."""

    scenario: Scenario
    clock: Clock
    recorder: Recorder
    relay: Relay
    outbox: WorldOutbox
    start: Callable[[Claim, Callable[[], object]], None]
    """Starts a worker at this instant, given its claim and its function."""
    refuse_thread: Callable[[], NoReturn]
    """Ends the run, and raises the error, where a strategy uses a sender in its own thread."""
