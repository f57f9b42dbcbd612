"""The forty demands: easy ones, tight ones, and ones that nothing can meet, each with the limit
that then must be named.

Which they are was reckoned by hand from the policy: 5 messages a connection, 120 logins a minute
and username, 300 connections a minute and IP; and from the network: 0.345 s to log in, 0.18 s a
message, 1.245 s for a connection of five.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sim import units
from sim.plan import Demand, Resources, at_rate, beside_campaign, by_deadline, of_day

EASY = "easy"
TIGHT = "tight"
IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Case:
    """A demand, who is to meet it and with what; ``limit`` is what forbids it, None where it can be
    met.
    """

    kind: str
    demand: Callable[[], Demand]
    strategy: str = "paced"
    resources: Resources = field(default_factory=Resources)
    limit: str | None = None


def batch(messages: int, within: str) -> Callable[[], Demand]:
    """A deadline."""
    return lambda: by_deadline(messages, units.duration(within))


def rate(text: str, p99: str | None = None, lasts: str = "8m") -> Callable[[], Demand]:
    """A rate; with ``p99`` of messages at random."""
    return lambda: at_rate(
        units.rate(text), units.duration(p99) if p99 else None, units.duration(lasts)
    )


def beside(messages: int, within: str, text: str, p99: str) -> Callable[[], Demand]:
    """Mail beside a campaign."""
    return lambda: beside_campaign(
        messages, units.duration(within), units.rate(text), units.duration(p99)
    )


def day(busiest: float, p99: str) -> Callable[[], Demand]:
    """Office hours with a peak at nine."""
    hours = [0.0] * 8 + [0.5, 1.0, 0.6, 0.4, 0.3, 0.4, 0.4, 0.3, 0.2] + [0.0] * 7
    return lambda: of_day([busiest * share for share in hours], units.duration(p99))


def keys(usernames: int, ips: int = 1, workers: int = 100) -> Resources:
    """The most there is."""
    return Resources(usernames, ips, workers)


LOGINS = "logins_per_username"
CONNECTIONS = "connections_per_ip"
WORKERS = "workers"
TRIPS = "round_trips"

CASES = [
    Case(EASY, batch(1, "10s")),
    Case(EASY, batch(100, "10m")),
    Case(EASY, batch(1000, "1h")),
    Case(EASY, batch(5000, "1h")),
    Case(EASY, batch(3000, "20m")),
    Case(EASY, batch(1000, "30m"), "batches"),
    Case(EASY, batch(1500, "20m"), "smtplib"),
    Case(EASY, batch(1500, "20m"), "nodemailer"),
    Case(EASY, batch(1500, "20m"), "django"),
    Case(EASY, batch(1000, "20m"), "phpmailer"),
    Case(EASY, rate("100/min")),
    Case(EASY, rate("60/min", "10s", "30m")),
    Case(EASY, day(900.0, "30s")),
    Case(EASY, beside(2000, "20m", "20/min", "30s")),
    Case(TIGHT, batch(5000, "510s")),
    Case(TIGHT, batch(3000, "305s")),
    Case(TIGHT, batch(1200, "5m")),
    Case(TIGHT, batch(2400, "301s")),
    Case(TIGHT, batch(600, "10s")),
    Case(TIGHT, batch(300, "4s")),
    Case(TIGHT, batch(5000, "257s"), resources=keys(2)),
    Case(TIGHT, batch(5000, "207s"), resources=keys(3)),
    Case(TIGHT, batch(2000, "210s"), "batches"),
    Case(TIGHT, rate("590/min")),
    Case(TIGHT, rate("240/min", lasts="20m")),
    Case(TIGHT, rate("480/min", lasts="10m")),
    Case(TIGHT, rate("300/min", "3s", "10m")),
    Case(TIGHT, beside(3000, "8m", "100/min", "20s")),
    Case(IMPOSSIBLE, rate("600/min"), limit=LOGINS),
    Case(IMPOSSIBLE, rate("598/min"), limit=LOGINS),
    Case(IMPOSSIBLE, rate("620/min"), limit=LOGINS),
    Case(IMPOSSIBLE, batch(5000, "5m"), limit=LOGINS),
    Case(IMPOSSIBLE, batch(5000, "3m"), resources=keys(2), limit=LOGINS),
    Case(IMPOSSIBLE, batch(5000, "2m"), resources=keys(6), limit=CONNECTIONS),
    Case(IMPOSSIBLE, rate("1600/min", lasts="3m"), resources=keys(5), limit=CONNECTIONS),
    Case(IMPOSSIBLE, batch(2000, "5m"), resources=keys(1, workers=1), limit=WORKERS),
    Case(IMPOSSIBLE, rate("500/min"), resources=keys(1, workers=2), limit=WORKERS),
    Case(IMPOSSIBLE, batch(1, "0.4s"), limit=TRIPS),
    Case(IMPOSSIBLE, rate("60/min", "0.4s"), limit=TRIPS),
    Case(IMPOSSIBLE, rate("590/min", "2s"), limit=LOGINS),
]
