"""A policy: a relay's limits and the reply for each, read strictly from a TOML file and overlaid by
a scenario.

Knows the keys, what is allowed in each and the ceiling that follows from them. Knows nothing of
sessions or of time passing; the numbers themselves stand, with their sources, in ``sim/policies``.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..errors import ScenarioError, nearest
from ..limits import WINDOWS, Limit, make_limiter
from ..schema_base import Duration, Table, choice, read, read_toml, unknown_key, written
from ..text import shown
from ..units import spoken

SHIPPED = Path(__file__).parent.parent / "policies"

Window = Annotated[str, BeforeValidator(lambda value: choice(value, WINDOWS, "a window algorithm"))]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]


class ReplySpec(Table):
    """How the relay answers what is over a limit: where in the session, with what, and what becomes
    of the connection.
    """

    stage: str
    code: Annotated[int, Field(ge=400, le=599)] = 421
    enhanced: Annotated[str, Field(pattern=r"^([45]\.\d{1,3}\.\d{1,3})?$")] = ""
    text: Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,400}$")] = (
        "Service not available, closing transmission channel."
    )
    then: Literal["close", "drop", "stay"] = "close"


class LimitSpec(Table):
    """What all limits have. ``per`` and ``block`` are microseconds; a limit without ``per`` counts
    without a window.
    """

    stages: ClassVar[tuple[str, ...]] = ()
    count: Count
    reply: ReplySpec

    @model_validator(mode="before")
    @classmethod
    def _fill_reply(cls, data: Any) -> Any:
        """The stage has a default that differs from limit to limit."""
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
    """A limit with a window and perhaps a block. ``window`` and ``count_refused`` None mean the
    policy's and the algorithm's own.
    """

    per: Annotated[Duration, Field(ge=1)]
    window: Window | None = None
    count_refused: bool | None = None
    block: Annotated[Duration, Field(ge=1)] | None = None

    def limit(self, name: str, window: str) -> Limit:
        """The limit's state machine, empty. ``window`` is the policy's algorithm."""
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
    """``failed_logins_per_username_ip``. ``block_at`` "reached" makes the count-th failure itself
    the one that goes over.
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
    """A relay's limits; None for one that it does not have. ``message_size`` is the largest message
    in bytes.
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
            if (
                isinstance(spec, FailedSpec)
                and spec.kept_from == "last"
                and (spec.window or self.window) != "fixed"
            ):
                raise ValueError(
                    f'{name}.kept_from "last" needs window = "fixed": the other algorithms keep no first or last'
                )
        return self

    @property
    def limits(self) -> tuple[str, ...]:
        """The names of the limits that this policy has, in the order of ``LIMITS``."""
        return tuple(name for name in LIMITS if getattr(self, name) is not None)

    def ceiling(self, usernames: int, ips: int) -> Fraction | None:
        """Messages a minute that no sender with so many usernames and IPs can exceed for long; None
        where no limit binds.

        The least of usernames x logins x transactions and ips x connections x transactions. Without
        a limit of transactions a connection carries any number, and nothing binds.
        """
        transactions = self.transactions_per_connection
        pairs = ((self.logins_per_username, usernames), (self.connections_per_ip, ips))
        if transactions is None:
            return None
        terms = [
            Fraction(keys * spec.count * transactions.count * 60_000_000, spec.per)
            for spec, keys in pairs
            if spec
        ]
        return min(terms, default=None)


LIMITS = (
    "transactions_per_connection",
    "connections_per_ip",
    "logins_per_username",
    "failed_logins_per_ip",
    "failed_logins_per_username_ip",
)
"""Every limit that a policy may have, by its key in the file."""


def shipped() -> list[str]:
    """The names of the policies that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load(use: str, overlay: Mapping[str, Any], place: str, folder: Path) -> Policy:
    """The policy ``use`` (a shipped name, or a path relative to ``folder``) with ``overlay`` laid
    over it.

    In the overlay a bare number is a limit's count, a table any of its fields, false removes the
    limit. ScenarioError for every mistake in either.
    """
    path, data = _find(use, place, folder)
    own = _without_false(data)
    base = _read(own, path.stem, str(path))
    if not any(key in data for key in LIMITS):
        problem = f"names no limit, so nothing would be refused; write {LIMITS[0]} = 5 or {LIMITS[0]} = false, and so on"
        raise ScenarioError(str(path), "", problem)
    return _read(_merge(own, overlay), path.stem, place, "policy") if overlay else base


def changed(policy: Policy, overlay: Mapping[str, Any], place: str) -> Policy:
    """``policy`` with ``overlay`` laid over it, in the words of :func:`load`; ScenarioError for
    every mistake in it.
    """
    own = {key: value for key, value in written(policy).items() if key != "name"}
    return _read(_merge(own, overlay), policy.name, place, "policy")


def _find(use: str, place: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    if use in shipped():
        path = SHIPPED / f"{use}.toml"
    elif "/" in use or use.endswith(".toml"):
        path = folder / use
        if not _is_file(path):
            raise ScenarioError(
                place,
                "policy.use",
                f"{shown(use)} is not a file; a path is relative to the scenario file",
            )
    else:
        close = nearest(use, shipped())
        raise ScenarioError(
            place,
            "policy.use",
            f"{shown(use)} is no shipped policy; allowed: {', '.join(shipped())}, or a path{close}",
        )
    return path, read_toml(path)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a NUL in it
        return False


def _read(data: Mapping[str, Any], name: str, place: str, key: str = "") -> Policy:
    """The policy of a table in which a bare number is a limit's count; ScenarioError with every
    mistake in it.
    """
    prefix = f"{key}." if key else ""
    allowed = [*(["use"] if key else []), *(each for each in Policy.model_fields if each != "name")]
    errors = [
        ScenarioError(place, prefix + each, _not_a_key(each, allowed))
        for each in data
        if each not in allowed
    ]
    table = {
        **{each: _counted(each, value) for each, value in data.items() if each in allowed},
        "name": name,
    }
    for each in (
        limit for limit in LIMITS if limit in data and not isinstance(table[limit], Mapping)
    ):
        problem = f"{shown(table.pop(each))} is not allowed; write a count, a table, or false to remove the limit"
        errors.append(ScenarioError(place, prefix + each, problem))
    try:
        policy = read(Policy, table, place, key)
    except ScenarioError as error:
        raise ScenarioError.joined([*errors, error]) from None
    if errors:
        raise ScenarioError.joined(errors)
    return policy


def _not_a_key(name: str, allowed: list[str]) -> str:
    return (
        "is not a key; a policy's name is its file's"
        if name == "name"
        else unknown_key(name, allowed)
    )


def _counted(key: str, value: object) -> object:
    bare = key in LIMITS and isinstance(value, int | float) and not isinstance(value, bool)
    return {"count": value} if bare else value


def _without_false(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if not (key in LIMITS and value is False)}


def _merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """``overlay`` over ``base``, table by table; a limit that is false goes."""
    result = dict(base)
    for key, given in overlay.items():
        below = _counted(key, result.get(key))
        value = _counted(key, given)
        result[key] = (
            _merge(below, value)
            if isinstance(below, Mapping) and isinstance(value, Mapping)
            else value
        )
    return _without_false(result)


def described(policy: Policy) -> list[str]:
    """A line for each limit of ``policy``, for people."""
    lines = []
    for name in LIMITS:
        spec = getattr(policy, name)
        if spec is None:
            lines.append(f"{name}: none")
            continue
        per = (
            f" per {spoken(spec.per)} ({spec.window or policy.window})"
            if isinstance(spec, WindowSpec)
            else ""
        )
        block = (
            f", then blocked for {spoken(spec.block)}"
            if isinstance(spec, WindowSpec) and spec.block
            else ""
        )
        lines.append(f"{name}: {spec.count}{per}{block}, {spec.reply.code} at {spec.reply.stage}")
    return lines
