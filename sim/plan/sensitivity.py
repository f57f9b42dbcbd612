"""What lies around a proven setting: one less of each resource, and other round trips. By
simulation, on the same luck.

Knows settings and trials, not why a setting was chosen.
"""

from __future__ import annotations

from dataclasses import replace

from ..units import MICRO
from .answer import Neighbour
from .estimates import paired
from .option_map import Setting
from .scaled_proof import PART, Proof, first_parts
from .trials import Trials, sender_table

SHORT = 3
"""Replications of a comparison."""

ENOUGH = 6_000
"""Messages that tell a pace: ten windows. A longer batch is shortened to them where only its pace
is looked at.
"""

LONGEST_RTT = 4 * MICRO
"""Longer round trips are not looked at."""


def frontier(trials: Trials, setting: Setting, proof: Proof) -> list[Neighbour]:
    """One less of each resource that there is more than one of. Of a plan proven by parts they are
    compared by them.
    """
    results = proof.whole
    first = 0
    longer = 1.0
    if proof.parts:
        trials = first_parts(trials)
        results = proof.parts
        first = 1
        longer = proof.whole[0].duration_s / proof.parts[0].duration_s
    many = min(SHORT if trials.demand.messages <= ENOUGH else 1, len(results))
    numbers = list(range(first, first + many))
    found: list[Neighbour] = []
    named = [
        ("workers", "one worker fewer"),
        ("usernames", "one username fewer"),
        ("ips", "one IP fewer"),
    ]
    if setting.parallel > 1:
        named[0] = ("parallel", "one connection fewer at once")
    for name, change in named:
        fewer = replace(setting, **{name: getattr(setting, name) - 1})
        if min(fewer.workers, fewer.usernames, fewer.ips) < 1 or fewer.workers < max(
            fewer.usernames, fewer.ips
        ):
            continue
        trials.meter.expect("neighbours", len(numbers))
        theirs = trials.run(fewer, numbers)
        own = [one.duration_s * longer for one in results[:many]]
        later = paired(own, [one.duration_s * longer for one in theirs])
        worst = max(theirs, key=lambda one: (one.incidents.total, one.duration_s))
        found.append(
            Neighbour(
                change,
                sender_table(trials.knobs, fewer),
                all(map(trials.demand.met, theirs)),
                worst.throughput.mean_per_min or 0.0,
                worst.duration_s * longer,
                None if worst.latency_s.p99 is None else worst.latency_s.p99 * longer,
                worst.incidents.total,
                later,
            )
        )
    return found


def round_trips(
    trials: Trials, setting: Setting, number: int, low: int, high: int
) -> tuple[float, float]:
    """The round trips for which replication ``number`` still meets the demand, in seconds.

    Outwards from ``low`` and ``high`` (microseconds), for which it does, then halved until the edge
    is known to a tenth.
    """
    trials.meter.expect("round trips", 8)
    most = ENOUGH if trials.knobs.plain else PART
    brief = replace(trials, demand=trials.demand.shortened(most), kept={})

    def held(rtt: int) -> bool:
        return brief.holds(setting, [number], [f"network.rtt={rtt / MICRO!r}"])

    def edge(good: int, bad: int) -> int:
        while abs(bad - good) > max(1_000, good // 10):
            middle = (good + bad) // 2
            good, bad = (middle, bad) if held(middle) else (good, middle)
        return good

    least = 0 if held(0) else edge(low, 0)
    most = high
    bad = 0
    while not bad and most < LONGEST_RTT:
        further = max(1_000, most * 2)
        most, bad = (further, 0) if held(further) else (most, further)
    return least / MICRO, (edge(most, bad) if bad else most) / MICRO
