"""`adaptive` sends near the ceiling from the tenth minute on with hardly an incident, and loses no
message, with every window algorithm.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

import pytest

from sim.limits import WINDOWS
from tests.world.worlds import world

MINUTE = 60_000_000
FROM = 10 * MINUTE
UNTIL = 40 * MINUTE


def run(window, transactions, logins, *, workers=30, minutes=40, **tables):
    """Messages always waiting: more than the ceiling lets through, and a burst besides."""
    policy = {
        "window": window,
        "transactions_per_connection": transactions,
        "logins_per_username": {"count": logins},
    }
    workload = {"kind": "batch", "messages": transactions * logins * (minutes + 5)}
    sender = {"strategy": "adaptive", "workers": workers}
    return world(
        until=f"{minutes}m",
        policy=policy,
        workload=workload,
        sender=sender,
        **{"network": {}, **tables},
    )


def most_in_ten_minutes(moments):
    ordered = sorted(moments)
    return max(
        (bisect_left(ordered, at + 10 * MINUTE) - place for place, at in enumerate(ordered)),
        default=0,
    )


@pytest.mark.parametrize("logins", [60, 240])
@pytest.mark.parametrize("transactions", [3, 5, 9])
@pytest.mark.parametrize("window", WINDOWS)
def test_from_the_tenth_minute_on(window, transactions, logins):
    made, result = run(window, transactions, logins)
    accepted = sum(FROM <= at < UNTIL for at in made.recorder.accepted_at)
    assert accepted >= 0.85 * 30 * transactions * logins
    assert (
        most_in_ten_minutes(row.at for row in made.recorder.incidents if FROM <= row.at < UNTIL)
        <= 1
    )
    assert (result.messages.lost, result.ended) == (0, "until")
    assert result.incidents.total > 0, "it can only know of a limit by having met it"


def test_a_slow_way_to_the_relay():
    made, result = run("fixed", 5, 120, network={"rtt": "200ms"})
    assert sum(FROM <= at < UNTIL for at in made.recorder.accepted_at) >= 0.85 * 30 * 600
    assert result.messages.lost == 0


@pytest.mark.parametrize("rtt", ["40ms", "200ms"])
@pytest.mark.parametrize(("start", "end"), [(0, "5m"), ("2m", "7m"), ("30s", "30m")])
def test_a_wrong_password_leads_to_no_block(start, end, rtt):
    faults = {"wrong_password": {"from": start, "until": end}}
    made, result = run("fixed", 5, 120, minutes=45, faults=faults, network={"rtt": rtt})
    assert result.logins.failed > 1
    assert (result.blocks, result.messages.lost) == ([], 0)
    assert any(at > 40 * MINUTE for at in made.recorder.accepted_at), (
        "it goes on once the password is right"
    )


def test_after_a_wrong_password_it_rests_twice_as_long_each_time():
    made, _ = run(
        "fixed",
        5,
        120,
        workers=8,
        minutes=20,
        faults={"wrong_password": {"from": 0, "until": "15m"}},
    )
    failed = [row.at for row in made.recorder.logins if row.outcome == "failed"]
    gaps = [round((later - at) / MINUTE) for at, later in pairwise(failed)]
    assert gaps == [1, 2, 4, 8][: len(gaps)]
    assert len(gaps) >= 3


def test_a_relay_that_goes_away_and_comes_back():
    made, result = run(
        "fixed", 5, 120, minutes=15, faults={"relay_down": [{"at": "6m", "for": "2m"}]}
    )
    after = sum(11 * MINUTE <= at < 15 * MINUTE for at in made.recorder.accepted_at)
    assert after >= 0.85 * 4 * 600
    assert result.messages.lost == 0


def test_each_username_has_a_pace_of_its_own():
    policy = {"logins_per_username": {"count": 60}}
    made, result = world(
        until="15m",
        policy=policy,
        workload={"kind": "batch", "messages": 10_000},
        network={},
        sender={"strategy": "adaptive", "workers": 30, "usernames": 2},
    )
    accepted = sum(10 * MINUTE <= at < 15 * MINUTE for at in made.recorder.accepted_at)
    assert accepted >= 0.85 * 5 * 2 * 300
    assert result.messages.lost == 0


def test_a_relay_without_limits_is_never_met_and_gets_long_batches():
    made, result = world(
        workload={"kind": "batch", "messages": 3_000},
        sender={"strategy": "adaptive", "workers": 3},
        network={"jitter": 0},
    )
    on = made.recorder.accepted_on
    assert (result.messages.accepted, result.incidents.total) == (3_000, 0)
    assert max(on.count(connection) for connection in set(on)) == 64


def test_one_message_more_is_tried_once_an_hour():
    made, result = run("fixed", 5, 12, workers=4, minutes=150)
    late = [
        row
        for row in made.recorder.incidents
        if row.at > FROM and row.limit == "transactions_per_connection"
    ]
    assert len(late) == 2
    assert result.messages.lost == 0
