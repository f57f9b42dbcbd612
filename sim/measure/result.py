"""The result: what a run found, as frozen rows that print as the JSON of
``scenarios/REFERENCE.md``. Knows nothing of how it was found.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

SCHEMA = 1
"""The version of the result's form; changes when a key changes its meaning or goes."""

LOG_CUT = 10_000
"""incidents.log holds at most so many; the counts never are cut."""

NAMED = 10
"""So many lost messages are named; of the others it is only told how many they are."""


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
    """Accepted a minute. ``utilisation`` is mean / ceiling and may pass 1; None where it has no
    meaning.
    """

    mean_per_min: float | None
    peak_per_min: int
    ceiling_per_min: float | None
    utilisation: float | None


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from submission to acceptance of the accepted messages; percentiles by nearest rank;
    None without any.
    """

    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


@dataclass(
    slots=True
)  # not frozen, which would make it three times as dear; there may be ten thousand
class LogEntry:
    """One incident. ``t`` in seconds of the relay's clock; ``code`` None where the connection was
    dropped without a word.
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
    """Refusals by a limit. ``log_cut`` says that the log holds only the first 10,000 of ``total``."""

    total: int
    by_limit: dict[str, int]
    by_code: dict[str, int]
    first_s: float | None
    log: list[LogEntry]
    log_cut: bool


@dataclass(frozen=True, slots=True)
class Connections:
    """``opened`` includes ``refused``, which were answered by a limit in place of the greeting."""

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
    """Whom a block shuts out; None for a part that its key does not have."""

    ip: str | None
    username: str | None


@dataclass(frozen=True, slots=True)
class Block:
    """[from_s, until_s), the true end, even past the run's."""

    limit: str
    key: BlockKey
    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Series:
    """Bins of one width from ``t_s`` on. ``open_connections`` and ``logins_in_window`` are the
    highest level in the bin.

    ``logins_in_window`` is how many logins the busiest username had in the limit's last ``per`` (60
    s without such a limit). ``in_window`` is, for each limit of the policy, the highest use of its
    budget by any key, refused requests included: transactions on one connection; connections of an
    IP, logins of a username and wrong passwords of an IP, each in the last ``per``; consecutive
    wrong passwords of a username and IP.
    """

    t_s: list[float]
    accepted: list[int]
    incidents: dict[str, list[int]]
    open_connections: list[int]
    logins_in_window: list[int]
    in_window: dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one expectation."""

    metric: str
    comparison: str
    actual: float | int | str | None
    passed: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """What happened, why, and what to set; ``limit`` None where no limit is behind it."""

    limit: str | None
    what: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a run found. ``error`` says in words why a run was aborted; ``command`` repeats it.

    ``first_lost`` has the ids of the first ten messages that were lost, for whoever has the result
    at hand: the JSON only counts.
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
        """The value of a dotted metric; a reply code that never occurred counts 0."""
        value: Any = self
        for part in name.split("."):
            value = value.get(part, 0) if isinstance(value, dict) else getattr(value, part)
        found: float | int | str | None = value
        return found
