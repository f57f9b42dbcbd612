"""What is asked of the planner: a demand, a library and what there is of usernames, IPs and
workers. Plain values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the planner. ``tables`` are a scenario's policy, network and faults; durations and
    rates are text.
    """

    kind: Literal["deadline", "rate"]
    messages: int
    within: str
    rate: str
    p99: str
    strategy: str
    usernames: int = 1
    ips: int = 1
    workers: int = 100
    seed: int = 1
    tables: Mapping[str, Any] = field(default_factory=dict)
