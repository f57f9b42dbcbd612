"""TLS against hostile peers: octets in the clear after STARTTLS, octets that are not TLS, and
octets after the last reply.
"""

from __future__ import annotations

import ssl

import pytest

from tests.live.peer import EHLO, LOGIN, MESSAGE, QUIT, Peer, until
from tests.live.test_hostile import attacked, trusting

NETWORK = pytest.mark.parametrize("network", [None, {"rtt": "5ms"}], ids=["at once", "held back"])


@NETWORK
def test_what_is_pipelined_before_tls_is_thrown_away(network):
    with (
        attacked(0, tls="starttls", network=network, transcripts=True) as relay,
        Peer(relay.port) as peer,
    ):
        peer.ask(EHLO)
        assert peer.ask(b"STARTTLS\r\n" + EHLO + LOGIN + MESSAGE) == [220]
        peer.wrap(trusting(relay))
        assert peer.ask(b"NOOP\r\n") == [
            250
        ]  # the first answer in TLS is to the first command in TLS
        assert peer.ask(b"MAIL FROM:<a@b>\r\n") == [503]
        assert peer.ask(QUIT) == [221]
        (said, *_) = relay.transcripts()
        assert said == [
            "GREETING 220",
            "EHLO 250",
            "STARTTLS 220",
            "NOOP 250",
            "MAIL 503",
            "QUIT 221",
        ]


@NETWORK
def test_what_comes_in_the_clear_behind_starttls_is_never_a_command(network):
    with (
        attacked(0, tls="starttls", network=network, transcripts=True) as relay,
        Peer(relay.port) as peer,
    ):
        peer.ask(EHLO)
        peer.say(b"STARTTLS\r\n").say(EHLO + LOGIN + MESSAGE)
        assert peer.codes(1) == [220]
        peer.say(EHLO + LOGIN + MESSAGE).half_close().rest()
        (said, *_) = relay.transcripts()
        assert said[:3] == ["GREETING 220", "EHLO 250", "STARTTLS 220"]
        assert set(said[3:]) <= {"EOF"}


@NETWORK
def test_what_is_no_tls_in_the_middle_of_it_ends_the_connection(network):
    with attacked(0, tls="starttls", network=network) as relay, Peer(relay.port) as peer:
        peer.ask(EHLO)
        assert peer.ask(b"STARTTLS\r\n") == [220]
        with peer.sock.dup() as clear:
            context = trusting(relay)
            context.maximum_version = (
                ssl.TLSVersion.TLSv1_2
            )  # if OpenSSL writes nothing after its alert
            peer.wrap(context).say(EHLO + LOGIN)
            clear.sendall(b"\x17\x03\x03\x00 " + b"x" * 32)  # a record that was never encrypted
            until(
                lambda: relay.call(lambda: len(relay.live.connections)) == 0,
                "the connection has ended",
            )


@NETWORK
def test_a_refusal_in_tls_arrives_although_much_comes_behind_it(network):
    policy = {"use": "unlimited", "transactions_per_connection": 1}
    with (
        attacked(1, policy=policy, tls="starttls", network=network) as relay,
        Peer(relay.port) as peer,
    ):
        peer.ask(EHLO)
        assert peer.ask(b"STARTTLS\r\n") == [220]
        assert peer.wrap(trusting(relay)).logged_in().ask(MESSAGE, 4) == [250, 250, 354, 250]
        peer.say(b"MAIL FROM:<a@example.com>\r\n")
        for _ in range(200):
            peer.say(b"NOOP\r\n" * 100)
        assert peer.codes(2) == [421]
