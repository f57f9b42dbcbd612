"""The live relay against hostile or broken peers: each gets its reply or its timeout, and all
others are served.

Every test ends with the same checks: one more message is accepted at once, no connection is left,
and the relay has counted each accepted message once.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

import sim.live
from sim.live import Running, Timeouts
from sim.live.connection import Connection
from tests.live.peer import EHLO, LOGIN, MESSAGE, OPEN, QUIT, Peer, until

TIMEOUTS = Timeouts()
ALMOST = TIMEOUTS.command * 2 // 3
"""Microseconds: shorter than the relay's timeout, and twice as long is longer than it."""

USERS = {"user1": "secret"}


@contextmanager
def attacked(accepted: int, **options: Any) -> Iterator[Running]:
    """A relay under attack, with the checks at the end."""
    defaults: dict[str, Any] = {"policy": "unlimited", "users": USERS, "tls": "none"}
    with sim.live.running(**defaults | options) as relay:
        yield relay
        serves(relay)
        until(lambda: relay.call(lambda: len(relay.live.connections)) == 0, "everybody gone")
    result = relay.result()
    assert result.messages.accepted + result.messages.duplicated == accepted + 1


def serves(relay: Running) -> None:
    """Sends one more message, which must be accepted."""
    with Peer(relay.port, source="127.0.0.9") as peer:
        if relay.live.settings.tls == "starttls":
            peer.ask(EHLO)
            assert peer.ask(b"STARTTLS\r\n") == [220]
            peer.wrap(trusting(relay))
        assert peer.logged_in().ask(MESSAGE, 4) == [250, 250, 354, 250]
        assert peer.ask(QUIT) == [221]


def pass_time(relay: Running, time: int) -> None:
    """Moves the relay's clock forward by ``time`` microseconds and checks the timeouts."""

    def passed() -> None:
        live = relay.live
        live.clock._zero -= time * 1_000
        live._timers["sweep"].cancel()
        live._sweep()

    relay.call(passed)


def heard_since(connection: Connection, moment: int) -> bool:
    return connection.heard_at >= moment


def only_connection(relay: Running) -> Connection:
    (found,) = relay.call(lambda: list(relay.live.connections))
    return found


def trusting(relay: Running) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(relay.certificate))


def test_a_line_that_never_ends_times_out_and_so_does_one_that_comes_by_the_byte():
    with (
        attacked(0) as relay,
        Peer(relay.port) as dripping,
        Peer(relay.port) as silent,
        Peer(relay.port) as lively,
    ):
        lively.logged_in()
        for _ in range(2):
            dripping.say(b"N")
            assert lively.ask(b"NOOP\r\n") == [250]  # the octet has arrived too by now
            pass_time(relay, ALMOST)
        assert silent.codes(1) == [421]
        assert dripping.codes(1) == [421]
        assert lively.ask(MESSAGE.replace(b"DATA", b"RSET"), 3) == [250, 250, 250]


def test_a_body_that_comes_slowly_is_taken_as_long_as_it_comes():
    with attacked(1) as relay, Peer(relay.port) as peer:
        assert peer.logged_in().ask(OPEN, 3) == [250, 250, 354]
        slow = only_connection(relay)
        for piece in (b"Subj", b"ect: slow\r\n", b"\r", b"\nhi\r\n", b"."):
            said = relay.call(relay.live.clock.now)
            peer.say(piece)
            until(partial(heard_since, slow, said), "the piece has come")
            pass_time(relay, ALMOST)
        assert peer.ask(b"\r\n") == [250]


def test_a_peer_that_never_reads_is_read_no_more_and_goes():
    with attacked(0, timeouts=Timeouts(command=10**15)) as relay, Peer(relay.port) as peer:
        deaf = only_connection(relay)
        sent = 0
        peer.sock.settimeout(0.2)

        def is_gone() -> bool:
            nonlocal sent
            try:
                while sent < 100_000_000:
                    sent += peer.sock.send(b"HELP\r\n" * 1_000)
            except TimeoutError:  # the relay does not read, or not yet
                if deaf.unread_since is not None:
                    pass_time(relay, TIMEOUTS.writing * 2)
            except ConnectionError:
                return True
            return False

        until(is_gone, "the peer that never reads is gone")
        assert sent < 100_000_000


STATES: dict[str, bytes] = {
    "connected": b"",
    "greeted": EHLO,
    "half a command": b"EHL",
    "in AUTH": EHLO + b"AUTH LOGIN\r\n",
    "in AUTH's second step": EHLO + b"AUTH LOGIN\r\ndXNlcjE=\r\n",
    "logged in": EHLO + LOGIN,
    "after MAIL": EHLO + LOGIN + b"MAIL FROM:<a@b>\r\n",
    "after RCPT": EHLO + LOGIN + b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n",
    "after DATA": EHLO + LOGIN + OPEN,
    "in the body": EHLO + LOGIN + OPEN + b"Subject: x\r\n\r\nhi",
    "in the END": EHLO + LOGIN + OPEN + b"hi\r\n.\r",
    "after the body": EHLO + LOGIN + MESSAGE,
    "after QUIT": EHLO + LOGIN + QUIT,
    "in STARTTLS": EHLO + b"STARTTLS\r\n",
    "in a handshake": EHLO + b"STARTTLS\r\n" + b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "in an invalid handshake": EHLO + b"STARTTLS\r\n" + b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("network", [None, {"rtt": "5ms"}], ids=["at once", "held back"])
@pytest.mark.parametrize("way", ["close", "reset", "half"])
def test_peers_that_go_in_every_state_at_any_octet_leave_nothing(network, way):
    """A complete body counts, even if the peer did not wait for the reply, unless the connection
    was cut before.
    """
    with sim.live.running(policy="unlimited", users=USERS, network=network) as relay:
        for octets in STATES.values():
            for read in (True, False):
                peer = Peer(relay.port, greeted=read).say(octets)
                if read and octets.endswith(b"\n"):
                    peer.line()
                if way == "reset":
                    peer.reset()
                elif way == "half":
                    peer.half_close().rest()
                    peer.sock.close()
                else:
                    peer.sock.close()
        serves(relay)
        until(lambda: relay.call(lambda: len(relay.live.connections)) == 0, "everybody gone")
    result = relay.result()
    assert result.messages.accepted + result.messages.duplicated <= 3
    if way == "half":
        assert result.messages.accepted + result.messages.duplicated == 3
    assert result.logins.accepted + result.logins.failed == result.logins.requested


@pytest.mark.parametrize("where", ["command", "body"])
def test_ten_megabytes_without_a_line_end(where):
    accepted = int(where == "body")
    with attacked(accepted) as relay, Peer(relay.port) as peer:
        if where == "body":
            assert peer.logged_in().ask(OPEN, 3) == [250, 250, 354]
        for _ in range(160):
            peer.say(b"A" * 65_536)
        assert peer.ask(b"\r\n.\r\n" if where == "body" else b"\r\n", 1) == [
            250 if where == "body" else 500
        ]
        assert peer.ask(b"NOOP\r\n") == [250]


@pytest.mark.parametrize(
    ("octets", "codes"),
    [
        (b"NO\0OP\r\n", [500]),
        (b"NOOP \xff\r\n", [500]),
        (b"NOOP\nNOOP\r\n", [500]),
        (b"NOOP\rNOOP\r\n", [500]),
        (b"EHLO \xc3\xa4\r\n", [500]),
        (b"AUTH PLAIN !!!\r\n", [501]),
        (b"AUTH PLAIN\r\n====\r\n", [334, 501]),
        (b"AUTH LOGIN\r\n\xff\xff\r\n", [334, 501]),
        (b"AUTH PLAIN " + b"A" * 13_000 + b"\r\n", [500]),
        (b"\0" * 100 + b"\r\n", [500]),
    ],
)
def test_octets_that_no_command_has_are_answered_and_count_for_nothing(octets, codes):
    with attacked(0) as relay, Peer(relay.port) as peer:
        peer.ask(EHLO)
        assert peer.ask(octets, len(codes)) == codes
        assert peer.ask(b"NOOP\r\n") == [250]
        assert relay.result().logins.requested == 0


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n\0.\r\n"])
def test_nothing_is_smuggled_behind_a_message(end):
    with attacked(1, transcripts=True) as relay, Peer(relay.port) as peer:
        assert peer.logged_in().ask(OPEN, 3) == [250, 250, 354]
        smuggled = b"MAIL FROM:<evil@example.com>\r\nRCPT TO:<c@example.com>\r\nDATA\r\nevil\r\n"
        assert peer.ask(b"hi" + end + smuggled + b".\r\n", 1) == [250]
        assert peer.ask(QUIT) == [221]
        (said, *_) = relay.transcripts()
        assert said[3:] == ["MAIL 250", "RCPT 250", "DATA 354", "BODY 250", "QUIT 221"]


def test_messages_above_the_size_are_refused_announced_or_not():
    policy = {"use": "unlimited", "message_size": 100_000}
    with attacked(1, policy=policy) as relay, Peer(relay.port) as peer:
        peer.logged_in()
        assert peer.ask(b"MAIL FROM:<a@b> SIZE=100001\r\n") == [552]
        assert peer.ask(OPEN, 3) == [250, 250, 354]
        for _ in range(80):
            peer.say((b"x" * 998 + b"\r\n") * 64)  # five megabytes
        assert peer.ask(b".\r\n") == [552]
        assert peer.ask(MESSAGE, 4) == [250, 250, 354, 250]
        assert peer.ask(QUIT) == [221]


def test_ten_thousand_wrong_passwords_are_counted_once_each():
    wrong = b"AUTH PLAIN AHVzZXIxAHdyb25n\r\n"
    with attacked(0) as relay, Peer(relay.port) as peer:
        peer.ask(EHLO)
        for _ in range(100):
            assert peer.ask(wrong * 100, 100) == [535] * 100
        result = relay.result()
        assert (result.logins.requested, result.logins.failed, result.incidents.total) == (
            10_000,
            10_000,
            0,
        )


def test_under_the_limits_wrong_passwords_are_shut_out_and_others_are_not():
    policy = {"use": "mailersend", "connections_per_ip": False, "logins_per_username": False}
    wrong = EHLO + b"AUTH PLAIN AHVzZXIxAHdyb25n\r\n" * 40
    with sim.live.running(policy=policy, users=USERS | {"user2": "secret"}, tls="none") as relay:
        answers = []
        for _ in range(100):
            with Peer(relay.port) as peer:
                answers += peer.ask(wrong, 41)[1:]
        assert answers == [535] * 10 + [421] * 100
        with Peer(relay.port) as peer:  # the same IP, another username
            assert peer.ask(EHLO + b"AUTH PLAIN AHVzZXIyAHNlY3JldA==\r\n", 2) == [250, 235]
        serves(relay)  # the same username, another IP
        result = relay.result()
    assert (result.logins.failed, result.logins.refused, result.logins.accepted) == (10, 100, 2)
    assert (
        result.incidents.by_limit["failed_logins_per_username_ip"] == result.incidents.total == 100
    )
    assert len(result.blocks) == 1


def test_a_flood_of_commands_on_one_connection_holds_nobody_up():
    with attacked(1) as relay, Peer(relay.port) as flood:

        def push() -> None:
            try:
                for _ in range(200):
                    flood.say(b"NOOP\r\n" * 2_000)
            except OSError:
                pass

        reading = threading.Thread(target=flood.rest)
        pushing = threading.Thread(target=push)
        reading.start()
        pushing.start()
        serves(relay)
        pushing.join()
        flood.half_close()
        reading.join()
