"""The evidence is what the relay knew: each refused request really finds its window full, and the
time told is the first that passes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.explain import Evidence, evidence
from sim.limits import WINDOWS
from sim.measure.story import Story
from sim.relay.policy import Policy
from sim.scenario import build
from sim.world import World, strategy_of


def run(**tables: Any) -> tuple[Story, Policy]:
    tables = {"network": {"jitter": 0}, "workload": {"kind": "batch", "messages": 60}, **tables}
    scenario = build(tables, "here", "here", Path())
    world = World(scenario, strategy_of(scenario))
    world.run()
    return world.story(), scenario.policy


def first(story: Story, policy: Policy, limit: str) -> Evidence:
    return evidence(story, policy, next(row for row in story.incidents if row.limit == limit))


def test_five_transactions_filled_the_connection_and_no_wait_would_help():
    story, policy = run(sender={"strategy": "one-connection"})
    found = first(story, policy, "transactions_per_connection")
    assert [one.what for one in found.filled] == [
        f"{nth} transaction, message {number}"
        for number, nth in enumerate(["first", "second", "third", "fourth", "fifth"], 1)
    ]
    assert found.passes_at is None
    happened, passes = found.sentences
    assert happened.startswith("Message 6 on connection 1 was answered 421 at ")
    assert "5 transactions a connection are allowed" in happened
    assert "never have passed on this connection" in passes


STORM: dict[str, Any] = {"sender": {"strategy": "connection-per-message", "workers": 4}}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(
    ("limit", "noun"), [("connections_per_ip", "connection"), ("logins_per_username", "login")]
)
def test_the_requests_that_filled_a_window_and_the_first_time_that_passes(window, limit, noun):
    story, policy = run(**STORM, policy={limit: {"count": 7, "per": "3s"}, "window": window})
    asked = [
        (row.at, row.connection) for row in (story.opened if noun == "connection" else story.logins)
    ]
    incidents = [row for row in story.incidents if row.limit == limit]
    assert incidents
    for row in incidents:
        found = evidence(story, policy, row)
        limiter = getattr(policy, limit).limit(limit, policy.window).limiter
        for (
            at,
            connection,
        ) in asked:  # an independent pass over all requests, since there is one key alone
            if (at, connection) == (row.at, row.connection):
                break
            limiter.request("k", at)
        assert not limiter.would_pass("k", row.at)
        assert found.passes_at is not None
        assert limiter.would_pass("k", found.passes_at)
        assert not limiter.would_pass("k", found.passes_at - 1)
        assert found.filled
        assert all((one.at, one.connection) in asked and one.at <= row.at for one in found.filled)
        if window in ("fixed", "aligned", "sliding"):
            assert len(found.filled) == 7
        assert f"7 {noun}s in 3 s ({window} window)" in found.sentences[0]


def test_a_sliding_window_still_counts_exactly_those_younger_than_it():
    story, policy = run(
        **STORM, policy={"logins_per_username": {"count": 7, "per": "3s"}, "window": "sliding"}
    )
    found = first(story, policy, "logins_per_username")
    assert found.passes_at == found.filled[0].at + 3_000_000


def test_a_block_is_named_with_its_end_and_the_failures_before_it():
    story, policy = run(
        sender={"strategy": "connection-per-message"},
        workload={"kind": "constant", "rate": "60/min", "for": "40s"},
        faults={"wrong_password": {"from": "5s", "until": "1h"}},
        policy={"failed_logins_per_username_ip": {"count": 3, "block": "20s"}},
    )
    rows = [row for row in story.incidents if row.limit == "failed_logins_per_username_ip"]
    began = evidence(story, policy, rows[0])
    during = evidence(story, policy, rows[1])
    assert began.block == during.block
    assert began.block is not None
    assert began.passes_at == during.passes_at == rows[0].at + 20_000_000
    assert (
        [one.what for one in began.filled]
        == ["wrong password of user1"] * 3
        == [one.what for one in during.filled]
    )
    assert "a block was running, which began at" in during.sentences[0]
    assert "when the block ends" in during.sentences[1]
    again = next(row for row in rows if row.at >= began.passes_at)
    assert [one.at >= began.passes_at for one in evidence(story, policy, again).filled] == [
        True
    ] * 3


@settings(max_examples=25)
@given(
    window=st.sampled_from(WINDOWS),
    strategy=st.sampled_from(["connection-per-message", "batches", "retry"]),
    workers=st.integers(1, 6),
    usernames=st.integers(1, 3),
    consecutive=st.sampled_from(["every", "without-success"]),
    counts_failed=st.booleans(),
    seed=st.integers(0, 99),
)
def test_every_incident_of_any_world_has_its_evidence(
    window, strategy, workers, usernames, consecutive, counts_failed, seed
):
    names = min(usernames, workers)
    logins = {"count": 3, "per": "2s", "consecutive": consecutive, "counts_failed": counts_failed}
    story, policy = run(
        seed=seed,
        sender={"strategy": strategy, "workers": workers, "usernames": names, "ips": names},
        until="30s",
        network={},
        faults={"wrong_password": {"from": "2s", "until": "6s"}},
        policy={
            "window": window,
            "transactions_per_connection": 2,
            "logins_per_username": logins,
            "connections_per_ip": {"count": 5, "per": "3s"},
            "failed_logins_per_ip": {"count": 6, "per": "10s", "block": "4s"},
            "failed_logins_per_username_ip": {"count": 2, "block": "3s"},
        },
    )
    for row in story.incidents:
        found = evidence(story, policy, row)
        assert found.filled
        assert found.passes_at is None or found.passes_at > row.at
        assert [one.at for one in found.filled] == sorted(one.at for one in found.filled)
        assert all(found.sentences)
