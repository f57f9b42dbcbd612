"""What the door knows of a run and the relay does not: the other half of what a result is made
from, beside the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..relay.policy import Policy
from .expectations import Expectation


@dataclass(frozen=True, slots=True)
class Facts:
    """Times are microseconds.

    ``submitted`` maps each message's id to the time at which it came into the outbox; ``given_up``
    are the ids that the sender gave up, whether or not the relay has accepted them; ``end`` is the
    run's end, and rows after it did not happen.
    """

    scenario: str
    title: str
    policy: Policy
    sender: str
    seed: int | None
    end: int
    ended: str
    submitted: Mapping[str, int]
    given_up: frozenset[str]
    usernames: int = 1
    ips: int = 1
    expectations: Sequence[Expectation] = field(default=())
    error: str | None = None
    command: str | None = None
