"""What takes how long, told by hand: round trips of 40 ms, the relay's own time, the sender's own;
faults.
"""

from __future__ import annotations

from typing import Any

import pytest

from sim.strategies.api import Disconnected, Refused
from tests.world.worlds import QUIET, acceptances, micros, world

TRIP = 40
HALF = 20
"""Milliseconds."""

TO_AUTH = {"none": (3, 1), "starttls": (6, 3), "implicit": (4, 1)}
"""Round trips, and commands that cost relay_time, from the first SYN to the sending of AUTH."""


def exchange(seen):
    """Connects, sends two messages, quits, and notes the time in milliseconds after each."""

    def work(sender):
        def note(what):
            seen[what] = round(sender.now() * 1_000, 6)

        first, second = sender.take(2)
        connection = sender.connect()
        note("connected")
        connection.send(first)
        note("first")
        connection.send(second)
        note("second")
        connection.close()
        note("closed")
        connection.close()
        note("closed twice")

    return work


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
@pytest.mark.parametrize("relay_ms", [0, 5])
@pytest.mark.parametrize(("connection_ms", "message_ms"), [(0, 0), (7, 3)])
def test_a_plain_exchange(tls, relay_ms, connection_ms, message_ms):
    seen: dict[str, float] = {}
    own = {"connection": connection_ms / 1_000, "message": message_ms / 1_000}
    network = QUIET | {"tls": tls, "relay_time": relay_ms / 1_000, "client_time": own}
    made, _ = world(exchange(seen), workload={"kind": "batch", "messages": 2}, network=network)
    trips, commands = TO_AUTH[tls]
    auth = connection_ms + trips * TRIP + commands * relay_ms
    step = TRIP + relay_ms
    connected = auth + step
    first, second = (connected + n * (message_ms + 4 * step) for n in (1, 2))
    assert seen == {
        "connected": connected,
        "first": first,
        "second": second,
        "closed": second + step,
        "closed twice": second + step,
    }
    rows = made.recorder
    assert [row.at for row in rows.opened_rows] == [micros(connection_ms + HALF)]
    assert [row.at for row in rows.logins] == [micros(auth + HALF)]
    bodies = [micros(start + message_ms + 3 * step + HALF) for start in (connected, first)]
    assert acceptances(made) == [(bodies[0], 1, 1), (bodies[1], 1, 2)]
    assert rows.closed_at == {1: micros(second + HALF)}


def test_an_odd_round_trip_loses_no_microsecond():
    """Judged after half of it, rounded down; answered after all of it."""
    seen: dict[str, float] = {}
    made, _ = world(
        exchange(seen), workload={"kind": "batch", "messages": 2}, network=QUIET | {"rtt": 0.000003}
    )
    assert made.recorder.logins[0].at == 3 * 3 + 1
    assert seen["closed"] == pytest.approx((4 + 4 + 4 + 1) * 0.003)


def test_a_slow_relay_takes_its_time_for_what_reaches_it_in_time():
    """relay_time 5 ms x 10 in [200, 300) ms: of the commands that arrive at 100, 145, 190, 235, 320
    and 365 ms, one is slow.
    """
    seen: dict[str, float] = {}
    network = QUIET | {"relay_time": "5ms"}
    faults = {"slow": {"at": "200ms", "for": "100ms", "factor": 10}}
    world(exchange(seen), workload={"kind": "batch", "messages": 2}, network=network, faults=faults)
    assert seen["connected"] == 170  # TCP 40, greeting 40, EHLO 45, AUTH 45
    assert (
        seen["first"] == 170 + 4 * 45 + 45
    )  # MAIL at 190, RCPT at 235 (slow), DATA at 325, body at 370


@pytest.mark.parametrize(
    ("start", "length", "slow"),
    [(99_999, 1, False), (99_999, 2, True), (100_000, 1, True), (100_001, 1, False)],
)
def test_a_slow_stretch_is_half_open(start, length, slow):
    """EHLO reaches the relay at 100 ms."""
    seen: dict[str, float] = {}
    faults = {"slow": {"at": start / 1e6, "for": length / 1e6, "factor": 2}}
    world(
        exchange(seen),
        workload={"kind": "batch", "messages": 2},
        network=QUIET | {"relay_time": "5ms"},
        faults=faults,
    )
    assert seen["connected"] == 170 + 5 * slow


DOWN = {"relay_down": [{"at": "1s", "for": "2s"}]}


def attempts(times, seen):
    """Connects at each of ``times`` (s), notes the outcome and the time (ms)."""

    def work(sender):
        sender.take()
        for at in times:
            sender.sleep(max(0.0, at - sender.now()))
            try:
                sender.connect().close()
                outcome = "in"
            except (Refused, Disconnected) as error:
                outcome = str(getattr(error, "code", "no TCP" if "TCP" in str(error) else "died"))
            seen.append((at, outcome, round(sender.now() * 1_000, 3)))

    return work


def test_a_relay_that_is_down_refuses_tcp_and_that_is_no_incident():
    for at, outcome in (
        (0.5, "in"),
        (0.979999, "died"),
        (0.98, "no TCP"),
        (2.979999, "no TCP"),
        (2.98, "in"),
    ):
        seen: list[Any] = []
        made, result = world(attempts([at], seen), faults=DOWN)
        assert seen[0][1] == outcome  # a SYN takes 20 ms to the relay
        assert [row.at for row in made.recorder.opened_rows] == [round(at * 1e6) + 20_000] * (
            outcome != "no TCP"
        )
        assert made.recorder.closed_at.get(1, 0) == (
            1_000_000 if outcome == "died" else made.recorder.closed_at.get(1, 0)
        )
        assert result.incidents.total == 0
        if outcome == "no TCP":
            assert seen[0][2] == pytest.approx(at * 1_000 + TRIP)  # and its refusal 20 ms back


def test_an_open_connection_dies_when_the_relay_goes_away():
    told: list[float] = []

    def work(sender):
        with sender.connect() as connection:
            sender.sleep(1.5)
            try:
                connection.send(sender.take()[0])
            except Disconnected:
                told.append(sender.now())
            with pytest.raises(Disconnected, match="closed"):
                connection.send(connection_message)

    connection_message = ("1", "m1@example.com", b"")
    made, result = world(work, faults=DOWN)
    assert told == [1.66]  # where it was when the sender spoke: the news is long there
    assert made.recorder.closed_at == {1: 1_000_000}
    assert (result.messages.accepted, result.messages.lost, result.connections.peak_open) == (
        0,
        1,
        1,
    )


def test_a_transaction_under_way_dies_with_the_relay():
    """Logged in at 0.16 s; the third message is under way at 1 s and is not accepted."""
    made, result = world(workload={"kind": "constant", "rate": "1000/min", "for": 5}, faults=DOWN)
    assert max(at for at, _, _ in acceptances(made)) < 1_000_000
    assert result.messages.accepted == 5  # a body every 160 ms from 0.30 s on
    assert result.ended == "settled"


@pytest.mark.parametrize("chance", [0.5, 1.0])
def test_a_dropped_connection_dies_before_the_relay_acted_or_after(chance):
    """Half of the drops leave a duplicate-to-be: accepted, but the sender does not know."""

    def work(sender):
        while batch := sender.take():
            try:
                with sender.connect() as connection:
                    connection.send(batch[0])
            except Disconnected:
                sender.put_back(batch[0])

    made, result = world(
        work,
        workload={"kind": "batch", "messages": 30},
        faults={"drop_connection": chance},
        until="1h",
    )
    assert set(made.recorder.closed_at) >= {
        row.connection for row in made.recorder.opened_rows[:-1]
    }
    assert result.incidents.total == 0
    if chance == 1.0:
        assert (result.messages.accepted, result.messages.waiting) == (0, 30)
        half = len(made.recorder.opened_rows) / 2
        assert made.recorder.logins == []  # EHLO is the first command to die at
        assert half > 10_000
    else:
        logins = len(made.recorder.logins)
        assert result.messages.accepted == 30
        assert result.messages.duplicated > 0
        assert (
            0.3 < logins / len(made.recorder.opened_rows) < 0.45
        )  # after half the EHLOs, at three of four AUTHs


def test_a_wrong_password_is_wrong_within_its_half_open_stretch():
    """AUTH reaches the relay 140 ms after the first SYN."""
    seen: list[Any] = []
    times = [0.859999, 0.86 + 0.3, 1.859999 - 0.3, 2.86]
    faults = {"wrong_password": {"from": "1s", "until": "3s"}}
    made, result = world(attempts(times, seen), faults=faults)
    assert [outcome for _, outcome, _ in seen] == ["in", "535", "535", "in"]
    assert [row.at for row in made.recorder.logins] == [999_999, 1_300_000, 1_699_999, 3_000_000]
    assert (result.logins.failed, result.incidents.total) == (2, 0)


def test_the_edge_of_a_wrong_password_to_the_microsecond():
    for start, outcome in ((0.859999, "in"), (0.86, "535"), (2.859999, "535"), (2.86, "in")):
        seen: list[Any] = []
        world(attempts([start], seen), faults={"wrong_password": {"from": "1s", "until": "3s"}})
        assert seen[0][1] == outcome


def test_a_refused_login_leaves_nothing_open():
    """The sender hangs up: the relay knows half a round trip after the sender had its 535 at 160
    ms.
    """
    seen: list[Any] = []
    made, result = world(
        attempts([0, 1, 2], seen), faults={"wrong_password": {"from": 0, "until": "1h"}}
    )
    assert seen[0] == (0, "535", 160)
    assert made.recorder.closed_at == {1: 180_000, 2: 1_180_000, 3: 2_180_000}
    assert result.connections.peak_open == 1


def test_a_refusal_that_stays_open_does_not_leave_the_connection_open_either():
    policy = {
        "use": "unlimited",
        "connections_per_ip": {"count": 1, "per": 60, "reply": {"stage": "ehlo", "then": "stay"}},
    }
    seen: list[Any] = []
    made, result = world(attempts([0, 1], seen), policy=policy)
    assert seen[1] == (1, "421", 1_120)  # TCP, greeting and EHLO
    assert made.recorder.closed_at[2] == 1_140_000
    assert result.incidents.total == 1


def test_a_refused_greeting_is_known_after_two_round_trips():
    policy = {"use": "unlimited", "connections_per_ip": {"count": 1, "per": 60}}
    seen: list[Any] = []
    made, result = world(attempts([0, 1], seen), policy=policy)
    assert seen[1] == (1, "421", 1_080)
    assert made.recorder.closed_at[2] == 1_020_000
    assert (result.connections.opened, result.connections.refused) == (2, 1)


def test_a_refusal_is_told_also_when_the_connection_dies_at_the_reset_behind_it():
    """The second RCPT is refused at 400 ms; RSET would reach the relay at 420 ms, but the relay
    goes away at 410 ms.
    """
    reply = {"stage": "rcpt", "code": 450, "then": "stay"}
    policy = {"use": "unlimited", "transactions_per_connection": {"count": 1, "reply": reply}}
    seen: list[Any] = []

    def work(sender):
        first, second = sender.take(2)
        with sender.connect() as connection:
            connection.send(first)
            with pytest.raises(Refused, match="450"):
                connection.send(second)
            seen.append(round(sender.now() * 1_000, 6))
            with pytest.raises(Disconnected):
                connection.send(second)

    faults = {"relay_down": [{"at": "410ms", "for": "1s"}]}
    _, result = world(work, workload={"kind": "batch", "messages": 2}, policy=policy, faults=faults)
    assert seen == [430]
    assert (result.ended, result.incidents.total) == ("settled", 1)
