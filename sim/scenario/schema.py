"""What may stand in a scenario file: every key with its type, its bounds and its default.

Only the tables and their values; what they refer to (policies, strategies, files) is the loader's.
Durations are microseconds and rates messages a microsecond once read.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ..schema_base import Duration, Rate, Table
from ..units import MICRO

HORIZON = 7 * 86_400 * MICRO
"""A run without ``until`` stops after at most 7 days of virtual time."""

MOST_MESSAGES = 10_000_000
"""The most messages that one workload may hold; beyond it a run would not fit into memory."""

LONGEST_FOR = 366 * 86_400 * MICRO

Messages = Annotated[int, Field(ge=1, le=MOST_MESSAGES)]
For = Annotated[Duration, Field(ge=1, le=LONGEST_FOR, alias="for")]
Positive = Annotated[Duration, Field(ge=1)]


class Batch(Table):
    """All messages at 0."""

    kind: Literal["batch"]
    messages: Messages


class Constant(Table):
    """Evenly spaced: the first at 0, none at ``for``."""

    kind: Literal["constant"]
    rate: Rate
    for_: For


class Poisson(Table):
    """Independent arrivals at a mean rate over [0, for)."""

    kind: Literal["poisson"]
    rate: Rate
    for_: For


class Bursts(Table):
    """``size`` messages at 0, ``every``, 2 x ``every``, ... before ``for``."""

    kind: Literal["bursts"]
    size: Messages
    every: Positive
    for_: For


class Daily(Table):
    """Poisson arrivals whose rate follows 24 values, messages an hour from midnight (0 s) on, day
    after day.
    """

    kind: Literal["daily"]
    profile: Annotated[
        list[Annotated[float, Field(ge=0, le=100_000_000)]], Field(min_length=24, max_length=24)
    ]
    for_: For

    @model_validator(mode="after")
    def _check_some(self) -> Daily:
        if not any(self.profile):
            raise ValueError("profile is all zeros; at least one hour needs messages")
        return self


class Trace(Table):
    """Recorded arrivals: the first column of a CSV file, seconds or ISO 8601."""

    kind: Literal["trace"]
    file: Annotated[str, Field(min_length=1)]


WORKLOADS: dict[str, type[Table]] = {
    "batch": Batch,
    "constant": Constant,
    "poisson": Poisson,
    "bursts": Bursts,
    "daily": Daily,
    "trace": Trace,
}
Workload = Batch | Constant | Poisson | Bursts | Daily | Trace


class SenderSpec(Table):
    """Who sends: a strategy (or production code) in so many workers with so many usernames and IPs."""

    strategy: str | None = None
    code: str | None = None
    call: Literal["once", "per-message"] = "once"
    workers: Annotated[int, Field(ge=1, le=100_000)] = 1
    usernames: Annotated[int, Field(ge=1, le=100_000)] = 1
    ips: Annotated[int, Field(ge=1, le=100_000)] = 1
    options: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check(self) -> SenderSpec:
        if (self.strategy is None) == (self.code is None):
            raise ValueError("needs either strategy or code, and not both")
        if self.strategy is not None and "call" in self.model_fields_set:
            raise ValueError("call goes with code, not with strategy")
        for name in ("usernames", "ips"):
            if getattr(self, name) > self.workers:
                raise ValueError(
                    f"{name} = {getattr(self, name)} is more than workers = {self.workers}: the rest would never be used"
                )
        return self


class ClientTime(Table):
    """The sender's own time, microseconds: before each connection and before each message."""

    connection: Duration = 0
    message: Duration = 0


class Network(Table):
    """The way between sender and relay. ``jitter`` is the coefficient of variation of each round
    trip, gamma distributed.
    """

    rtt: Annotated[Duration, Field(le=3_600 * MICRO)] = 40_000
    jitter: Annotated[float, Field(ge=0, le=10)] = 0.1
    relay_time: Annotated[Duration, Field(le=3_600 * MICRO)] = 5_000
    client_time: ClientTime = ClientTime()
    tls: Literal["none", "starttls", "implicit"] = "starttls"


class WrongPassword(Table):
    """Every login in [from, until) is wrong."""

    from_: Annotated[Duration, Field(alias="from")]
    until: Duration

    @model_validator(mode="after")
    def _check_order(self) -> WrongPassword:
        if self.until <= self.from_:
            raise ValueError("until must be later than from")
        return self


class Down(Table):
    """Open connections die at ``at``, new ones are refused by TCP until ``at`` + ``for``."""

    at: Duration
    for_: For


class Slow(Table):
    """relay_time x ``factor`` in [at, at + for)."""

    at: Duration
    for_: For
    factor: Annotated[float, Field(gt=0, le=1_000_000)]


class Faults(Table):
    """What goes wrong on purpose; nothing by default."""

    drop_connection: Annotated[float, Field(ge=0, le=1)] = 0.0
    wrong_password: WrongPassword | None = None
    relay_down: list[Down] = []
    slow: Slow | None = None
