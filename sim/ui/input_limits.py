"""What a setting that came over the network may say: numbers and shipped names, and never code or a
path on this machine.

The loader takes a strategy's file, a policy's path and a trace from a scenario file, since that
file is the person's own. A page is served to anybody who can reach it: everything that names a file
is refused here, before the loader looks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import ScenarioError, nearest
from ..relay.policy_file import shipped as policies
from ..scenario.schema import WORKLOADS
from ..strategies.catalogue import SHIPPED
from ..text import shown
from ..units import MICRO, duration, rate

MOST_MESSAGES = 1_000_000
"""More than this does not fit a page that others use too; `relaysim run` takes ten times as many.
"""

MOST_WORKERS = 2_000
LONGEST_TEXT = 200_000
"""Characters of a scenario file; the longest that is shipped has 3,000."""


def mistakes(tables: Mapping[str, Any], place: str) -> list[ScenarioError]:
    """Every mistake of this kind."""
    found = [*_strategy(_part(tables, "sender"), place), *_policy(_part(tables, "policy"), place)]
    return [*found, *_workload(_part(tables, "workload"), place)]


HARMLESS: dict[str, dict[str, Any]] = {
    "sender": {"strategy": "paced"},
    "policy": {},
    "workload": {"kind": "batch", "messages": 1},
}
"""What stands in for a table that was refused, so that the rest can be looked at."""


def harmless(tables: Mapping[str, Any], refused: Sequence[ScenarioError]) -> dict[str, Any]:
    """The tables with those that were refused replaced."""
    return {
        **tables,
        **{key: HARMLESS[key] for key in {one.key.partition(".")[0] for one in refused}},
    }


def _part(tables: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = tables.get(key)
    return found if isinstance(found, Mapping) else {}


def _strategy(sender: Mapping[str, Any], place: str) -> Iterator[ScenarioError]:
    if "code" in sender:
        yield ScenarioError(
            place,
            "sender.code",
            (
                "names code on the machine that serves this page, which is refused; run it with "
                "relaysim run"
            ),
        )
    name = sender.get("strategy")
    if isinstance(name, str) and name not in SHIPPED:
        if ".py" in name or "/" in name or "\\" in name or ":" in name:
            problem = (
                f"{shown(name)} names code, which this page refuses; choose a shipped "
                "strategy, or run the file with relaysim run"
            )
        else:
            problem = (
                f"{shown(name)} is no shipped strategy{nearest(name, SHIPPED)}; allowed: "
                f"{', '.join(SHIPPED)}"
            )
        yield ScenarioError(place, "sender.strategy", problem)
    workers = sender.get("workers")
    if isinstance(workers, int) and workers > MOST_WORKERS:
        yield ScenarioError(
            place,
            "sender.workers",
            f"{workers:,} is too many for this page; at most {MOST_WORKERS:,}",
        )


def _policy(policy: Mapping[str, Any], place: str) -> Iterator[ScenarioError]:
    use = policy.get("use")
    if isinstance(use, str) and use not in policies():
        yield ScenarioError(
            place,
            "policy.use",
            (
                f"{shown(use)} is no shipped policy; allowed: {', '.join(policies())}. This page "
                "opens no file"
            ),
        )


def _workload(workload: Mapping[str, Any], place: str) -> Iterator[ScenarioError]:
    if workload.get("kind") == "trace" or "file" in workload:
        allowed = ", ".join(kind for kind in WORKLOADS if kind != "trace")
        yield ScenarioError(
            place,
            "workload.file",
            f"names a file, and this page opens none; allowed kinds: {allowed}",
        )
        return
    messages = expected_messages(workload)
    if messages is not None and messages > MOST_MESSAGES:
        key = "workload.messages" if "messages" in workload else "workload"
        yield ScenarioError(
            place,
            key,
            (
                f"about {messages:,.0f} messages are too many for this page; at most "
                f"{MOST_MESSAGES:,}; relaysim run takes more"
            ),
        )


def expected_messages(workload: Mapping[str, Any]) -> float | None:
    """About how many messages a workload has; None where its numbers are not right, which the
    loader says better.
    """
    try:
        if "messages" in workload:
            return float(workload["messages"])
        span = duration(workload["for"])
        if "rate" in workload:
            return float(rate(workload["rate"]) * span)
        if "size" in workload:
            return float(workload["size"]) * (span // max(1, duration(workload["every"])) + 1)
        return sum(map(float, workload["profile"])) / 24 * span / (3_600 * MICRO)
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
