"""Every shipped strategy does the same in virtual time and, by smtplib and real threads, against
the live relay.

The limits are scaled down, nothing is random but the strategies' own luck, which is the same on
both sides, and no request comes within 200 ms of a window's edge. Then accepted, lost and refused
by each limit are the same numbers, what was said is the same collection of connections, and each
line of it was judged at the same time within 5% or 100 ms.

Real time is the machine's: these threads go before other programs where the system allows it, and
what comes late all the same is done again, five times at most, with no other test beside it. So is
a wrong count of a pass in which the machine stood still, as seen by a thread with nothing to do but
to wake in time. Any other wrong count fails at once.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import pytest

from sim.strategies.catalogue import SHIPPED, shipped
from tests.agreement.both import (
    Seen,
    distance_from_edges,
    in_production,
    in_virtual_time,
    paired,
    scenario_of,
)
from tests.real_time import PASSES, STALLED_S, first

LEAST_DISTANCE_S = 0.2
SHARE = 0.05
LEAST_S = 0.1

LIMITS = {
    "logins_per_username": {"count": 12, "per": "6s"},
    "connections_per_ip": {"count": 30, "per": "6s"},
}


def tables(
    strategy: str,
    workload: Any,
    workers: int,
    *,
    rtt: str = "100ms",
    tls: str = "none",
    seed: int = 1,
    policy: dict[str, Any] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """A scenario; ``workload`` is a number of messages, all at once, or a table."""
    return {
        "seed": seed,
        "policy": LIMITS | (policy or {}),
        "workload": {"kind": "batch", "messages": workload}
        if isinstance(workload, int)
        else workload,
        "sender": {"strategy": strategy, "workers": workers, "options": options},
        "network": {"rtt": rtt, "jitter": 0, "relay_time": "5ms", "tls": tls},
    }


def logins(count: int) -> dict[str, Any]:
    """Fewer logins in the same window."""
    return {"logins_per_username": {"count": count, "per": "6s"}}


TWO_BURSTS = {"kind": "bursts", "size": 15, "every": "7s", "for": "8s"}

CASES = {
    "connection-per-message, two bursts": tables("connection-per-message", TWO_BURSTS, 5),
    "one-connection": tables("one-connection", 8, 1),
    "paced": tables("paced", 50, 6, tls="implicit"),
    "batches, too fast": tables("batches", 30, 5, tls="starttls", size=2, pause="0.1s"),
    "retry": tables("retry", 40, 4, seed=4, size=2),
    "paced, too fast": tables("paced", 12, 1, seed=14, policy=logins(3), size=2, spacing="0.2s"),
    "adaptive": tables(
        "adaptive", 12, 1, rtt="110ms", policy=logins(4) | {"transactions_per_connection": 2}
    ),
}
"""Round trips are long, so that the machine's own time, a millisecond or two each, is little beside
them. Where workers come to a limit in the same instant, it makes no difference which of them is
refused.
"""

AT_ONCE = [list(CASES)[:3], list(CASES)[3:5], list(CASES)[5:]]
"""What runs side by side; all at once would be more than two cores can do in time."""


@pytest.fixture(scope="module", autouse=True)
def quick_threads() -> Iterator[None]:
    """The relay and its senders are threads of this process: none waits 5 ms for another that
    computes.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    yield
    sys.setswitchinterval(before)


def of_the_simulation_alone() -> set[str]:
    return {name for name in SHIPPED if shipped(name).library}


def test_every_shipped_strategy_that_can_run_in_production_is_here():
    here = {table["sender"]["strategy"] for table in CASES.values()}
    assert here == set(SHIPPED) - of_the_simulation_alone()


@pytest.mark.parametrize("name", CASES)
def test_no_request_is_near_the_edge_of_a_window(name):
    scenario = scenario_of(CASES[name])
    _, world = in_virtual_time(scenario)
    assert distance_from_edges(scenario, world) >= LEAST_DISTANCE_S


def test_what_is_compared_meets_limits():
    met = Counter[str]()
    for table in CASES.values():
        met.update(in_virtual_time(scenario_of(table))[0].refused)
    assert met["logins_per_username"] >= 10
    assert met["transactions_per_connection"] >= 2


@pytest.mark.parametrize("names", AT_ONCE, ids=", ".join)
def test_both_doors_do_the_same(names, alone, capsys):
    todo = list(names)
    rows = []
    for turn in range(PASSES):
        with (
            alone() if turn else nullcontext(),
            first() as undisturbed,
            ThreadPoolExecutor(len(todo)) as pool,
        ):
            pairs = dict(zip(todo, pool.map(both, todo), strict=True))
        for name, (virtual, live) in pairs.items():
            wrong = differences(virtual, live)
            worst = None if wrong else lateness(virtual, live)
            rows.append(row(name, virtual, live, worst))
            if worst is not None and worst <= 1:
                todo.remove(name)
            else:
                assert turn < PASSES - 1, [*rows, *wrong]
                disturbed = live.stalled >= STALLED_S or not (undisturbed or turn)
                assert not wrong or disturbed, [rows[-1], *wrong]
        if not todo:
            break
    with capsys.disabled():
        print("\n" + "\n".join(rows))


def both(name: str) -> tuple[Seen, Seen]:
    """What the two doors saw of a case."""
    scenario = scenario_of(CASES[name])
    return in_virtual_time(scenario)[0], in_production(scenario)


def differences(virtual: Seen, live: Seen) -> list[str]:
    """What the doors do not agree on, in words."""
    one = virtual.result
    other = live.result
    compared = {
        "accepted": (virtual.accepted, live.accepted, other.messages.accepted),
        "lost": (virtual.lost, live.lost),
        "submitted": (one.messages.submitted, live.outcome.submitted if live.outcome else None),
        "refused by limit": (virtual.refused, live.refused),
        "by code": (one.incidents.by_code, other.incidents.by_code),
        "logins": tuple(
            (row.requested, row.accepted, row.refused, row.failed)
            for row in (one.logins, other.logins)
        ),
        "connections": tuple(
            (row.opened, row.refused) for row in (one.connections, other.connections)
        ),
        "transcripts": tuple(
            Counter(talk.lines for talk in seen.talks) for seen in (virtual, live)
        ),
    }
    return [
        f"{what}: {values}"
        for what, values in compared.items()
        if any(value != values[0] for value in values)
    ]


def lateness(virtual: Seen, live: Seen) -> float:
    """The worst difference of a line's time, in shares of what is allowed."""
    return max(
        abs(there - here) / max(LEAST_S, SHARE * here)
        for first, second in paired(virtual.talks, live.talks)
        for here, there in zip(first.times, second.times, strict=True)
    )


def row(name: str, virtual: Seen, live: Seen, worst: float | None) -> str:
    """A line of the table; ``worst`` None where the counts differ."""
    late = "counts differ" if worst is None else f"worst line {worst:4.0%} of what is allowed"
    refused = (
        ", ".join(f"{count} {limit}" for limit, count in virtual.refused.items() if count) or "none"
    )
    return (
        f"{name:35} accepted {live.accepted:3} lost {live.lost:3} connections {len(live.talks):3} refused: {refused:60} "
        f"end {virtual.last_s:6.3f} s, live {live.last_s:6.3f} s; {late}; "
        f"machine late by {live.slow * 1000:.2f} ms, {live.stalled * 1000:.0f} ms at most"
    )


def refusing(limit: str, **reply: Any) -> dict[str, Any]:
    """Twelve messages in batches of four, with one limit that refuses in its own way."""
    counts = {"transactions_per_connection": 2, "connections_per_ip": 2, "logins_per_username": 2}
    spec = {"count": counts[limit], "reply": reply} | (
        {} if limit.startswith("trans") else {"per": "60s"}
    )
    return tables(
        "batches",
        12,
        1,
        rtt="4ms",
        size=4,
        pause="1ms",
        policy={"use": "unlimited", **NOTHING, limit: spec},
    )


NOTHING = {"logins_per_username": False, "connections_per_ip": False}

WAYS = {
    **{
        f"{stage}, {code}, {then}": refusing(
            "transactions_per_connection", stage=stage, code=code, then=then
        )
        for stage in ("mail", "rcpt", "data", "body")
        for code in (421, 450)
        for then in ("close", "drop", "stay")
    },
    **{
        f"{stage}, {then}": refusing("connections_per_ip", stage=stage, then=then)
        for stage in ("greeting", "ehlo")
        for then in ("close", "drop", "stay")
    },
    **{
        f"auth, {code}, {then}": refusing("logins_per_username", code=code, then=then)
        for code in (421, 454)
        for then in ("close", "drop", "stay")
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_refusing_is_the_same_to_a_sender(way):
    scenario = scenario_of(WAYS[way])
    virtual = in_virtual_time(scenario)[0]
    live = in_production(scenario)
    assert sum(virtual.refused.values()) > 0
    assert differences(virtual, live) == []
