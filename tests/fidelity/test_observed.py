"""That the harness measures what it says: the own time it reads from a model whose own time is
known, and each kind of difference.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from sim.scenario import build
from sim.world import World, strategy_of
from tests.fidelity.comparison import compare
from tests.fidelity.observed import Network, Observed, observed, own_time
from tests.fidelity.row import Row

ROW = Row("Some library", "plain", "none.py", "none", 10)
SEEN = Observed(
    5,
    5,
    {"transactions_per_connection": 1},
    1,
    1,
    0,
    4_000_000,
    Counter({("GREETING 220", "EOF"): 1}),
)


def modelled(
    strategy: str, connection_ms: int, message_ms: int, tls: str
) -> tuple[Observed, tuple[int, int]]:
    """A run without limits whose sender takes so long, and the own time that is read from it."""
    own = {"connection": f"{connection_ms}ms", "message": f"{message_ms}ms"}
    network = {"rtt": "20ms", "relay_time": "3ms", "jitter": 0, "tls": tls, "client_time": own}
    sender = {"strategy": strategy, **({"options": {"pause": 0}} if strategy == "batches" else {})}
    tables = {
        "policy": {"use": "unlimited"},
        "workload": {"kind": "batch", "messages": 12},
        "sender": sender,
        "network": network,
    }
    world = World(
        scenario := build(tables, "test", "test", Path()), strategy_of(scenario), transcribe=True
    )
    result = world.run()
    assert world.relay.transcripts is not None
    talks = list(world.relay.transcripts.values())
    return observed(result.to_dict(), talks), own_time(
        talks, Network(20_000, 3_000, tls), sequential=True
    )


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
@pytest.mark.parametrize("strategy", ["batches", "connection-per-message"])
def test_the_own_time_is_what_was_put_in(strategy, tls):
    seen, (connection, message) = modelled(strategy, 30, 7, tls)
    assert seen.accepted == 12
    assert message == 7_000
    first_unseen = (
        30_000 // seen.connections + 1
    )  # what lies before the first connection, nobody sees
    assert 0 <= 30_000 - connection <= first_unseen


def test_equal_is_no_difference():
    assert compare(ROW, [SEEN], SEEN, (0, 0)).holds


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"accepted": 6}, "accepted: the library 5, the model 6"),
        ({"incidents": {}}, "incidents of transactions_per_connection: the library 1, the model 0"),
        ({"failed_logins": 2}, "failed logins: the library 0, the model 2"),
        (
            {"talks": Counter({("GREETING 220", "QUIT 221"): 1})},
            "only the library 1 x [GREETING 220, EOF]",
        ),
        ({"duration": 4_210_000}, "duration: the library 4.000 s, the model 4.210 s"),
    ],
)
def test_each_difference_is_told(change, says):
    found = compare(ROW, [SEEN], replace(SEEN, **change), (0, 0))
    assert not found.holds
    assert says in "\n".join(found.differences)


def test_durations_a_little_apart_agree():
    assert compare(ROW, [SEEN], replace(SEEN, duration=4_190_000), (0, 0)).holds


@pytest.mark.parametrize(
    ("accepted", "holds"), [(4, False), (5, True), (7, True), (9, True), (10, False)]
)
def test_a_lucky_row_holds_within_the_range(accepted, holds):
    row = replace(ROW, lucky="threads race")
    real = [replace(SEEN, accepted=each) for each in (5, 9, 6)]
    assert compare(row, real, replace(SEEN, accepted=accepted), (0, 0)).holds == holds


def test_a_lucky_row_still_says_nothing_strange():
    row = replace(ROW, lucky="threads race")
    strange = replace(SEEN, talks=Counter({("GREETING 220", "HELO 250"): 1}))
    assert (
        "HELO 250, which the library never does"
        in compare(row, [SEEN], strange, (0, 0)).differences[0]
    )
