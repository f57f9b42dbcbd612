"""One scenario twice: in virtual time, and by real threads over smtplib against the live relay; and
what is compared of both.

Asserts nothing itself. Knows the doors, and no strategy.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sim.live
from sim.measure import Result
from sim.production import Account, Outcome, send
from sim.relay.kinds import WindowSpec
from sim.scenario import Scenario, build
from sim.units import MICRO
from sim.world import World, strategy_of
from sim.world.workload import arrivals
from tests.live.peer import until
from tests.real_time import watched


@dataclass(frozen=True)
class Talk:
    """One connection: what was said, and the second of the run at which the relay judged each line."""

    lines: tuple[str, ...]
    times: tuple[float, ...]


@dataclass
class Seen:
    """What one door saw. ``slow`` is what the machine adds to each wait on average, and ``stalled``
    at most, in seconds.
    """

    result: Result
    talks: list[Talk]
    accepted: int
    lost: int
    refused: dict[str, int]
    stalled: float = 0.0
    slow: float = 0.0
    outcome: Outcome | None = field(default=None, repr=False)

    @property
    def last_s(self) -> float:
        """When the relay judged the last line."""
        return max(talk.times[-1] for talk in self.talks)


def scenario_of(tables: dict[str, Any]) -> Scenario:
    """The scenario of ``tables``."""
    return build(tables, "agreement", "agreement", Path())


def in_virtual_time(scenario: Scenario) -> tuple[Seen, World]:
    """Through the world."""
    world = World(scenario, strategy_of(scenario), transcribe=True)
    result = world.run()
    talks = _talks(world.relay.transcripts or {}, 0)
    sums = result.messages
    return Seen(result, talks, sums.accepted, sums.lost, dict(result.incidents.by_limit)), world


def in_production(scenario: Scenario) -> Seen:
    """Through smtplib, threads and a real clock, with the same luck."""
    spec = scenario.sender
    with (
        sim.live.running(scenario=scenario, transcripts=True, bind=("127.0.0.0/8",)) as relay,
        watched() as late,
    ):
        context = (
            ssl.create_default_context(cafile=str(relay.certificate)) if relay.certificate else None
        )
        account = Account(
            relay.host,
            relay.port,
            [(f"user{index + 1}", "secret") for index in range(spec.usernames)],
            "sender@example.com",
            tls=scenario.network.tls,
            ips=[f"127.0.0.{index + 2}" for index in range(spec.ips)],
            context=context,
        )
        begun = relay.call(lambda: relay.live.clock.now())
        outcome = send(
            strategy_of(scenario),
            _coming(scenario),
            account,
            workers=spec.workers,
            options=spec.options,
            seed=scenario.seed,
        )
        until(
            lambda: relay.call(lambda: len(relay.live.connections)) == 0,
            "the relay has heard the end of each connection",
        )
        talks = relay.call(lambda: _talks(relay.live.relay.transcripts or {}, begun))
    result = relay.result()
    refused = dict(result.incidents.by_limit)
    return Seen(
        result,
        talks,
        len(outcome.accepted),
        len(outcome.lost),
        refused,
        max(late),
        sum(late) / len(late),
        outcome,
    )


def distance_from_edges(scenario: Scenario, world: World) -> float:
    """Seconds between the nearest request and an edge of a window of its key, the request that
    begins a window excepted.
    """
    policy = scenario.policy
    rows = world.recorder
    asked: dict[tuple[str, str], list[int]] = {}
    for login in rows.logins:
        asked.setdefault(("logins_per_username", login.username), []).append(login.at)
    for opened in rows.opened_rows:
        asked.setdefault(("connections_per_ip", opened.ip), []).append(opened.at)
    nearest = [
        abs(at - edge)
        for (limit, _), times in asked.items()
        if isinstance(spec := getattr(policy, limit), WindowSpec)
        for edge in _edges(sorted(times), spec.per)
        for at in times
    ]
    return min(nearest, default=10**9) / MICRO


def paired(first: list[Talk], second: list[Talk]) -> Iterator[tuple[Talk, Talk]]:
    """The talks of both that say the same, in the order of their beginnings."""
    return zip(
        *(sorted(talks, key=lambda talk: (talk.lines, talk.times)) for talks in (first, second)),
        strict=True,
    )


def _edges(times: list[int], per: int) -> Iterator[int]:
    end = -1
    for at in times:
        if at >= end:
            end = at + per
            yield end


def _talks(transcripts: dict[int, Any], begun: int) -> list[Talk]:
    return [
        Talk(tuple(each.lines), tuple((at - begun) / MICRO for at in each.times))
        for each in transcripts.values()
        if each.lines
    ]


def _coming(scenario: Scenario) -> list[tuple[str, bytes]] | Iterator[tuple[str, bytes]]:
    """The workload: a list where all is there at once, else each message at its second."""
    moments = [at for at in arrivals(scenario) if at < scenario.horizon]
    each = [
        (f"m{number}@example.com", b"Subject: x\r\n\r\nhello\r\n") for number in range(len(moments))
    ]
    if not any(moments):
        return each

    def slowly() -> Iterator[tuple[str, bytes]]:
        begun = time.monotonic()
        for moment, message in zip(moments, each, strict=True):
            time.sleep(max(0.0, begun + moment / MICRO - time.monotonic()))
            yield message

    return slowly()
