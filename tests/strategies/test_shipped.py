"""The shipped strategies after refusals and disconnections, and the relay's reactions to them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.errors import ScenarioError
from sim.limits import WINDOWS
from sim.strategies import catalogue
from tests.world.worlds import QUIET, world

SECOND = 1_000_000
HOUR = 3_600_000_000
FAST = QUIET | {"rtt": "1ms"}


def run(strategy, messages, *, options=None, workers=1, usernames=1, **tables):
    sender = {
        "strategy": strategy,
        "workers": workers,
        "usernames": usernames,
        "options": options or {},
    }
    return world(
        **{
            "policy": {},
            "workload": {"kind": "batch", "messages": messages},
            "sender": sender,
            **tables,
        }
    )


def counts(result):
    return result.messages.accepted, result.messages.lost, result.messages.waiting


def gaps(made):
    """Seconds between the logins."""
    return [(later.at - row.at) / SECOND for row, later in pairwise(made.recorder.logins)]


# one-connection


def test_one_connection_gets_five_accepted_and_loses_the_rest():
    _, result = run("one-connection", 1_000, network={})
    (only,) = result.incidents.log
    assert counts(result) == (5, 995, 0)
    assert (only.limit, only.code, only.message) == ("transactions_per_connection", 421, "6")
    assert result.connections.opened == 1


def test_one_connection_ends_when_there_is_no_connection():
    _, result = run("one-connection", 10, faults={"relay_down": [{"at": 0, "for": "1s"}]})
    assert (counts(result), result.connections.opened) == ((0, 10, 0), 0)


# connection-per-message


def test_connection_per_message_gives_up_what_is_refused_and_goes_on():
    policy = {"logins_per_username": {"count": 3, "per": "1s"}}
    made, result = run("connection-per-message", 12, policy=policy, network=QUIET | {"rtt": "10ms"})
    outcomes = [row.outcome for row in made.recorder.logins]
    assert len(outcomes) == 12
    assert counts(result) == (outcomes.count("accepted"), outcomes.count("refused"), 0)
    assert outcomes[:4] == ["accepted"] * 3 + ["refused"]


def test_connection_per_message_gives_up_what_is_disconnected_and_goes_on():
    made, result = run(
        "connection-per-message", 20, faults={"relay_down": [{"at": "1s", "for": "0.5s"}]}
    )
    assert result.messages.lost > 0
    assert (result.messages.waiting, made.recorder.accepted_ids[-1]) == (0, "20")


# batches


def test_batches_gives_up_the_rest_of_a_batch_and_goes_on():
    made, result = run("batches", 30, options={"size": 10})
    assert counts(result) == (15, 15, 0)
    assert made.recorder.accepted_ids == [
        str(first + step) for first in (1, 11, 21) for step in range(5)
    ]


def test_batches_pauses_after_each_and_goes_on_after_a_disconnection():
    made, result = run(
        "batches", 10, options={"pause": "3s"}, faults={"relay_down": [{"at": "0.1s", "for": "1s"}]}
    )
    assert counts(result) == (5, 5, 0)
    assert made.recorder.accepted_ids == ["6", "7", "8", "9", "10"]
    made, _ = run("batches", 10, options={"pause": "3s"})
    assert gaps(made) == [
        pytest.approx(3 + 0.04 * (5 * 4 + 1 + 4))
    ]  # messages, QUIT, and what comes before the next login is judged


# paced


@pytest.mark.parametrize("window", WINDOWS)
def test_paced_reaches_585_a_minute_without_an_incident(window):
    _, result = run("paced", 20_000, workers=20, policy={"window": window}, until="30m", network={})
    assert result.messages.accepted >= 585 * 30
    assert (result.incidents.total, result.messages.lost) == (0, 0)


def test_paced_keeps_its_spacing_over_all_workers_of_a_username():
    made, _ = run("paced", 200, workers=4, usernames=2, options={"spacing": "2s"})
    for username in ("user1", "user2"):
        moments = [row.at for row in made.recorder.logins if row.username == username]
        assert len(moments) > 10
        assert all(later - at == 2 * SECOND for at, later in pairwise(moments))


def test_paced_puts_back_what_is_refused():
    _, result = run("paced", 30, options={"size": 10}, workers=2)
    assert counts(result) == (30, 0, 0)
    assert result.incidents.by_limit["transactions_per_connection"] > 0


def test_paced_rests_a_username_for_a_minute_after_a_535():
    made, result = run(
        "paced", 30, workers=6, faults={"wrong_password": {"from": 0, "until": "90s"}}
    )
    failed = [row.at for row in made.recorder.logins if row.outcome == "failed"]
    assert [round((later - at) / SECOND) for at, later in pairwise(failed)] == [60]
    assert made.recorder.logins[2].at >= failed[1] + 60 * SECOND
    assert counts(result) == (30, 0, 0)


@pytest.mark.parametrize("rtt", ["40ms", "200ms", "300ms"])
def test_paced_with_many_workers_is_not_blocked_by_a_password_that_is_wrong_for_five_minutes(rtt):
    wrong = {"wrong_password": {"from": "1m", "until": "6m"}}
    made, result = run("paced", 4_000, workers=30, network={"rtt": rtt}, faults=wrong)
    failed = [row.at for row in made.recorder.logins if row.outcome == "failed"]
    assert (result.blocks, result.incidents.total) == ([], 0)
    assert counts(result) == (4_000, 0, 0)
    # The logins in flight fail together, then one a minute; after one is accepted, all continue at
    # their pace.
    first = [at for at in failed if at < failed[0] + 10 * SECOND]
    assert all(later - at >= 60 * SECOND for at, later in pairwise(failed[len(first) - 1 :]))
    assert len(failed) == len(first) + 4
    assert gaps(made)[-1] == pytest.approx(0.505, abs=0.3)


def test_paced_asks_again_within_the_rest_only_when_the_login_that_asked_came_to_nothing():
    faults = {
        "wrong_password": {"from": 0, "until": "30s"},
        "relay_down": [{"at": "50s", "for": "30s"}],
    }
    made, result = run("paced", 100, workers=4, options={"spacing": "2s"}, faults=faults)
    assert [row.outcome for row in made.recorder.logins][:2] == ["failed", "accepted"]
    assert made.recorder.logins[1].at >= 80 * SECOND
    assert all(gap >= 1.99 for gap in gaps(made))
    assert counts(result) == (100, 0, 0)


def test_paced_backs_off_from_a_relay_that_is_away():
    _, result = run("paced", 30, faults={"relay_down": [{"at": 0, "for": "30s"}]}, until="3m")
    assert counts(result) == (30, 0, 0)


# retry


def test_retry_waits_about_twice_as_long_each_time():
    made, result = run(
        "retry", 3, faults={"wrong_password": {"from": 0, "until": "40s"}}, network=FAST
    )
    waits = gaps(made)
    assert len(waits) >= 4
    assert all(0.5 * 2**n <= wait <= 1.5 * 2**n + 0.1 for n, wait in enumerate(waits))
    assert len({wait / 2**n for n, wait in enumerate(waits)}) > 1, "with jitter"
    assert counts(result) == (3, 0, 0)


def test_retry_waits_no_longer_than_its_longest():
    options = {"first": "2s", "longest": "4s"}
    made, _ = run(
        "retry",
        3,
        options=options,
        faults={"wrong_password": {"from": 0, "until": "20s"}},
        network=FAST,
    )
    assert max(gaps(made)) <= 6.1


def test_retry_begins_anew_after_a_message_was_accepted():
    made, result = run("retry", 40, options={"size": 10})
    assert counts(result) == (40, 0, 0)
    assert max(gaps(made)) < 3, (
        "each connection gets five accepted, so that no wait is a second one"
    )


# reactions of the relay


@pytest.mark.parametrize("window", WINDOWS)
def test_the_121st_login_inside_a_minute_is_refused_and_the_120th_is_not(window):
    def storm(sender):
        kept = [sender.connect() for _ in range(121)]
        assert not kept

    made, result = world(storm, policy={"window": window}, network=FAST)
    outcomes = [row.outcome for row in made.recorder.logins]
    assert outcomes == ["accepted"] * 120 + ["refused"]
    assert (result.incidents.by_limit["logins_per_username"], result.incidents.by_code) == (
        1,
        {"421": 1},
    )


def test_a_stale_password_is_blocked_at_its_eleventh_failure_for_an_hour():
    faults = {"wrong_password": {"from": 0, "until": "1d"}}
    made, result = run("batches", 40, options={"size": 1, "pause": "5s"}, faults=faults)
    rows = made.recorder.logins
    assert [row.outcome for row in rows] == ["failed"] * 10 + ["refused"] * 30
    (block,) = made.recorder.blocks
    assert (block.limit, block.username, block.ip) == (
        "failed_logins_per_username_ip",
        "user1",
        "198.18.0.1",
    )
    assert (block.from_, block.until) == (rows[10].at, rows[10].at + HOUR)
    assert (result.logins.failed, result.logins.refused) == (10, 30)


def test_an_ip_is_blocked_after_the_101st_failure_of_a_day_for_24_hours():
    faults = {"wrong_password": {"from": 0, "until": "1d"}}
    made, _ = run(
        "batches", 140, options={"size": 1, "pause": "5s"}, workers=20, usernames=20, faults=faults
    )
    rows = made.recorder.logins
    assert [row.outcome for row in rows] == ["failed"] * 100 + ["refused"] * 40
    (block,) = made.recorder.blocks
    assert (block.limit, block.username, block.ip) == ("failed_logins_per_ip", None, "198.18.0.1")
    assert (block.from_, block.until) == (rows[100].at, rows[100].at + 24 * HOUR)


def test_one_username_that_goes_on_for_a_day_meets_both_blocks():
    faults = {"wrong_password": {"from": 0, "until": "2d"}}
    made, _ = run("batches", 2_000, options={"size": 1, "pause": "30s"}, faults=faults, until="14h")
    limits = [block.limit for block in made.recorder.blocks]
    assert limits == ["failed_logins_per_username_ip"] * 9 + ["failed_logins_per_ip"]
    failures = sum(row.outcome == "failed" for row in made.recorder.logins)
    assert failures == 9 * 10 + 1, (
        "nine failures began a block instead of being answered 535; the 101st began the IP's"
    )


# strategies that lose no message


@settings(max_examples=25)
@given(
    strategy=st.sampled_from(["paced", "retry", "adaptive"]),
    window=st.sampled_from(WINDOWS),
    workers=st.integers(1, 6),
    drop=st.sampled_from([0, 0.002, 0.02, 0.1]),
    down=st.tuples(st.integers(0, 120), st.integers(1, 180)),
    wrong=st.tuples(st.integers(0, 120), st.integers(1, 300)),
    seed=st.integers(0, 1_000),
)
def test_nothing_is_lost_whatever_goes_wrong(strategy, window, workers, drop, down, wrong, seed):
    faults = {
        "drop_connection": drop,
        "relay_down": [{"at": down[0], "for": down[1]}],
        "wrong_password": {"from": wrong[0], "until": wrong[0] + wrong[1]},
    }
    workload = {"kind": "poisson", "rate": "60/min", "for": "5m"}
    _, result = run(
        strategy,
        0,
        workers=workers,
        policy={"window": window},
        workload=workload,
        faults=faults,
        seed=seed,
        network={},
        until="6h",
    )
    assert (result.messages.lost, result.messages.waiting, result.ended, result.error) == (
        0,
        0,
        "settled",
        None,
    )


# options


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        (
            "batches",
            {"sise": 5},
            'sender.options.sise: unknown option; did you mean "size"?; allowed: size, pause',
        ),
        ("batches", {"size": "5"}, 'sender.options.size: "5" is not a whole number'),
        ("batches", {"size": True}, "sender.options.size: true is not a whole number"),
        ("batches", {"size": 0}, "sender.options: size = 0 is too small; at least 1"),
        ("paced", {"size": 0}, "sender.options: size = 0 is too small; at least 1"),
        ("retry", {"size": -1}, "sender.options: size = -1 is too small; at least 1"),
        (
            "paced",
            {"spacing": "1 hr"},
            'sender.options.spacing: "1 hr" is not a duration; write "1h"',
        ),
        (
            "retry",
            {"longest": -1},
            "sender.options.longest: -1 is negative; a duration is 0 or more",
        ),
        (
            "adaptive",
            {"size": 5},
            "sender.options.size: unknown option; allowed: none, this strategy has no options",
        ),
        (
            "one-connection",
            {"size": 5},
            "sender.options.size: unknown option; allowed: none, this strategy has no options",
        ),
    ],
)
def test_wrong_options_are_told(name, options, says):
    with pytest.raises(ScenarioError) as caught:
        catalogue.check_options(catalogue.shipped(name), options, "x.toml")
    assert str(caught.value) == f"x.toml: {says}"


def test_every_wrong_option_is_told_at_once():
    with pytest.raises(ScenarioError) as caught:
        catalogue.check_options(
            catalogue.shipped("batches"), {"size": "5", "pause": "soon"}, "x.toml"
        )
    assert [
        line.partition(": ")[2].partition(":")[0] for line in str(caught.value).splitlines()
    ] == [
        "sender.options.size",
        "sender.options.pause",
    ]


def test_the_shipped_strategies_and_their_options():
    strategies = [catalogue.shipped(name) for name in catalogue.SHIPPED]
    found = {one.name: dict(one.options) for one in strategies if one.library is None}
    assert found.pop("retry")["size"] == 5
    assert found == {
        "connection-per-message": {},
        "one-connection": {},
        "batches": {"size": 5, "pause": "0.5s"},
        "paced": {"size": 5, "spacing": "0.505s"},
        "adaptive": {},
    }
    assert all(catalogue.shipped(name).about.endswith(".") for name in catalogue.SHIPPED)
