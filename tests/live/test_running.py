"""The live relay in a thread, with smtplib as its sender: in the clear, STARTTLS, implicit TLS,
with and without delays.
"""

from __future__ import annotations

import smtplib
import ssl
import time
from typing import Any

import pytest

import sim.live
from sim.live.connection import Connection
from tests.live.peer import OPEN, PATIENCE, Peer, until

MESSAGE = "Subject: x\r\n\r\nhi\r\n"
SIX = [
    *["MAIL 250", "RCPT 250", "DATA 354", "BODY 250"] * 5,
    "MAIL 421",
]


def connected(relay: sim.live.Running, *, implicit: bool = False) -> smtplib.SMTP:
    """A connection after the greeting, and in TLS if the relay has it. The certificate is checked
    as strictly as possible.
    """
    context = None
    if relay.certificate is not None:
        context = ssl.create_default_context(cafile=str(relay.certificate))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    if implicit:
        return smtplib.SMTP_SSL(
            relay.host, relay.tls_port or relay.port, context=context, timeout=PATIENCE
        )
    client = smtplib.SMTP(relay.host, relay.port, timeout=PATIENCE)
    if context is not None:
        client.starttls(context=context)
    return client


@pytest.mark.parametrize("network", [None, {"rtt": "2ms"}])
def test_a_part_of_a_body_is_acknowledged_at_once(network, monkeypatch):
    """No reply follows a part of a body. Without the acknowledgement a sender with Nagle's
    algorithm would wait 40 ms for each message.
    """
    in_transaction = []
    monkeypatch.setattr(
        Connection, "_acknowledge", lambda self: in_transaction.append(self.in_transaction)
    )
    with sim.live.running(network=network, tls="none") as relay, Peer(relay.port) as peer:
        assert peer.logged_in().ask(OPEN, 3) == [250, 250, 354]
        in_transaction.clear()
        peer.say(b"Subject: x\r\n")
        until(lambda: in_transaction, "acknowledged")
        assert peer.ask(b"\r\nhi\r\n.\r\n") == [250]
    assert in_transaction[0]


@pytest.mark.parametrize(
    "network", [None, {"rtt": "8ms", "relay_time": "2ms"}, {"rtt": "6ms", "jitter": 0.5}]
)
@pytest.mark.parametrize("tls", ["none", "starttls", "implicit", "second port"])
def test_six_messages_on_one_connection(tls, network):
    own: dict[str, Any] = {"tls": "none", "tls_port": 0} if tls == "second port" else {"tls": tls}
    with sim.live.running(users={"u": "p"}, network=network, transcripts=True, **own) as relay:
        client = connected(relay, implicit=tls in ("implicit", "second port"))
        client.login("u", "p")
        for number in range(5):
            client.sendmail("a@example.com", f"b{number}@example.com", MESSAGE)
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            client.sendmail("a@example.com", "b6@example.com", MESSAGE)
        assert refused.value.smtp_code == 421
        client.close()
    begin = [
        "GREETING 220",
        "EHLO 250",
        *(["STARTTLS 220", "EHLO 250"] if tls == "starttls" else []),
    ]
    assert relay.transcripts() == [[*begin, "AUTH PLAIN 235", *SIX]]
    result = relay.result()
    assert (result.messages.accepted, result.messages.lost, result.messages.submitted) == (5, 1, 6)
    assert result.incidents.by_limit["transactions_per_connection"] == 1
    assert (result.seed, result.latency_s.max, result.ended) == (None, None, "settled")


@pytest.mark.parametrize("network", [None, {"rtt": "8ms"}])
def test_a_refused_connection_is_forgotten_once_its_peer_is_gone(network):
    policy = {"connections_per_ip": {"count": 1}}
    with sim.live.running(network=network, policy=policy, tls="none") as relay:
        for expected in (220, 421):
            client = smtplib.SMTP(timeout=PATIENCE)
            assert client.connect(relay.host, relay.port)[0] == expected
            client.close()
        until(lambda: not relay.call(lambda: relay.live.connections), "both forgotten")


@pytest.mark.parametrize(
    ("tls", "trips", "commands"), [("none", 3, 1), ("starttls", 6, 3), ("implicit", 4, 1)]
)
def test_nothing_is_judged_before_its_moment(tls, trips, commands):
    """``trips`` and ``commands`` come before AUTH, which is judged half a round trip after it was
    sent.
    """
    trip = 0.020
    own = 0.005
    with sim.live.running(
        network={"rtt": trip, "relay_time": own}, tls=tls, transcripts=True
    ) as relay:
        begun = time.monotonic()
        client = connected(relay, implicit=tls == "implicit")
        client.ehlo("me.example")
        client.user = "u"
        client.password = "p"
        client.auth("PLAIN", client.auth_plain)
        took = time.monotonic() - begun
        client.close()
        times = relay.call(lambda: relay.live.relay.transcripts[1].times)  # type: ignore[index]
    least = trips * trip + commands * own
    assert times[-1] - times[0] >= round((least + trip / 2 - trip / 2) * 1e6)
    assert took >= least + trip + own


def test_a_port_of_an_address_of_ipv6_is_told_from_it():
    assert [sim.live.with_port(address, 25) for address in ("127.0.0.1", "::1")] == [
        "127.0.0.1:25",
        "[::1]:25",
    ]
