"""The relay model M1: ours through the strategy API, every limit on, against a plain SimPy program
with a timeout per command.

20 workers, worker i starting at i x 501 ms, each every 10 s (a second run: every 9 s, for
refusals): TCP and greeting (2 round trips), EHLO, AUTH, 5 messages of 4 round trips, QUIT; 20 ms a
round trip; 120 logins per 60 s, a fixed window; 5 s wait after a refusal. Both keep a row a
message; ours also makes the full result. The two take turns, so that a busy machine slows both, and
are timed by the processor's time and by the clock; prints the speeds of the medians and their
ratios, by both, and the ratio of each round, so that it can be seen how far they agree.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, NamedTuple

import simpy

from sim.scenario import build
from sim.strategies.api import Refused, Sender
from sim.strategies.catalogue import Strategy
from sim.world import World

WORKERS = 20
STAGGER = 0.501
RTT = 0.020
REST = 5.0
HOURS = 2
ROUNDS = 9


class Counts(NamedTuple):
    """What both must agree on."""

    accepted: int
    logins: int
    refused: int


def plain(period: float) -> Counts:
    """The peer: SimPy as its tutorial writes it."""
    env = simpy.Environment()
    rows: list[tuple[float, int]] = []
    window = {"start": -60.0, "count": 0}
    counts = {"logins": 0, "refused": 0}

    def login() -> bool:
        # To a tenth of a microsecond: sums of float seconds miss a window's edge.
        if round(env.now - window["start"], 7) >= 60.0:
            window["start"] = env.now
            window["count"] = 0
        window["count"] += 1
        counts["logins"] += 1
        return window["count"] <= 120

    def connection() -> Generator[simpy.Event, Any, bool]:
        for _ in range(3):
            yield env.timeout(RTT)
        passed = login()
        yield env.timeout(RTT)
        if not passed:
            counts["refused"] += 1
            return False
        for _ in range(5):
            for _ in range(3):
                yield env.timeout(RTT)
            rows.append((env.now + RTT / 2, 1))
            yield env.timeout(RTT)
        yield env.timeout(RTT)
        return True

    def worker(index: int) -> Generator[simpy.Event, Any, None]:
        yield env.timeout(index * STAGGER)
        while True:
            begun = env.now
            if (yield env.process(connection())):
                yield env.timeout(begun + period - env.now)
            else:
                yield env.timeout(REST)

    for index in range(WORKERS):
        env.process(worker(index))
    end = HOURS * 3600
    env.run(until=end)
    return Counts(sum(at < end for at, _ in rows), counts["logins"], counts["refused"])


class Metronome:
    """The same workers as a strategy, numbered in the order in which they start."""

    options: dict[str, object] = {"period": 10.0}

    def __init__(self, period: float) -> None:
        self.period = period
        self.started = 0

    def run(self, sender: Sender) -> None:
        """For ever; the run's horizon ends it."""
        index = self.started
        self.started = self.started + 1
        sender.sleep(index * STAGGER)
        batch = sender.take(5)
        while batch:
            begun = sender.now()
            try:
                with sender.connect() as connection:
                    for message in batch:
                        connection.send(message)
            except Refused:
                sender.sleep(REST)
                continue
            sender.sleep(begun + self.period - sender.now())
            batch = sender.take(5)


def ours(period: float) -> Counts:
    """The simulator: the mailersend policy with all its limits, and the whole result."""
    tables = {
        "until": f"{HOURS}h",
        "workload": {"kind": "batch", "messages": HOURS * 60 * 700},
        "sender": {"strategy": "paced", "workers": WORKERS},
        "network": {"rtt": RTT, "jitter": 0.0, "relay_time": 0, "tls": "none"},
    }
    scenario = build(tables, "m1", "m1", Path())
    result = World(scenario, Strategy("m1", Metronome, {"period": period}, "")).run()
    return Counts(result.messages.accepted, result.logins.requested, result.logins.refused)


class Took(NamedTuple):
    """Seconds of the processor and of the clock."""

    processor: float
    clock: float


def timed(program: Callable[[float], Counts], period: float) -> tuple[Counts, Took]:
    """What it counted and how long it took; no garbage of the program before it counts."""
    gc.collect()
    begun = time.process_time(), time.perf_counter()
    counts = program(period)
    return counts, Took(time.process_time() - begun[0], time.perf_counter() - begun[1])


def rounds(period: float) -> tuple[Counts, list[Took], list[Took]]:
    """Both in turn: what they counted, and the times of the plain program and of ours."""
    theirs = []
    mine = []
    for _ in range(ROUNDS):
        expected, took = timed(plain, period)
        theirs.append(took)
        found, took = timed(ours, period)
        mine.append(took)
        if expected != found:
            raise SystemExit(
                f"M1 every {period:g} s: the counts differ: plain {expected}, ours {found}"
            )
    return found, theirs, mine


def main() -> None:
    """Runs both at both periods and prints what was measured."""
    for period in (10.0, 9.0):
        counts, theirs, mine = rounds(period)
        print(f"M1 every {period:g} s: {counts}")
        for name in Took._fields:
            pairs = [
                (getattr(one, name), getattr(other, name))
                for one, other in zip(theirs, mine, strict=True)
            ]
            plain_s, ours_s = (statistics.median(column) for column in zip(*pairs, strict=True))
            each = " ".join(f"{one / other:.2f}" for one, other in pairs)
            print(
                f"  by the {name}: plain SimPy {counts.accepted / plain_s:,.0f} messages/s, ours {counts.accepted / ours_s:,.0f}; "
                f"ratio {plain_s / ours_s:.2f} (rounds {each})"
            )


if __name__ == "__main__":
    main()
