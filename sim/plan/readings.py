"""The policy read otherwise: under each window algorithm, and with each other assumption that its
article leaves open reversed.

A reading is a name and the overrides that make it. Knows the policy's fields, not what a plan is.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..limits import WINDOWS
from ..relay.policy import LIMITS, FailedSpec, LoginsSpec, Policy, TransactionsSpec, WindowSpec
from .ceilings import FAILURES


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the policy. ``overrides`` are laid on the scenario; none where the plan
    assumes this very reading.
    """

    name: str
    overrides: tuple[str, ...]
    idle: bool = False
    """Whether it says only what follows a refusal or a failed login, so that a run without either
    is the same under it.
    """


IDLE = ("reply.then", "count_refused", "counts_failed", "block_at", "kept_from")
"""Fields that are looked at only once something was refused or a login failed; all of a limit on
failed logins are.
"""


def windows(policy: Policy) -> list[Reading]:
    """The five window algorithms, each for every limit that has a window."""
    own = [
        name for name in policy.limits if getattr(getattr(policy, name), "window", None) is not None
    ]
    found = []
    for window in WINDOWS:
        if window == policy.window and not own:
            found.append(Reading(window, ()))
            continue
        # A limit that keeps its failures from the last on can be counted by a fixed window only.
        kept = [
            name
            for name in policy.limits
            if getattr(getattr(policy, name), "kept_from", "first") == "last"
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
            idle=key in IDLE or name in FAILURES,
        )
        for name, key, value in _turned(policy)
    ]


def _turned(policy: Policy) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for name in (limit for limit in LIMITS if getattr(policy, limit) is not None):
        spec = getattr(policy, name)
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
        stages = [stage for stage in spec.stages if stage != spec.reply.stage]
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
