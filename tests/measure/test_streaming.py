"""The streaming recorder and the rows of the full recorder give the same counts and results for the
same events.

They may differ in peaks and in the levels of windows, which the streaming recorder counts in ticks
of 10 ms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sim.measure import Counts, Recorder, Result, RunInfo, StreamingRecorder, result_of
from sim.measure.bounded import (
    FINEST,
    MOST_KEYS,
    RunningCounts,
    SeenNames,
    SlidingCount,
    SlidingCounts,
    TimeBins,
)
from sim.measure.result import Latency
from sim.measure.statistics import NESTED_WIDTHS, WIDTHS, bin_width
from sim.relay.kinds import KINDS
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


class Both(NamedTuple):
    """The counts and the results of one run, from its rows and from a streaming recorder."""

    rows: Counts
    streamed: Counts
    expected: Result
    found: Result


def both(tables, window="fixed") -> Both:
    """One run in virtual time; the streaming recorder gets its events in order of time."""
    scenario = build({**tables, "policy": {"window": window}}, "t.toml", "t", Path())
    world = World(scenario, shipped(scenario.strategy))
    expected = world.run()
    streaming = StreamingRecorder(scenario.policy)
    replay(world.recorder, streaming, expected.duration_s)
    info = RunInfo(
        "t",
        "t",
        scenario.policy,
        scenario.strategy,
        None,
        round(expected.duration_s * S),
        expected.ended,
    )
    streamed = streaming.counts(info, expected.messages.submitted)
    return Both(world.counts(info), streamed, expected, result_of(streamed, info))


def replay(recorder: Recorder, streaming: StreamingRecorder, until: float) -> None:
    """Replays all rows in order of time, and at one instant in the order in which a relay reports
    them.
    """
    events: list[tuple[int, float, Callable[[], None]]] = []
    events += [(row.at, 1, partial(streaming.opened, *row)) for row in recorder.opened_rows]
    events += [
        (at, 4, partial(streaming.closed, at, number)) for number, at in recorder.closed_at.items()
    ]
    events += [(block.from_, 1.5, partial(streaming.block, *block)) for block in recorder.blocks]
    events += [(row.at, 2, partial(streaming.login, *row)) for row in recorder.logins]
    events += [(row.at, 3, partial(streaming.incident, *row)) for row in recorder.incidents]
    columns = zip(recorder.accepted_at, recorder.accepted_on, recorder.accepted_ids, strict=True)
    events += [
        (at, 2, partial(streaming.accepted, at, number, str(message)))
        for at, number, message in columns
    ]
    for at, _, call in sorted(events, key=lambda event: event[:2]):
        if at <= until * S:
            call()


@pytest.mark.parametrize("window", ["fixed", "sliding"])
@pytest.mark.parametrize("name", WORLDS)
def test_streaming_and_rows_give_the_same_result(name, window):
    both_ways = both(WORLDS[name], window)
    rows = both_ways.expected
    told = both_ways.found
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


@pytest.mark.parametrize("window", ["fixed", "sliding"])
@pytest.mark.parametrize("name", WORLDS)
def test_streaming_and_rows_give_the_same_counts(name, window):
    rows, streamed, _, _ = both(WORLDS[name], window)
    exact = (
        "submitted",
        "accepted",
        "duplicated",
        "opened",
        "refused",
        "most_open",
        "outcomes",
        "by_limit",
        "by_code",
        "log",
        "blocks",
    )
    for field in exact:
        assert getattr(streamed, field) == getattr(rows, field), field
    # A live relay cannot tell a message that still waits from a lost one.
    waiting = rows.submitted - rows.accepted - rows.lost
    assert streamed.lost == rows.lost + waiting
    assert streamed.doubtful == 0
    for mine, theirs in zip(streamed.refusals, rows.refusals, strict=True):
        assert abs(mine.nth - theirs.nth) <= 2
        assert abs(mine.need - theirs.need) <= 2
        if KINDS[mine.first.limit].failures:
            assert (mine.wrong, mine.wrong_at) == (theirs.wrong, theirs.wrong_at)
        assert mine._replace(nth=0, need=0, own_lost=0) == theirs._replace(
            nth=0, need=0, own_lost=0
        )


def near(mine, theirs, most):
    return len(mine) == len(theirs) and all(
        abs(one - other) <= most for one, other in zip(mine, theirs, strict=True)
    )


def test_the_widths_of_bins_divide_those_of_every_result():
    for index, width in enumerate(NESTED_WIDTHS[:-1]):
        longest = width * FINEST
        shortest = 0 if index == 0 else NESTED_WIDTHS[index - 1] * FINEST
        for span in (*range(shortest, longest, max(1, (longest - shortest) // 1_000)), longest):
            assert bin_width(span) % width == 0
    for days in range(NESTED_WIDTHS[-2] * FINEST // WIDTHS[-1], 5_000):
        assert bin_width(days * WIDTHS[-1]) % NESTED_WIDTHS[-1] == 0


def test_the_series_of_a_long_run_ends_with_the_run():
    # Between 100 and 120 days, the bins must not be wider than the 12 hours of the result.
    policy = build(WORLDS["days"], "t", "t", Path()).policy
    streaming = StreamingRecorder(policy)
    end = 110 * 86_400 * S
    streaming.accepted(end - S, 1, "a")
    info = RunInfo("t", "t", policy, "x", None, end, "settled")
    series = result_of(streaming.counts(info, None), info).series
    assert len(series.t_s) == len(series.accepted) == 220
    assert series.accepted == [0] * 219 + [1]


def test_bins_grow_and_lose_nothing():
    bins = TimeBins(["n"], ["high"])
    for moment in range(5_000):
        while moment * S >= bins.end:
            bins.add_bin()
        bins.counts["n"][-1] += 1
        bins.levels["high"][-1] = max(bins.levels["high"][-1], moment)
    assert bins.size <= FINEST
    assert bins.width == 5 * S
    counts, levels = bins.merged(30 * S, 167)
    assert counts["n"] == [30] * 166 + [20]
    assert levels["high"] == [29 + 30 * index for index in range(166)] + [4_999]


def test_a_name_is_new_once():
    seen = SeenNames()
    assert [seen.add(str(number % 1_000)) for number in range(2_000)] == [True] * 1_000 + [
        False
    ] * 1_000
    assert seen.seen("999")
    assert not seen.seen("1000")


def test_the_oldest_names_are_forgotten_and_the_latest_are_not():
    seen = SeenNames(generation=100, slots=256)
    assert all(seen.add(str(number)) for number in range(1_000))
    assert not any(seen.add(str(number)) for number in range(901, 1_000))
    assert seen.add("1")


def test_a_window_is_half_open_and_its_peak_stays():
    count = SlidingCount(60 * S)
    assert [count.add(at) for at in (0, 1, 59_990_000, 60 * S)] == [1, 2, 3, 2]
    assert (count.level(119_990_000), count.level(120 * S), count.peak) == (1, 0, 3)


def test_memory_of_keys_is_bounded_and_room_is_made():
    counts = SlidingCounts(60 * S)
    for number in range(10 * MOST_KEYS):
        counts.add(number, 0)
    assert counts.highest(0) == 1
    assert counts.add("late", 61 * S) == 1
    assert counts.add("late", 61 * S) == 2
    assert counts.level(0, 61 * S) == 0


def test_running_counts_are_bounded_and_forget_what_was_emptied():
    counts = RunningCounts(2)
    assert [counts.add(key, 0) for key in ("a", "b", "a", "c", "c")] == [1, 1, 2, 1, 1]
    counts.empty("a")
    assert (counts.highest(0), counts.add("c", 0), counts.add("c", 0)) == (1, 1, 2)


def test_what_was_begun_and_never_accepted_is_told_by_its_name():
    policy = build(WORLDS["days"], "t", "t", Path()).policy
    recorder = StreamingRecorder(policy)
    recorder.not_sent("a@example.com")
    recorder.not_sent("a@example.com")
    recorder.not_sent("b@example.com")
    recorder.not_sent(None)
    assert recorder.unsent == 3
    recorder.accepted(1, 1, "<id-of-a>")
    recorder.sent_to("a@example.com")
    assert recorder.unsent == 2
    recorder.accepted(2, 1, "b@example.com")
    assert (recorder.unsent, recorder.accepted_count) == (1, 2)
    recorder.not_sent("b@example.com")
    assert recorder.unsent == 1


def test_one_without_a_name_may_be_among_the_accepted_until_it_has_one():
    recorder = StreamingRecorder(build(WORLDS["days"], "t", "t", Path()).policy)
    recorder.accepted(1, 1, "a@example.com")
    recorder.not_sent(None)
    assert (recorder.unsent, recorder.doubtful) == (1, 0)
    recorder.not_sent(None)
    recorder.accepted(2, 1, "b@example.com")
    assert (recorder.unsent, recorder.doubtful) == (2, 1)
    recorder.not_sent(None)
    recorder.named("b@example.com")
    assert (recorder.unsent, recorder.doubtful) == (2, 1)
    recorder.not_sent(None)
    recorder.named("c@example.com")
    assert (recorder.unsent, recorder.doubtful) == (3, 1)
