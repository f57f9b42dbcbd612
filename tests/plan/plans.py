"""Plans that several tests look at, each made once."""

from __future__ import annotations

from functools import cache

from sim import units
from sim.plan import Plan, Resources, Standard, at_rate, by_deadline, plan

SECOND = 1_000_000
MINUTE = 60_000_000


@cache
def at(rate: str, p99: str | None = None, usernames: int = 1, lasts: str | None = None) -> Plan:
    """The plan for a rate."""
    demand = at_rate(
        units.rate(rate),
        units.duration(p99) if p99 else None,
        units.duration(lasts) if lasts else None,
    )
    return plan(
        demand, resources=Resources(usernames, usernames), standard=Standard(replications=8)
    )


@cache
def within(messages: int, time: str, strategy: str = "paced", usernames: int = 1) -> Plan:
    """The plan for a deadline."""
    demand = by_deadline(messages, units.duration(time))
    return plan(
        demand,
        strategy=strategy,
        resources=Resources(usernames, usernames),
        standard=Standard(replications=8),
    )
