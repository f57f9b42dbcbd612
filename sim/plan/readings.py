"""Readings of a policy: ``windows`` gives one for each window algorithm, ``reversals`` one for each
other assumption, reversed, that the relay's article leaves open.

A reading is a name and the overrides that produce it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..limits import WINDOWS
from ..relay.kinds import KINDS, FailedSpec, LoginsSpec, TransactionsSpec, WindowSpec
from ..relay.policy import Policy


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the policy. ``overrides`` are applied to the scenario, and are empty for the
    reading that the plan assumes.
    """

    name: str
    overrides: tuple[str, ...]
    idle: bool = False
    """Whether it changes only what follows a refusal or a failed login. A run without either is the
    same under it.
    """


IDLE = ("reply.then", "count_refused", "counts_failed", "block_at", "kept_from")
"""Fields that matter only after a refusal or a failed login, as do all fields of a limit on failed
logins.
"""


def windows(policy: Policy) -> list[Reading]:
    """The five window algorithms, each for every limit that has a window."""
    own = [
        kind.name
        for kind, spec in policy.by_kind()
        if isinstance(spec, WindowSpec) and spec.window is not None
    ]
    found = []
    for window in WINDOWS:
        if window == policy.window and not own:
            found.append(Reading(window, ()))
            continue
        # A limit that keeps its failures from the last on can be counted by a fixed window only.
        kept = [
            kind.name
            for kind, spec in policy.by_kind()
            if isinstance(spec, FailedSpec) and spec.kept_from == "last"
        ]
        back = [f'policy.{name}.kept_from="first"' for name in kept if window != "fixed"]
        found.append(
            Reading(
                window,
                (
                    f"policy.window={window}",
                    *(f"policy.{name}.window={window}" for name in own),
                    *back,
                ),
            )
        )
    return found


def reversals(policy: Policy) -> list[Reading]:
    """Every other assumption, each turned round by itself."""
    return [
        Reading(
            f"{name}.{key}={value}",
            (f"policy.{name}.{key}={value}",),
            idle=key in IDLE or KINDS[name].failures,
        )
        for name, key, value in _turned(policy)
    ]


def _turned(policy: Policy) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for kind, spec in policy.by_kind():
        name = kind.name
        if isinstance(spec, TransactionsSpec):
            found.append(
                (name, "counted_at", "acceptance" if spec.counted_at == "mail" else "mail")
            )
        if isinstance(spec, LoginsSpec):
            found.append(
                (name, "consecutive", "without-success" if spec.consecutive == "every" else "every")
            )
            found.append((name, "counts_failed", "false" if spec.counts_failed else "true"))
        if isinstance(spec, FailedSpec):
            found += _failures(name, spec, policy)
        elif isinstance(spec, WindowSpec):
            found.append((name, "count_refused", _other_count_refused(spec, policy)))
        stages = [stage for stage in kind.stages if stage != spec.reply.stage]
        found += [(name, "reply.stage", stage) for stage in stages[-1:]]
        found.append((name, "reply.then", "close" if spec.reply.then == "drop" else "drop"))
    return found


def _failures(name: str, spec: FailedSpec, policy: Policy) -> list[tuple[str, str, str]]:
    found = []
    if spec.count > 1:
        found.append((name, "block_at", "reached" if spec.block_at == "over" else "over"))
    if (spec.window or policy.window) == "fixed":
        found.append((name, "kept_from", "last" if spec.kept_from == "first" else "first"))
    return found


def _other_count_refused(spec: WindowSpec, policy: Policy) -> str:
    counted = spec.count_refused
    if counted is None:
        counted = (spec.window or policy.window) in ("fixed", "aligned")
    return "false" if counted else "true"
