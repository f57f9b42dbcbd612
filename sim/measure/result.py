"""``Result``: the counts, series and diagnosis of a run, as frozen dataclasses.

``Result.to_json`` prints the JSON that ``scenarios/REFERENCE.md`` describes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

SCHEMA = 1
"""The version of the JSON; changes when a key changes its meaning or is removed."""

LOG_CUT = 10_000
"""The most incidents in ``incidents.log``; the counts include all."""

NAMED = 10
"""The most lost messages in ``first_lost``."""


@dataclass(frozen=True, slots=True)
class Messages:
    """submitted = accepted + lost + waiting, always."""

    submitted: int
    accepted: int
    lost: int
    waiting: int
    duplicated: int


@dataclass(frozen=True, slots=True)
class Throughput:
    """Accepted messages per minute. ``utilisation`` is mean / ceiling and can exceed 1; None
    without a mean or a ceiling.
    """

    mean_per_min: float | None
    peak_per_min: int
    ceiling_per_min: float | None
    utilisation: float | None


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from submission to acceptance, with nearest-rank percentiles; None if no message was
    accepted or the latency is unknown.
    """

    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


# Not frozen: a frozen one takes three times as long to make, and there can be 10,000.
@dataclass(slots=True)
class LogEntry:
    """One incident at ``t`` seconds. ``code`` is None if the connection was dropped without
    a reply.
    """

    t: float
    limit: str
    code: int | None
    text: str
    ip: str
    username: str | None
    connection: int
    message: str | None


@dataclass(frozen=True, slots=True)
class Incidents:
    """Refusals by limits. With ``log_cut``, the log holds only the first 10,000 of ``total``."""

    total: int
    by_limit: dict[str, int]
    by_code: dict[str, int]
    first_s: float | None
    log: list[LogEntry]
    log_cut: bool


@dataclass(frozen=True, slots=True)
class Connections:
    """``opened`` includes ``refused``: connections that a limit refused instead of the greeting."""

    opened: int
    refused: int
    peak_open: int
    peak_per_min: int


@dataclass(frozen=True, slots=True)
class Logins:
    """requested = accepted + refused (by a limit) + failed (535)."""

    requested: int
    accepted: int
    refused: int
    failed: int
    peak_per_min: int


@dataclass(frozen=True, slots=True)
class BlockKey:
    """The key that a block locks out; None for a part that the key does not have."""

    ip: str | None
    username: str | None


@dataclass(frozen=True, slots=True)
class Block:
    """A block over [from_s, until_s); it can end after the run."""

    limit: str
    key: BlockKey
    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Series:
    """Values for bins of one width that start at ``t_s``. ``accepted`` and ``incidents`` are sums,
    the others the highest level in the bin.

    ``logins_in_window`` is the number of logins of the busiest username in the last ``per`` of the
    limit, or in 60 s without such a limit. ``in_window`` is, for each limit of the policy, the use
    of the busiest key, refused requests included: for example the connections of an IP in the last
    ``per``, or the transactions on one connection.
    """

    t_s: list[float]
    accepted: list[int]
    incidents: dict[str, list[int]]
    open_connections: list[int]
    logins_in_window: list[int]
    in_window: dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """An expectation and whether the result meets it."""

    metric: str
    comparison: str
    actual: float | int | str | None
    passed: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of the diagnosis: what happened, why, and how to fix it. ``limit`` is None if no
    limit caused it.
    """

    limit: str | None
    what: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a run. ``error`` is the reason if it was aborted; ``command`` repeats the run.

    ``first_lost`` holds the ids of the first lost messages. It is not part of the JSON.
    """

    scenario: str
    title: str
    policy: str
    sender: str
    seed: int | None
    duration_s: float
    ended: str
    passed: bool
    messages: Messages
    throughput: Throughput
    latency_s: Latency
    incidents: Incidents
    connections: Connections
    logins: Logins
    blocks: list[Block]
    series: Series
    expectations: list[Outcome]
    diagnosis: list[Finding]
    error: str | None = None
    command: str | None = None
    schema: int = field(default=SCHEMA)
    first_lost: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts and lists in the order of the fields, ``schema`` first."""
        whole = asdict(self)
        del whole["first_lost"]
        return {"schema": whole.pop("schema"), **whole}

    def to_json(self) -> str:
        """The result as JSON: the same bytes for the same result."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)

    def metric(self, name: str) -> float | int | str | None:
        """The value of a dotted metric; 0 for a reply code that never occurred."""
        value: Any = self
        for part in name.split("."):
            value = value.get(part, 0) if isinstance(value, dict) else getattr(value, part)
        found: float | int | str | None = value
        return found
