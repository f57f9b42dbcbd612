"""A policy: the limits of a relay and the reply for each.

Defines the keys of a policy and the throughput ceiling that follows from their values. ``kinds``
declares the kinds of limits, and ``register`` adds one. ``policy_file`` reads policies from TOML
files; the numbers and their sources are in ``sim/policies``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from pydantic import Field, model_validator
from pydantic.fields import FieldInfo

from ..schema_base import Table
from ..units import spoken
from .kinds import (
    KINDS,
    ConnectionsSpec,
    FailedIpSpec,
    FailedSpec,
    Kind,
    LimitSpec,
    LoginsSpec,
    TransactionsSpec,
    Window,
    WindowSpec,
)


class Policy(Table):
    """A relay's limits, each None if the relay does not have it: a field for each of ``KINDS``.

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
        for name in self.limits:
            spec = self.spec(name)
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
        """The names of the limits that this policy has, in the order of ``KINDS``."""
        return tuple(name for name in KINDS if getattr(self, name) is not None)

    def spec(self, limit: str) -> LimitSpec | None:
        """The table of the limit with this name; None if the policy does not have it."""
        found: LimitSpec | None = getattr(self, limit)
        return found

    @property
    def carried(self) -> int | None:
        """The messages that the relay accepts on one connection; None if any number."""
        counts = [
            spec.count
            for kind, spec in self.by_kind()
            if kind.per_connection and not kind.timed and kind.counts.carries == "message"
        ]
        return min(counts, default=None)

    def by_kind(self) -> list[tuple[Kind, LimitSpec]]:
        """Each limit that this policy has, with its kind."""
        pairs = ((kind, self.spec(name)) for name, kind in KINDS.items())
        return [(kind, spec) for kind, spec in pairs if spec is not None]

    def rates(self) -> list[tuple[Kind, WindowSpec]]:
        """The limits that bound the messages per minute by themselves."""
        return [
            (kind, spec)
            for kind, spec in self.by_kind()
            if kind.bounds_throughput and isinstance(spec, WindowSpec)
        ]

    def ceiling(self, usernames: int, ips: int) -> Fraction | None:
        """The messages per minute that a sender with this many usernames and IPs can sustain at
        most; None if no limit binds.

        For example the smaller of usernames x logins x transactions and ips x connections x
        transactions. Without a limit of transactions, a connection can carry any number of
        messages, and the limits of connections and logins do not bind.
        """
        carried = self.carried
        ceilings = [
            kind.per_minute(spec, kind.for_each.keys(usernames, ips), carried or 1)
            for kind, spec in self.rates()
            if kind.counts.carries == "message" or carried is not None
        ]
        return min(ceilings, default=None)


STAGES = ("greeting", "ehlo", "auth", "mail", "rcpt", "data", "body")
"""The stages of a session in their order."""

STAGE_OF: dict[str, str] = {"connect": "greeting", "login": "auth", "wrong-password": "auth"}
"""The first stage after a moment that is not a stage itself."""


def register(kind: Kind) -> None:
    """Adds ``kind`` to the limits that a policy can have, under ``[policy.NAME]`` in a file."""
    first = STAGES.index(STAGE_OF.get(kind.counts.at, kind.counts.at))
    too_early = set(kind.stages) - set(STAGES[first:])
    assert not too_early, f"{kind.name} cannot refuse at {too_early}, before it counts"
    KINDS[kind.name] = kind
    field = FieldInfo(annotation=kind.spec | None, default=None)  # type: ignore[arg-type]
    Policy.model_fields[kind.name] = field
    Policy.model_rebuild(force=True)


def described(policy: Policy) -> list[str]:
    """A line of text for each limit of ``policy``."""
    lines = []
    for name in KINDS:
        spec = policy.spec(name)
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
