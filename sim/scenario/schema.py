"""The model of a scenario file, :class:`ScenarioFile`: every key with its type, its bounds and its
default.

Nothing here opens a file or looks up a name: the loader finds the policy, strategy and trace of a
scenario. Durations are read as microseconds and rates as messages per microsecond.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ..schema_base import POSITIVE, Duration, Rate, Table, at_most
from ..text import shown
from ..units import MICRO

HORIZON = 7 * 86_400 * MICRO
"""A run without ``until`` stops after at most 7 days of virtual time."""

MOST_MESSAGES = 10_000_000
"""The most messages of a workload; a run with more would not fit into memory."""

LONGEST_FOR = 366 * 86_400 * MICRO
HOUR = 3_600 * MICRO

Messages = Annotated[int, Field(ge=1, le=MOST_MESSAGES)]
For = Annotated[Duration, POSITIVE, at_most(LONGEST_FOR), Field(alias="for")]


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
    every: Annotated[Duration, POSITIVE]
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


Workload = Batch | Constant | Poisson | Bursts | Daily | Trace

WORKLOADS: dict[str, type[Table]] = {
    get_args(each.model_fields["kind"].annotation)[0]: each for each in get_args(Workload)
}
"""The tables that ``workload`` can be, by their ``kind``."""


class SenderSpec(Table):
    """The sender: a strategy, or production code, and its numbers of workers, usernames and IPs."""

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
                    f"{name} = {getattr(self, name)} is more than workers = {self.workers}: "
                    "the rest would never be used"
                )
        return self


class ClientTime(Table):
    """The sender's own time before each connection and before each message, in microseconds."""

    connection: Duration = 0
    message: Duration = 0


class Network(Table):
    """The network between sender and relay. ``jitter`` is the coefficient of variation of each
    round trip, which is gamma distributed.
    """

    rtt: Annotated[Duration, at_most(HOUR)] = 40_000
    jitter: Annotated[float, Field(ge=0, le=10)] = 0.1
    relay_time: Annotated[Duration, at_most(HOUR)] = 5_000
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
    """Faults to inject; none by default."""

    drop_connection: Annotated[float, Field(ge=0, le=1)] = 0.0
    wrong_password: WrongPassword | None = None
    relay_down: list[Down] = []
    slow: Slow | None = None


def _policy_name(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a string; write a shipped policy or a path")
    return value


class PolicyOverlay(Table):
    """The policy to use, and what to change in it: any keys of a policy file, which are checked
    together with those of the policy.
    """

    model_config = ConfigDict(extra="allow")

    use: Annotated[str, BeforeValidator(_policy_name)] = "mailersend"

    @property
    def changes(self) -> dict[str, Any]:
        """The keys to set in the policy."""
        return self.model_extra or {}


def _check_kind(value: object) -> object:
    # Where pydantic cannot print a kind, such as an integer of thousands of digits, it writes a
    # traceback to stderr; so it never sees a kind that is not a string.
    if isinstance(value, Mapping) and not isinstance(value.get("kind"), str):
        raise PydanticCustomError("union_tag_not_found", "kind is not a string")
    return value


class ScenarioFile(Table):
    """A whole scenario file. The order of the keys is the order in which mistakes are reported and
    files are written.
    """

    title: str | None = None
    about: str = ""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 1
    until: Annotated[Duration, POSITIVE, at_most(LONGEST_FOR)] | None = None
    policy: PolicyOverlay = PolicyOverlay()
    workload: Annotated[Workload, Field(discriminator="kind"), BeforeValidator(_check_kind)]
    sender: SenderSpec
    network: Network = Network()
    faults: Faults = Faults()
    expect: dict[str, Any] = {}


TABLES = tuple(ScenarioFile.model_fields)
"""The keys and tables of a scenario file, in their order."""
