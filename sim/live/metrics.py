"""The live relay's numbers in the format that Prometheus reads. Computes nothing that the result or
the door does not say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..relay.kinds import KINDS
from ..units import seconds

if TYPE_CHECKING:
    from ..measure import Result
    from .door import Door


def exposed(door: Door) -> bytes:
    """The text of one scrape, in the classic text format 0.0.4."""
    registry = CollectorRegistry()
    registry.register(_Numbers(door))
    return generate_latest(registry)


class _Numbers(Collector):
    """Made anew for each scrape: the result is the one place where anything is counted."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        door = self._door
        result = self._door.result()
        yield _count(
            "messages_accepted",
            "Messages answered 250 after DATA, each once",
            result.messages.accepted,
        )
        yield _count(
            "messages_duplicated",
            "Further acceptances of the same message",
            result.messages.duplicated,
        )
        yield _gauge("messages_lost", "Messages seen and not accepted so far", result.messages.lost)
        yield _count(
            "connections_opened", "Connections that TCP accepted", result.connections.opened
        )
        yield _count(
            "connections_refused",
            "Connections refused in place of the greeting",
            result.connections.refused,
        )
        yield _gauge("connections_open", "Connections open now", len(door.connections))
        yield _counts("logins", "Logins by how they ended", "outcome", _logins(result))
        yield _counts("incidents", "Refusals caused by a limit", "limit", result.incidents.by_limit)
        yield _counts("blocks", "Blocks that began", "limit", _blocks(result, since=None))
        running = GaugeMetricFamily(
            "relaysim_blocks_running", "Blocks in force now", labels=["limit"]
        )
        for limit, number in _blocks(result, since=seconds(door.now)).items():
            running.add_metric([limit], number)
        yield running
        counts = GaugeMetricFamily(
            "relaysim_limit_count", "What each limit of the policy allows", labels=["limit"]
        )
        for kind, spec in door.relay.policy.by_kind():
            counts.add_metric([kind.name], spec.count)
        yield counts
        yield _gauge("uptime_seconds", "Seconds since the relay started", seconds(door.now))


def _count(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(f"relaysim_{name}", about, value=value)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"relaysim_{name}", about, value=value)


def _counts(name: str, about: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"relaysim_{name}", about, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _logins(result: Result) -> dict[str, int]:
    logins = result.logins
    return {"accepted": logins.accepted, "failed": logins.failed, "refused": logins.refused}


def _blocks(result: Result, since: float | None) -> dict[str, int]:
    """Blocks by limit, all or those that run at ``since`` seconds; 0 for each limit on failed
    logins without a block.
    """
    found = {limit: 0 for limit in result.incidents.by_limit if KINDS[limit].failures}
    for block in result.blocks:
        if since is None or block.from_s <= since < block.until_s:
            found[block.limit] = found.get(block.limit, 0) + 1
    return found
