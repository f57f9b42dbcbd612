"""A Tally against the rows: whatever a run in virtual time leaves behind, told to both, comes to
the same result.

Where a Tally may differ it says so: the stretches of its peaks and levels are told in ticks of 10
ms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sim.measure import Facts, Recorder, Tally, live_result
from sim.measure.bins import MOST, WIDTHS, Bins
from sim.measure.distinct import Distinct
from sim.measure.moving import MOST_KEYS, Moving, MovingByKey
from sim.measure.result import Latency, Result
from sim.measure.statistics import bin_width
from sim.scenario import build
from sim.strategies.catalogue import shipped
from sim.world import World

S = 1_000_000

WORLDS: dict[str, Any] = {
    "storm": {
        "sender": {"strategy": "connection-per-message", "workers": 20},
        "workload": {"kind": "batch", "messages": 700},
    },
    "one connection": {
        "sender": {"strategy": "one-connection"},
        "workload": {"kind": "batch", "messages": 50},
    },
    "batches": {
        "sender": {"strategy": "batches", "workers": 6},
        "workload": {"kind": "batch", "messages": 3_000},
    },
    "stale": {
        "sender": {"strategy": "connection-per-message", "workers": 2},
        "workload": {"kind": "constant", "rate": "6/min", "for": "1h"},
        "faults": {"wrong_password": {"from": "10m", "until": "40m"}},
    },
    "drops": {
        "sender": {"strategy": "retry", "workers": 4},
        "workload": {"kind": "batch", "messages": 400},
        "faults": {"drop_connection": 0.02},
    },
    "days": {
        "sender": {"strategy": "paced"},
        "workload": {"kind": "constant", "rate": "1/min", "for": "2d"},
    },
}


def both(tables, window="fixed") -> tuple[Result, Result]:
    """The result from the rows, and the one of a Tally that was told the same in order of time."""
    scenario = build({**tables, "policy": {"window": window}}, "t.toml", "t", Path())
    world = World(scenario, shipped(scenario.strategy))
    rows = world.run()
    told = Tally(scenario.policy)
    tell(world.recorder, told, rows.duration_s)
    facts = Facts(
        "t",
        "t",
        scenario.policy,
        scenario.strategy,
        None,
        round(rows.duration_s * S),
        rows.ended,
        {},
        frozenset(),
        usernames=1,
        ips=1,
    )
    return rows, live_result(told, facts, rows.messages.submitted)


def tell(recorder: Recorder, tally: Tally, until: float) -> None:
    """Everything in the order of time; at one instant in the order in which a relay tells it."""
    events: list[tuple[int, float, Callable[[], None]]] = []
    events += [(row.at, 1, partial(tally.opened, *row)) for row in recorder.opened_rows]
    events += [
        (at, 4, partial(tally.closed, at, number)) for number, at in recorder.closed_at.items()
    ]
    events += [(block.from_, 1.5, partial(tally.block, *block)) for block in recorder.blocks]
    events += [(row.at, 2, partial(tally.login, *row)) for row in recorder.logins]
    events += [(row.at, 3, partial(tally.incident, *row)) for row in recorder.incidents]
    columns = zip(recorder.accepted_at, recorder.accepted_on, recorder.accepted_ids, strict=True)
    events += [
        (at, 2, partial(tally.accepted, at, number, str(message)))
        for at, number, message in columns
    ]
    for at, _, call in sorted(events, key=lambda event: event[:2]):
        if at <= until * S:
            call()


@pytest.mark.parametrize("window", ["fixed", "sliding"])
@pytest.mark.parametrize("name", WORLDS)
def test_a_tally_comes_to_what_the_rows_say(name, window):
    rows, told = both(WORLDS[name], window)
    assert told.messages.accepted == rows.messages.accepted
    assert told.messages.duplicated == rows.messages.duplicated
    assert told.messages.submitted == rows.messages.submitted
    assert replace(told.incidents, log=[]) == replace(rows.incidents, log=[])
    assert [entry.t for entry in told.incidents.log] == [entry.t for entry in rows.incidents.log]
    assert told.blocks == rows.blocks
    assert told.latency_s == Latency(None, None, None, None, None)
    assert replace(told.connections, peak_per_min=0) == replace(rows.connections, peak_per_min=0)
    assert replace(told.logins, peak_per_min=0) == replace(rows.logins, peak_per_min=0)
    assert abs(told.connections.peak_per_min - rows.connections.peak_per_min) <= 2
    assert abs(told.logins.peak_per_min - rows.logins.peak_per_min) <= 2
    assert abs(told.throughput.peak_per_min - rows.throughput.peak_per_min) <= 3
    series = told.series
    expected = rows.series
    assert series.t_s == expected.t_s
    assert series.accepted == expected.accepted
    assert series.incidents == expected.incidents
    assert near(series.open_connections, expected.open_connections, 1)
    assert near(series.logins_in_window, expected.logins_in_window, 2)
    for limit, levels in series.in_window.items():
        assert near(levels, expected.in_window[limit], 2), limit
    assert [finding.limit for finding in told.diagnosis] == [
        finding.limit for finding in rows.diagnosis
    ]
    for mine, theirs in zip(told.diagnosis, rows.diagnosis, strict=True):
        assert (mine.why, mine.what.partition(".")[0]) == (
            theirs.why,
            theirs.what.partition(".")[0],
        )


def near(mine, theirs, most):
    return len(mine) == len(theirs) and all(
        abs(one - other) <= most for one, other in zip(mine, theirs, strict=True)
    )


def test_the_widths_of_bins_divide_those_of_every_result():
    for index, width in enumerate(WIDTHS[:-1]):
        longest = width * MOST
        shortest = 0 if index == 0 else WIDTHS[index - 1] * MOST
        for span in range(shortest + 1, longest, max(1, (longest - shortest) // 1_000)):
            assert bin_width(span) % width == 0


def test_bins_grow_and_lose_nothing():
    bins = Bins(["n"], ["high"])
    for moment in range(5_000):
        while moment * S >= bins.end:
            bins.add_bin()
        bins.counts["n"][-1] += 1
        bins.levels["high"][-1] = max(bins.levels["high"][-1], moment)
    assert bins.size <= MOST
    assert bins.width == 5 * S
    counts, levels = bins.merged(30 * S, 167)
    assert counts["n"] == [30] * 166 + [20]
    assert levels["high"] == [29 + 30 * index for index in range(166)] + [4_999]


def test_a_name_is_new_once():
    distinct = Distinct()
    assert [distinct.add(str(number % 1_000)) for number in range(2_000)] == [True] * 1_000 + [
        False
    ] * 1_000
    assert distinct.seen("999")
    assert not distinct.seen("1000")


def test_the_oldest_names_are_forgotten_and_the_latest_are_not():
    distinct = Distinct(generation=100, slots=256)
    assert all(distinct.add(str(number)) for number in range(1_000))
    assert not any(distinct.add(str(number)) for number in range(901, 1_000))
    assert distinct.add("1")


def test_a_stretch_is_half_open_and_its_peak_stays():
    moving = Moving(60 * S)
    assert [moving.add(at) for at in (0, 1, 59_990_000, 60 * S)] == [1, 2, 3, 2]
    assert (moving.level(119_990_000), moving.level(120 * S), moving.peak) == (1, 0, 3)


def test_memory_of_keys_is_bounded_and_room_is_made():
    moving = MovingByKey(60 * S)
    for number in range(10 * MOST_KEYS):
        moving.add(number, 0)
    assert moving.highest(0) == 1
    assert moving.add("late", 61 * S) == 1
    assert moving.add("late", 61 * S) == 2
    assert moving.level(0, 61 * S) == 0


def test_what_was_begun_and_never_accepted_is_told_by_its_name():
    policy = build(WORLDS["days"], "t", "t", Path()).policy
    tally = Tally(policy)
    tally.not_sent("a@example.com")
    tally.not_sent("a@example.com")
    tally.not_sent("b@example.com")
    tally.not_sent(None)
    assert tally.unsent == 3
    tally.accepted(1, 1, "<id-of-a>")
    tally.sent_to("a@example.com")
    assert tally.unsent == 2
    tally.accepted(2, 1, "b@example.com")
    assert (tally.unsent, tally.accepted_count) == (1, 2)
    tally.not_sent("b@example.com")
    assert tally.unsent == 1


def test_one_without_a_name_may_be_among_the_accepted_until_it_has_one():
    tally = Tally(build(WORLDS["days"], "t", "t", Path()).policy)
    tally.accepted(1, 1, "a@example.com")
    tally.not_sent(None)
    assert (tally.unsent, tally.doubtful) == (1, 0)
    tally.not_sent(None)
    tally.accepted(2, 1, "b@example.com")
    assert (tally.unsent, tally.doubtful) == (2, 1)
    tally.not_sent(None)
    tally.named("b@example.com")
    assert (tally.unsent, tally.doubtful) == (2, 1)
    tally.not_sent(None)
    tally.named("c@example.com")
    assert (tally.unsent, tally.doubtful) == (3, 1)
