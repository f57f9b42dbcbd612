"""A policy: the limits of a relay and the reply for each.

Defines the keys of a policy, the values that each allows, and the throughput ceiling that follows
from them. ``policy_file`` reads policies from TOML files; the numbers and their sources are in
``sim/policies``.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..limits import WINDOWS, Limit, make_limiter
from ..schema_base import POSITIVE, Duration, Table, choice
from ..units import spoken

Window = Annotated[str, BeforeValidator(lambda value: choice(value, WINDOWS, "a window algorithm"))]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]


class ReplySpec(Table):
    """How the relay answers a request over a limit: at which stage of the session, with which
    reply, and whether it then closes the connection, drops it without a reply, or keeps it open.
    """

    stage: str
    code: Annotated[int, Field(ge=400, le=599)] = 421
    enhanced: Annotated[str, Field(pattern=r"^([45]\.\d{1,3}\.\d{1,3})?$")] = ""
    text: Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,400}$")] = (
        "Service not available, closing transmission channel."
    )
    then: Literal["close", "drop", "stay"] = "close"


class LimitSpec(Table):
    """The fields that all limits share. A limit that is not a WindowSpec counts without a window."""

    stages: ClassVar[tuple[str, ...]] = ()
    count: Count
    reply: ReplySpec

    @model_validator(mode="before")
    @classmethod
    def _fill_reply(cls, data: Any) -> Any:
        """Sets the default stage, which differs from limit to limit."""
        if isinstance(data, Mapping) and isinstance(data.get("reply", {}), Mapping):
            return {**data, "reply": {"stage": cls.stages[0], **data.get("reply", {})}}
        return data

    @model_validator(mode="after")
    def _check_stage(self) -> LimitSpec:
        if self.reply.stage not in self.stages:
            allowed = ", ".join(self.stages)
            raise ValueError(
                f'reply.stage "{self.reply.stage}" is not a stage of this limit; allowed: {allowed}'
            )
        return self


class WindowSpec(LimitSpec):
    """A limit with a window of ``per`` microseconds and an optional block.

    ``window`` None is the policy's window, ``count_refused`` None the algorithm's default.
    """

    per: Annotated[Duration, POSITIVE]
    window: Window | None = None
    count_refused: bool | None = None
    block: Annotated[Duration, POSITIVE] | None = None

    def limit(self, name: str, window: str) -> Limit:
        """Makes the limit's state machine, empty. ``window`` is the policy's algorithm."""
        return Limit(name, self._limiter(self.count, window), self.block)

    def _limiter(self, count: int, window: str, *, from_last: bool = False) -> Any:
        return make_limiter(
            self.window or window,
            count,
            self.per,
            count_refused=self.count_refused,
            from_last=from_last,
        )


class TransactionsSpec(LimitSpec):
    """``transactions_per_connection``."""

    stages: ClassVar[tuple[str, ...]] = ("mail", "rcpt", "data", "body")
    counted_at: Literal["mail", "acceptance"] = "mail"


class ConnectionsSpec(WindowSpec):
    """``connections_per_ip``."""

    stages: ClassVar[tuple[str, ...]] = ("greeting", "ehlo")


class LoginsSpec(WindowSpec):
    """``logins_per_username``."""

    stages: ClassVar[tuple[str, ...]] = ("auth",)
    consecutive: Literal["every", "without-success"] = "every"
    counts_failed: bool = True


class FailedSpec(WindowSpec):
    """``failed_logins_per_username_ip``. With ``block_at`` "reached", the failure that reaches
    ``count`` already exceeds the limit.
    """

    stages: ClassVar[tuple[str, ...]] = ("auth",)
    block_at: Literal["over", "reached"] = "over"
    kept_from: Literal["first", "last"] = "first"

    @model_validator(mode="after")
    def _check_reached(self) -> FailedSpec:
        if self.block_at == "reached" and self.count < 2:
            raise ValueError('block_at "reached" needs a count of 2 or more')
        return self

    def limit(self, name: str, window: str) -> Limit:
        count = self.count - (self.block_at == "reached")
        return Limit(
            name, self._limiter(count, window, from_last=self.kept_from == "last"), self.block
        )


class FailedIpSpec(FailedSpec):
    """``failed_logins_per_ip``."""

    stages: ClassVar[tuple[str, ...]] = ("auth", "greeting")


class Policy(Table):
    """A relay's limits, each None if the relay does not have it.

    ``message_size`` is the size in bytes of the largest message that the relay accepts.
    """

    name: str
    title: str = ""
    source: str = ""
    window: Window = "fixed"
    message_size: Annotated[int, Field(ge=1_000, le=1_000_000_000)] = 26_214_400
    transactions_per_connection: TransactionsSpec | None = None
    connections_per_ip: ConnectionsSpec | None = None
    logins_per_username: LoginsSpec | None = None
    failed_logins_per_ip: FailedIpSpec | None = None
    failed_logins_per_username_ip: FailedSpec | None = None

    @model_validator(mode="after")
    def _check_kept_from(self) -> Policy:
        for name in LIMITS:
            spec = getattr(self, name)
            if not isinstance(spec, FailedSpec) or spec.kept_from == "first":
                continue
            if (spec.window or self.window) != "fixed":
                raise ValueError(
                    f'{name}.kept_from "last" needs window = "fixed": the other algorithms keep '
                    f"no first or last"
                )
        return self

    @property
    def limits(self) -> tuple[str, ...]:
        """The names of the limits that this policy has, in the order of ``LIMITS``."""
        return tuple(name for name in LIMITS if getattr(self, name) is not None)

    def ceiling(self, usernames: int, ips: int) -> Fraction | None:
        """The messages per minute that a sender with this many usernames and IPs can sustain at
        most; None if no limit binds.

        The smaller of usernames x logins x transactions and ips x connections x transactions.
        Without a limit of transactions, a connection can carry any number of messages.
        """
        transactions = self.transactions_per_connection
        if transactions is None:
            return None
        pairs = ((self.logins_per_username, usernames), (self.connections_per_ip, ips))
        ceilings = [
            Fraction(keys * spec.count * transactions.count * 60_000_000, spec.per)
            for spec, keys in pairs
            if spec
        ]
        return min(ceilings, default=None)


LIMITS = (
    "transactions_per_connection",
    "connections_per_ip",
    "logins_per_username",
    "failed_logins_per_ip",
    "failed_logins_per_username_ip",
)
"""Every limit that a policy can have, by its key in the file."""


def described(policy: Policy) -> list[str]:
    """A line of text for each limit of ``policy``."""
    lines = []
    for name in LIMITS:
        spec = getattr(policy, name)
        if spec is None:
            lines.append(f"{name}: none")
            continue
        per = ""
        block = ""
        if isinstance(spec, WindowSpec):
            per = f" per {spoken(spec.per)} ({spec.window or policy.window})"
            block = f", then blocked for {spoken(spec.block)}" if spec.block else ""
        lines.append(f"{name}: {spec.count}{per}{block}, {spec.reply.code} at {spec.reply.stage}")
    return lines
