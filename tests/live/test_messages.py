"""How a live relay counts messages - accepted, repeated, interrupted, refused - and the files that
it keeps.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import pytest

import sim.live
from sim.errors import ScenarioError
from tests.live.peer import PATIENCE, Peer, until

EHLO = b"EHLO me.example\r\n"


def talk(relay: sim.live.Running, *octets: bytes, end: bytes = b"QUIT\r\n") -> list[bytes]:
    """Sends everything and reads to the end; returns the codes of all replies."""
    with socket.create_connection((relay.host, relay.port), timeout=PATIENCE) as connection:
        connection.sendall(EHLO + b"".join(octets) + end)
        if not end:
            connection.shutdown(socket.SHUT_WR)
        lines = connection.makefile("rb").readlines()
    return [line[:3] for line in lines if line[3:4] == b" "]


def message(number: int, *, name: bytes = b"", recipient: bytes = b"b%d@example.com") -> bytes:
    to = recipient % number if b"%d" in recipient else recipient
    return b"MAIL FROM:<a@example.com>\r\nRCPT TO:<%s>\r\nDATA\r\n%s\r\nhi\r\n.\r\n" % (to, name)


def open_relay(policy="unlimited", **more):
    return sim.live.running(policy=policy, tls="none", login=False, **more)


def messages(relay):
    found = relay.result().messages
    return found.submitted, found.accepted, found.lost, found.duplicated


def test_a_message_is_known_by_its_headers_and_else_by_its_recipient():
    with open_relay() as relay:
        talk(relay, message(1), message(1), message(2))
        assert messages(relay) == (2, 2, 0, 1)
        talk(
            relay, message(3, name=b"Message-ID: <x>\r\n"), message(4, name=b"Message-ID: <x>\r\n")
        )
        assert messages(relay) == (3, 3, 0, 2)
        talk(relay, message(5, name=b"Message-ID: <x>\r\nX-Relaysim-Id: 5\r\n"))
        assert messages(relay) == (4, 4, 0, 2)


@pytest.mark.parametrize("more", [b"", b"DATA\r\nhalf a body"])
@pytest.mark.parametrize(
    "end", [b"RSET\r\nQUIT\r\n", b"EHLO again.example\r\nQUIT\r\n", b"QUIT\r\n", b""]
)
def test_what_is_broken_off_is_lost_once(end, more):
    begun = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<late@example.com>\r\n"
    with open_relay() as relay:
        talk(relay, message(1), begun, more, end=b"" if more else end)
        assert messages(relay) == (2, 1, 1, 0)
        talk(
            relay, message(9, name=b"Message-ID: <of-late>\r\n", recipient=b"late@example.com")
        )  # and not if it arrives later
        assert messages(relay) == (2, 2, 0, 0)


def test_out_of_order_is_no_message_and_too_large_is_one():
    with open_relay({"use": "unlimited", "message_size": 1_000}) as relay:
        codes = talk(
            relay,
            b"RCPT TO:<b@example.com>\r\n",
            b"MAIL FROM:<a@example.com>\r\nMAIL FROM:<a@example.com>\r\nRSET\r\n",
        )
        assert codes == [b"220", b"250", b"503", b"250", b"503", b"250", b"221"]
        assert messages(relay) == (1, 0, 1, 0)
        talk(
            relay,
            b"MAIL FROM:<a@example.com> SIZE=2000\r\n",
            message(1, name=b"X-Long: " + b"x" * 2_000 + b"\r\n"),
        )
        assert messages(relay) == (3, 0, 3, 0)


def test_what_a_limit_refuses_at_mail_is_a_message_of_its_own():
    with open_relay({"use": "unlimited", "transactions_per_connection": 2}) as relay:
        talk(relay, message(1), message(2), message(3))
        assert messages(relay) == (3, 2, 1, 0)


@pytest.mark.parametrize("network", [None, {"rtt": "5ms"}], ids=["at once", "held back"])
@pytest.mark.parametrize(
    ("then", "later"),
    [("close", False), ("close", True), ("drop", False), ("stay", False), ("stay", True)],
)
def test_what_is_refused_at_mail_is_known_where_its_recipient_comes_with_it(then, later, network):
    limit = {"count": 1, "reply": {"then": then}}
    refused = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b2@example.com>\r\n"
    with open_relay(
        {"use": "unlimited", "transactions_per_connection": limit}, network=network
    ) as relay:
        with Peer(relay.port) as peer:
            peer.say(EHLO + message(1) + (refused[:-9] if later else refused))
            assert peer.codes(6)[:5] == [250, 250, 250, 354, 250]
            if later:
                peer.say(refused[-9:])
            with suppress(OSError):  # if the relay has dropped the connection
                peer.half_close()
            peer.rest()
        until(lambda: not relay.call(lambda: relay.live.connections), "gone")
        assert messages(relay) == (2, 1, 1, 0)
        talk(relay, message(2, name=b"Message-ID: <of-2>\r\n"))
        assert messages(relay) == (2, 2, 0, 0)


def test_one_without_a_name_may_have_been_sent_again_and_that_is_said():
    policy = {"use": "unlimited", "transactions_per_connection": 1}
    for wanted in (None, 3):
        with open_relay(policy, messages=wanted) as relay:
            talk(relay, message(1), b"MAIL FROM:<a@example.com>\r\n")
            assert not [
                each for each in relay.result().diagnosis if "sent again" in each.what
            ]  # nothing arrived since
            talk(relay, message(2))
            assert messages(relay) == (3, 2, 1, 0)
            cost = "It cost 1 message" in relay.result().diagnosis[0].what
            assert cost == bool(wanted)
            said = [each.what for each in relay.result().diagnosis if "sent again" in each.what]
            assert said == (
                []
                if wanted
                else [
                    "1 message that was refused at MAIL may have been sent again since; each counts as lost all the same."
                ]
            )


@pytest.mark.parametrize("stage", ["rcpt", "data", "body"])
def test_what_is_refused_later_is_known_and_not_lost_if_it_comes_again(stage):
    policy = {
        "use": "unlimited",
        "transactions_per_connection": {"count": 1, "reply": {"stage": stage}},
    }
    with open_relay(policy) as relay:
        talk(relay, message(1), message(2))
        assert messages(relay) == (2, 1, 1, 0)
        assert relay.result().incidents.log[0].message == "b2@example.com"
        talk(relay, message(2))
        assert messages(relay) == (2, 2, 0, 0)


def test_the_number_that_was_to_come_is_what_was_submitted():
    with open_relay(messages=5) as relay:
        talk(relay, message(1))
        assert messages(relay) == (5, 1, 4, 0)
        talk(relay, *(message(number) for number in range(2, 9)))
        relay.wait(PATIENCE)
        assert messages(relay) == (8, 8, 0, 0)


def test_idle_ends_it_and_gives_the_first_connection_longer():
    with open_relay(idle=0.5) as relay:
        with pytest.raises(TimeoutError):
            relay.wait(2.5)
        begun = time.monotonic()
        talk(relay, message(1))
        relay.wait(PATIENCE)
        assert time.monotonic() - begun >= 0.5


def test_idle_ends_it_where_nobody_ever_comes():
    begun = time.monotonic()
    with open_relay(idle=0.1, timeouts=sim.live.Timeouts(coming=1_500_000)) as relay:
        relay.wait(30)
        assert time.monotonic() - begun >= 1.5


def test_messages_are_kept_as_they_came_under_names_of_our_own(tmp_path):
    folder = tmp_path / "kept" / "here"
    body = b"Subject: ../../x\r\n\r\n..a dot\r\n" + b"8-bit \xff\x00\r\n" * 10_000
    evil = (
        b'MAIL FROM:<a@example.com>\r\nRCPT TO:<"../../../etc/x"@example.com>\r\nDATA\r\n%s.\r\n'
        % body
    )
    with open_relay(keep=folder) as relay:
        talk(relay, evil, message(2))
    assert sorted(path.name for path in folder.iterdir()) == ["00000001.eml", "00000002.eml"]
    assert (folder / "00000001.eml").read_bytes() == body.replace(b"\r\n..", b"\r\n.")
    with open_relay(keep=folder) as relay:
        talk(relay, message(3))
    assert (folder / "00000003.eml").read_bytes() == b"\r\nhi\r\n"


def test_a_folder_that_cannot_be_written_is_told_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ScenarioError, match="--keep"), open_relay(keep=tmp_path / "file"):
        pass
