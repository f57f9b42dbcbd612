"""A scenario's faults and network on the live port: relay down, slow relay, dropped connections,
and delays that never end early.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import pytest

import sim.live
from tests.live.peer import EHLO, LOGIN, MESSAGE, OPEN, PATIENCE, QUIT, Peer, until

NETWORK = pytest.mark.parametrize("network", [None, {"rtt": "10ms"}], ids=["at once", "held back"])


def relay_with(**more):
    return sim.live.running(policy=more.pop("policy", "unlimited"), tls="none", **more)


def listens(relay) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((relay.host, relay.port)) == 0


@NETWORK
def test_a_relay_that_goes_down_ends_what_is_open_refuses_tcp_and_comes_back(network):
    with relay_with(network=network) as relay, Peer(relay.port) as peer:
        peer.logged_in().ask(OPEN, 3)
        relay.change(faults={"relay_down": [{"at": "200ms", "for": "1h"}]})
        assert peer.rest() == b""
        until(lambda: not listens(relay), "TCP refused")
        begun = time.monotonic()
        relay.change(faults={"relay_down": [{"at": 0, "for": "1s"}]})
        until(lambda: listens(relay), "TCP accepted again")
        assert time.monotonic() - begun > 0.99  # less half a round trip
        with Peer(relay.port) as again:
            assert again.logged_in().ask(MESSAGE + QUIT, 5)[-1] == 221
        result = relay.result()
    assert result.incidents.total == 0
    assert (result.messages.accepted, result.messages.duplicated) == (1, 0)


@pytest.mark.parametrize("more", [b"", MESSAGE])
def test_what_is_under_way_when_the_relay_goes_down_is_never_judged(more):
    troubles: list[object] = []
    with relay_with(network={"rtt": "20ms"}) as relay, Peer(relay.port) as peer:
        peer.logged_in()
        (connection,) = relay.live.connections

        def down() -> None:
            relay.live.loop.set_exception_handler(lambda _, context: troubles.append(context))
            connection.data_received(MESSAGE)
            connection.kill(relay.live.clock.now())
            if more:
                connection.data_received(more)

        relay.call(down)
        assert peer.rest() == b""
        until(lambda: not relay.live.connections, "forgotten")
        assert relay.result().messages.accepted == 0
    assert troubles == []


@NETWORK
def test_every_connection_dies_at_its_first_command_where_the_chance_is_one(network):
    with relay_with(network=network, faults={"drop_connection": 1.0}, transcripts=True) as relay:
        for _ in range(6):
            with Peer(relay.port) as peer:
                peer.say(EHLO)
                with suppress(ConnectionResetError):
                    assert peer.rest() == b""
        until(lambda: not relay.call(lambda: relay.live.connections), "all gone")
        heard = {tuple(lines) for lines in relay.transcripts()}
        result = relay.result()
    assert heard <= {("GREETING 220", "EOF"), ("GREETING 220", "EHLO 250", "EOF")}
    assert (result.connections.opened, result.incidents.total) == (6, 0)


def test_a_dropped_connection_sometimes_leaves_a_message_behind():
    """Connections drop before or after the relay acts: of many bodies some are accepted although
    the sender gets no reply.
    """
    with relay_with(faults={"drop_connection": 0.4}) as relay:
        known = 0
        for number in range(150):
            with Peer(relay.port) as peer:
                body = MESSAGE.replace(b"b@", b"b%d@" % number)
                with suppress(ConnectionResetError, BrokenPipeError):
                    known += len(peer.ask(EHLO + LOGIN, 2)) == 2 and peer.ask(body, 4) == [
                        250,
                        250,
                        354,
                        250,
                    ]
        accepted = relay.result().messages.accepted
    assert 0 < known < accepted < 150


def test_a_wrong_password_is_wrong_for_as_long_as_it_says():
    with relay_with(users={"user1": "secret"}) as relay:
        relay.change(faults={"wrong_password": {"from": 0, "until": "1h"}})
        with Peer(relay.port) as peer:
            assert peer.ask(EHLO + LOGIN, 2) == [250, 535]
            begun = relay.call(lambda: relay.live.now)
            relay.change(faults={"wrong_password": {"from": 0, "until": "1s"}})
            until(lambda: peer.ask(LOGIN) == [235], "a right password")
        assert relay.call(lambda: relay.live.now) - begun >= 1_000_000
        with Peer(relay.port) as peer:
            peer.ask(EHLO)
            assert peer.ask(b"AUTH PLAIN AHVzZXIxAHdyb25n\r\n") == [535]


def test_commands_that_come_together_share_the_trip_and_the_relays_time_adds_up():
    trip = 60_000
    own = 30_000
    number = 6
    network = {"rtt": trip / 1e6, "relay_time": own / 1e6}
    with relay_with(network=network, transcripts=True) as relay, Peer(relay.port) as peer:
        begun = relay.call(lambda: relay.live.now)
        peer.say(b"NOOP\r\n" * number)
        answered = []
        for _ in range(number):
            assert peer.codes(1) == [250]
            answered.append(relay.call(lambda: relay.live.now) - begun)
        judged = relay.call(
            lambda: [at - begun for at in relay.live.relay.transcripts[1].times[1:]]
        )
    for place in range(number):
        assert judged[place] >= trip // 2 + own * place
        assert answered[place] >= trip + own * (place + 1)


def test_a_slow_relay_is_slow_for_as_long_as_it_says():
    with relay_with(network={"rtt": 0, "relay_time": "20ms"}) as relay, Peer(relay.port) as peer:

        def took() -> float:
            begun = time.monotonic()
            peer.ask(b"NOOP\r\n")
            return time.monotonic() - begun

        relay.change(faults={"slow": {"at": 0, "for": "1h", "factor": 10}})
        assert min(took() for _ in range(3)) >= 0.2
        changed = time.monotonic()
        relay.change(faults={"slow": {"at": 0, "for": "1s", "factor": 10}})
        until(
            lambda: 0.02 <= took() < 0.2, "a quick answer"
        )  # a busy machine can delay some of them, but not all
        assert time.monotonic() - changed >= 1.02


def test_a_greeting_takes_two_round_trips_and_one_that_refuses_too():
    trip = 0.05
    with relay_with(
        network={"rtt": trip},
        policy={"use": "unlimited", "connections_per_ip": {"count": 1, "per": 60}},
    ) as relay:
        for code in (220, 421):
            begun = time.monotonic()
            with Peer(relay.port, greeted=False) as peer:
                assert peer.codes(1) == [code]
                assert time.monotonic() - begun >= 2 * trip


@NETWORK
@pytest.mark.parametrize("then", ["close", "drop", "stay"])
def test_a_limit_ends_a_connection_as_the_policy_says_and_its_reply_arrives(network, then):
    """The reply arrives although the peer has sent much more that the relay never reads."""
    limit = {"count": 1, "reply": {"then": then}}
    policy = {"use": "unlimited", "transactions_per_connection": limit}
    with relay_with(network=network, policy=policy) as relay, Peer(relay.port) as peer:
        peer.logged_in().ask(MESSAGE, 4)
        peer.say(
            b"MAIL FROM:<a@example.com>\r\n"
            + b"NOOP\r\n" * 20_000
            + (QUIT if then == "stay" else b"")
        )
        try:
            found = peer.rest()
        except ConnectionResetError:
            found = b""
            assert then == "drop"
    if then == "drop":
        assert found == b""
    elif then == "close":
        assert found.count(b"\r\n") == 1
        assert found.startswith(b"421 ")
    else:
        assert found.startswith(b"421 ")
        assert found.count(b"\r\n250 ") == 20_000


def test_auth_in_the_clear_can_be_switched_off_and_is_off_beyond_loopback():
    for more, code in (
        ({}, 235),
        ({"plain_auth": False}, 530),
        ({"bind": ("0.0.0.0",)}, 530),
        ({"bind": ("0.0.0.0",), "plain_auth": True}, 235),
        ({"bind": ("127.0.0.0/8",)}, 235),
    ):
        with (
            sim.live.running(policy="unlimited", tls="starttls", **more) as relay,
            Peer(relay.port) as peer,
        ):
            peer.say(EHLO)
            offer = b""
            while not offer.startswith(b"250 "):
                offer = peer.line()
            assert peer.ask(LOGIN) == [code], more


def test_all_of_loopback_is_listened_on_where_that_is_asked_and_both_of_two_addresses():
    with relay_with(bind=("127.0.0.0/8",)) as relay:
        for address in ("127.0.0.1", "127.0.0.77", "127.9.9.9"):
            with socket.create_connection((address, relay.port), PATIENCE) as connection:
                assert connection.recv(3) == b"220"
    with relay_with(bind=("127.0.0.2", "127.0.0.3")) as relay:
        for address in ("127.0.0.2", "127.0.0.3"):
            with socket.create_connection((address, relay.port), PATIENCE) as connection:
                assert connection.recv(3) == b"220"
        assert not listens(relay)


def test_a_port_that_is_taken_is_told_in_words():
    with (
        relay_with() as relay,
        pytest.raises(
            sim.ScenarioError,
            match=f"cannot listen on 127.0.0.1 port {relay.port}: .*; take another port",
        ),
        relay_with(port=relay.port),
    ):
        pass
