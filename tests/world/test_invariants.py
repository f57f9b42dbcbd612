"""Invariants of every run, for workloads, strategies, policies and faults that hypothesis draws."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.limits import WINDOWS
from sim.relay import KINDS
from sim.strategies.api import Disconnected, Refused
from sim.world import World
from sim.world.network import NetworkPath
from tests.world.plain import PlainRelay
from tests.world.worlds import QUIET, acceptances, scenario, world

SECOND = 1_000_000


def restless(sender):
    """Does a bit of everything at random: takes, sends, forgets, puts back, spawns, ends."""
    while batch := sender.take(1 + int(4 * sender.random())):
        try:
            with sender.connect() as connection:
                while batch and sender.random() < 0.9:
                    connection.send(batch[0])
                    if sender.random() < 0.1:
                        connection.send(batch[0])  # a duplicate
                    batch = batch[1:]
        except (Refused, Disconnected):
            sender.sleep(sender.random())
        dice = sender.random()
        if dice < 0.5:
            for message in reversed(batch):
                sender.put_back(message)
        elif dice < 0.6:
            sender.spawn(hand_back, batch)
        elif dice < 0.63:
            return
        elif dice < 0.64:
            sender.connect()


def hand_back(sender, batch):
    for message in batch[1:]:
        sender.put_back(message)


def tables(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A table that has each key in two of three cases."""
    perhaps = {key: st.one_of(st.none(), value, value) for key, value in values.items()}
    return st.fixed_dictionaries(perhaps).map(
        lambda drawn: {key: value for key, value in drawn.items() if value is not None}
    )


def spread(most: int) -> st.SearchStrategy[dict[str, Any]]:
    """A limit over a window, of a small count, with any algorithm."""
    return st.fixed_dictionaries(
        {"count": st.integers(1, most), "per": st.sampled_from([0.5, 1, 7, 30, 60])},
        optional={"window": st.sampled_from(WINDOWS), "count_refused": st.booleans()},
    )


FAILED = st.fixed_dictionaries(
    {
        "count": st.integers(1, 4),
        "per": st.sampled_from([1, 30, 300]),
        "block": st.sampled_from([0.5, 5, 90]),
    },
    optional={"window": st.sampled_from(WINDOWS)},
)
POLICIES = tables(
    window=st.sampled_from(WINDOWS),
    transactions_per_connection=st.one_of(
        st.integers(1, 4),
        st.fixed_dictionaries({"count": st.integers(1, 3), "counted_at": st.just("acceptance")}),
    ),
    connections_per_ip=spread(12),
    logins_per_username=spread(8),
    failed_logins_per_ip=FAILED,
    failed_logins_per_username_ip=FAILED,
).map(lambda policy: {"use": "unlimited"} | policy)
TIMES = st.sampled_from([0, 0.26, 5, 20])
WORKLOADS = st.one_of(
    st.builds(lambda n: {"kind": "batch", "messages": n}, st.integers(1, 40)),
    st.builds(
        lambda r, f: {"kind": "constant", "rate": r, "for": f},
        st.sampled_from(["1/s", "200/min"]),
        st.integers(1, 12),
    ),
    st.builds(
        lambda r, f: {"kind": "poisson", "rate": r, "for": f},
        st.sampled_from(["1/s", "200/min"]),
        st.integers(1, 12),
    ),
    st.builds(
        lambda n, e: {"kind": "bursts", "size": n, "every": e, "for": 12},
        st.integers(1, 9),
        st.sampled_from([1, 5]),
    ),
    st.just({"kind": "daily", "profile": [600.0] * 24, "for": 60}),
)
SENDERS = st.builds(
    lambda name, workers, usernames, ips: {
        "strategy": name,
        "workers": workers,
        "usernames": min(usernames, workers),
        "ips": min(ips, workers),
    },
    st.sampled_from(
        ["connection-per-message", "one-connection", "batches", "paced", "retry", "adaptive"]
    ),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 3),
)
NETWORKS = tables(
    rtt=st.sampled_from([0, "1ms", "40ms", "400ms"]),
    jitter=st.sampled_from([0, 0.1, 1.5]),
    relay_time=st.sampled_from([0, "5ms"]),
    tls=st.sampled_from(["none", "starttls", "implicit"]),
    client_time=st.just({"connection": "3ms", "message": "2ms"}),
)
FAULTS = tables(
    drop_connection=st.sampled_from([0.01, 0.3]),
    wrong_password=st.builds(
        lambda at, length: {"from": at, "until": at + length}, TIMES, st.sampled_from([1, 40, 400])
    ),
    relay_down=st.lists(st.builds(lambda at: {"at": at, "for": 3}, TIMES), max_size=2),
    slow=st.just({"at": 2, "for": 5, "factor": 50}),
)
SCENARIOS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 1_000),
        "policy": POLICIES,
        "workload": WORKLOADS,
        "sender": SENDERS,
        "network": NETWORKS,
        "faults": FAULTS,
        "until": st.sampled_from([1, 13.37, 90, 400]),
    }
)
WORKS = st.sampled_from([None, None, restless])


def check_sums(made: World, result: Any) -> None:
    counts = result.messages
    assert counts.submitted == counts.accepted + counts.lost + counts.waiting
    assert min(counts.accepted, counts.lost, counts.waiting, counts.duplicated) >= 0
    assert counts.submitted == sum(at < made.scenario.horizon for at in made.outbox.arrivals)
    assert (result.ended == "until") == (result.duration_s * SECOND == made.scenario.horizon)
    assert result.ended == "until" or counts.waiting == 0
    logins = result.logins
    assert logins.requested == logins.accepted + logins.refused + logins.failed
    assert (
        result.incidents.total
        == sum(result.incidents.by_limit.values())
        == sum(result.incidents.by_code.values())
    )


def check_connections(made: World) -> None:
    """No connection gets more than its limit, or is used before its login or after its end."""
    spec = made.scenario.policy.transactions_per_connection
    on = Counter(connection for _, connection, _ in acceptances(made))
    assert spec is None or max(on.values(), default=0) <= spec.count
    logged_in = {
        row.connection: row.at for row in made.recorder.logins if row.outcome == "accepted"
    }
    for at, connection, number in acceptances(made):
        assert logged_in[connection] <= at <= made.recorder.closed_at.get(connection, at)
        assert at >= made.outbox.arrivals[number - 1]


def check_verdicts(made: World) -> None:
    """Every connection and login was judged as the plain relay judges it, in the order of the rows,
    which is that of time.
    """
    plain = PlainRelay(made.scenario.policy)
    rows = made.recorder
    wrong = made.scenario.faults.wrong_password
    for row in rows.opened_rows:
        assert (row.refused is None) == plain.connections.request(row.ip, row.at)
    incidents = {
        (row.at, row.connection): row.limit
        for row in rows.incidents
        if row.limit.endswith(("username", "ip"))
    }
    for login in rows.logins:
        right = not (wrong and wrong.from_ <= login.at < wrong.until)
        outcome, limit = plain.login(login.username, login.ip, right, login.at)
        assert (login.outcome, incidents.get((login.at, login.connection))) == (outcome, limit)
    assert [row.at for row in rows.logins] == sorted(row.at for row in rows.logins)


def most_in(times: list[int], per: int, window: str) -> int:
    """The most of ``times`` in any window, for the algorithms that define windows exactly."""
    if window == "aligned":
        return max(Counter(at // per for at in times).values(), default=0)
    if window == "sliding":
        return max((sum(at <= other < at + per for other in times) for at in times), default=0)
    begin = -per
    used = 0
    most = 0
    for at in times:
        begin, used = (at, 1) if at >= begin + per else (begin, used + 1)
        most = max(most, used)
    return most


def check_windows(made: World) -> None:
    """No key has more passed requests in any of its windows than its limit's count."""
    policy = made.scenario.policy
    rows = made.recorder
    over = {
        (row.at, row.connection) for row in rows.incidents if row.limit == "logins_per_username"
    }
    passed = {
        "connections_per_ip": [(row.ip, row.at) for row in rows.opened_rows if row.refused is None],
        "logins_per_username": [
            (row.username, row.at) for row in rows.logins if (row.at, row.connection) not in over
        ],
    }
    for name, requests in passed.items():
        spec = getattr(policy, name)
        window = spec and (spec.window or policy.window)
        if window in ("fixed", "aligned", "sliding"):
            for key in {key for key, _ in requests}:
                assert (
                    most_in([at for of, at in requests if of == key], spec.per, window)
                    <= spec.count
                )


def check_blocks(made: World) -> None:
    """No key gets in during its block. At the first instant of the block, a request that was judged
    just before may have.
    """
    for block in made.recorder.blocks:
        for login in made.recorder.logins:
            inside = block.from_ < login.at < block.until and login.ip == block.ip
            assert (
                not (inside and block.username in (None, login.username))
                or login.outcome == "refused"
            )


def test_the_sums_the_limits_and_the_blocks_hold():
    met: Counter[str] = Counter()

    @settings(max_examples=250)
    @given(tables=SCENARIOS, work=WORKS)
    def hold(tables, work):
        made, result = world(work, **tables)
        check_sums(made, result)
        check_connections(made)
        check_verdicts(made)
        check_windows(made)
        check_blocks(made)
        met.update([result.ended, *{row.limit for row in made.recorder.incidents}])
        met.update(
            name for name in ("lost", "waiting", "duplicated") if getattr(result.messages, name)
        )
        met.update(["block"] * bool(result.blocks))

    hold()
    assert set(met) == {
        *KINDS,
        "settled",
        "until",
        "lost",
        "waiting",
        "duplicated",
        "block",
    }  # all there is to be met


@settings(max_examples=40)
@given(tables=SCENARIOS, work=WORKS)
def test_the_same_scenario_and_seed_give_the_same_bytes(tables, work):
    assert world(work, **tables)[1].to_json() == world(work, **tables)[1].to_json()


def test_another_seed_gives_another_result():
    """Else the test above could not fail."""
    runs = {
        world(restless, workload={"kind": "batch", "messages": 20}, seed=seed)[1].duration_s
        for seed in (1, 2, 3)
    }
    assert len(runs) == 3


@settings(max_examples=30)
@given(tables=SCENARIOS, cut=st.integers(0, 40))
def test_a_run_is_the_beginning_of_any_longer_run(tables, cut):
    """``until`` cuts a record short and changes nothing before it."""
    tables |= {"until": 90}
    whole = world(restless, **tables)[0]
    moments = sorted({at for at, _, _ in acceptances(whole)}) or [SECOND]
    until = moments[cut % len(moments)]
    made, result = world(restless, **tables | {"until": until / SECOND})
    assert made.scenario.horizon == until
    assert result.messages.accepted == len(
        {number for at, _, number in acceptances(whole) if at < until}
    )
    assert (
        made.recorder.logins
        == [row for row in whole.recorder.logins if row.at <= until][: len(made.recorder.logins)]
    )


def luck(workers: int, ips: int) -> dict[str, list[object]]:
    """What each worker meets in 40 connections: its own numbers, round trips and dropped
    connections.
    """
    seen: dict[str, list[object]] = {}

    def work(sender):
        mine = seen.setdefault(sender.ip, [])
        for _ in range(40):
            try:
                sender.connect().close()
            except Disconnected as error:
                mine.append(str(error))
            mine += [sender.now(), sender.random()]
        sender.take()

    sender = {"strategy": "one-connection", "workers": workers, "ips": ips}
    world(
        work, sender=sender, network={"jitter": 0.7}, faults={"drop_connection": 0.02}, until=1_000
    )
    return seen


def test_adding_workers_does_not_change_the_luck_of_the_others():
    few = luck(2, 2)
    many = luck(5, 5)
    assert len(few) == 2
    assert all(many[ip] == numbers for ip, numbers in few.items())
    assert len({repr(numbers) for numbers in many.values()}) == 5
    assert any("died" in str(number) for numbers in few.values() for number in numbers)


def test_each_worker_draws_from_streams_of_its_own():
    chosen = scenario(network={"jitter": 0.5}, faults={"drop_connection": 0.5})
    ways = [NetworkPath(chosen, name) for name in ("w0", "w1", "w0")]
    # Each on its own, so that one stream that is shared does not go unnoticed.
    for draw in (NetworkPath.trip, NetworkPath.drops):
        first, other, again = ([draw(way) for _ in range(300)] for way in ways)
        assert first == again != other


@pytest.mark.parametrize(("until", "accepted"), [(0.3, 0), (0.300001, 1)])
def test_the_horizon_is_half_open(until, accepted):
    """Four round trips and three and a half: the body is there at 0.3 s, which is not within [0,
    0.3).
    """
    _, result = world(until=until)
    assert (result.messages.accepted, result.ended) == (
        accepted,
        "settled" if accepted else "until",
    )


def test_what_arrives_at_the_horizon_is_not_submitted_and_is_still_to_come():
    _, result = world(workload={"kind": "constant", "rate": "1/s", "for": 10}, until=3)
    assert (result.messages.submitted, result.ended, result.duration_s) == (3, "until", 3)
    _, result = world(workload={"kind": "constant", "rate": "1/s", "for": 3}, until=3)
    assert (result.messages.submitted, result.ended) == (3, "settled")


def test_a_run_settles_at_the_last_acceptance_and_not_when_its_workers_end():
    def work(sender):
        with sender.connect() as connection:
            connection.send(sender.take()[0])
            sender.sleep(50)

    _, result = world(work, network=QUIET)
    assert (result.ended, result.duration_s) == ("settled", 0.3)


def test_the_workload_is_submitted_to_its_end_after_the_sender_has_ended():
    def work(sender):
        sender.take()

    _, result = world(work, workload={"kind": "constant", "rate": "1/min", "for": "1h"})
    assert (result.messages.submitted, result.messages.lost, result.duration_s) == (60, 60, 3_540.0)
