"""What others make of the same octets: smtplib speaks to the byte door, and aiosmtpd receives what
the byte door receives.
"""

from __future__ import annotations

import asyncio
import io
import smtplib
import warnings
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.relay.wire import Wire
from sim.smtp import replies
from sim.smtp.lines import Reader
from tests.relay.wire_talk import IP, Seen, relay, talk


class Link(io.RawIOBase):
    """Stands in for smtplib's connection: what it sends goes to the wire, what it reads comes from
    there.
    """

    def __init__(self, wire):
        self.wire = wire
        self.waiting = wire.greeting(0)

    def sendall(self, data):
        self.waiting += self.wire.receive(bytes(data), 1)

    def makefile(self, mode):
        return self

    def readline(self, size=-1):
        line, mark, self.waiting = self.waiting.partition(b"\n")
        return line + mark


class Smtplib(smtplib.SMTP):
    """smtplib over a :class:`Link`."""

    def __init__(self, wire):
        self.link = Link(wire)
        super().__init__("relay.invalid", 25, local_hostname="me.example")

    def _get_socket(self, host, port, timeout):
        return self.link


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def client(seen):
    return Smtplib(Wire(relay(seen).connect(IP, 0)))


def message(number):
    made = EmailMessage()
    made["From"] = "a@b.example"
    made["To"] = "c@d.example"
    made["X-Relaysim-Id"] = f"m{number}"
    made.set_content(".\n..\nHello\n.")
    return made


def test_smtplib_sends_five_and_sees_the_sixth_refused(client, seen):
    assert client.login("user1", "secret") == (235, replies.LOGGED_IN.text.encode())
    for number in range(5):
        assert client.send_message(message(number)) == {}
    with pytest.raises(smtplib.SMTPResponseException) as refused:
        client.send_message(message(5))
    assert refused.value.smtp_code == 421
    assert refused.value.smtp_error == b"Service not available, closing transmission channel."
    assert seen.acceptances == ["m0", "m1", "m2", "m3", "m4"]


def test_smtplib_understands_what_is_offered(client):
    client.ehlo()
    assert set(client.esmtp_features) == {
        "size",
        "8bitmime",
        "pipelining",
        "starttls",
        "enhancedstatuscodes",
        "auth",
    }
    assert client.esmtp_features["auth"].split() == ["PLAIN", "LOGIN"]


@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("mechanism", ["auth_plain", "auth_login"])
def test_smtplib_logs_in_by_every_mechanism(client, seen, mechanism, initial):
    client.ehlo()
    client.user = "user1"
    client.password = "secret"
    name = mechanism.removeprefix("auth_").upper()
    assert client.auth(name, getattr(client, mechanism), initial_response_ok=initial)[0] == 235
    assert seen.logins == [("user1", "accepted")]


def test_the_text_is_what_smtplib_sees(client):
    assert client.docmd("NOPE") == (500, replies.UNKNOWN.text.encode())
    many = replies.reply(550, "5.7.1", "One", "two")
    client.link.waiting = many.encode()
    assert client.getreply() == (550, many.text.encode())


class Keeping:
    """An aiosmtpd handler that keeps the contents it receives."""

    def __init__(self):
        self.contents = []

    async def handle_DATA(self, server, session, envelope):
        self.contents.append(envelope.content)
        return "250 OK"


async def _through_aiosmtpd(data):
    """What aiosmtpd writes on ``data`` behind its greeting, and the contents that it received."""
    loop = asyncio.get_running_loop()
    handler = Keeping()
    listening = await loop.create_server(
        lambda: SMTP(handler, loop=loop, data_size_limit=None), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    await reader.readline()
    writer.write(data + b"QUIT\r\n")
    written = await reader.read()
    writer.close()
    listening.close()
    return written, handler.contents


def through_aiosmtpd(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # aiosmtpd uses what newer Pythons deprecate
        return asyncio.run(_through_aiosmtpd(data))


OPEN = b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"


@given(
    st.lists(
        st.sampled_from([b"\r\n", b".", b"..", b"x", b"x\r\n", b"\r\n.x", b"\r\n..\r\n"]),
        max_size=12,
    ).map(b"".join)
)
@settings(max_examples=25)
def test_aiosmtpd_receives_the_same_content(content):
    content = content.replace(b"\r\n.\r\n", b"\r\n") + b"\r\n.\r\n"
    if content.startswith(b".\r\n"):
        content = b"." + content
    reader = Reader()
    reader.feed(OPEN + content)
    while reader.command() != b"DATA":
        pass
    reader.begin_body()
    body = reader.body()
    assert body is not None
    assert through_aiosmtpd(OPEN + content)[1] == [body.head]


# Three differences are left out: a path without brackets (taken there, 501 here), STARTTLS without
# TLS (454 there, 502 here), and a wrong argument at a wrong time (503 there, 501 here).
CONVERSATIONS = [
    b"NOOP\r\nRSET\r\nHELO me\r\nNOPE\r\nEHLO\r\nEHLO me\r\n",
    (
        b"EHLO me\r\nRCPT TO:<a@b>\r\nDATA\r\nMAIL FROM:<>\r\nMAIL FROM:<a@b>\r\nDATA\r\nRSET\r\n"
        b"RCPT TO:<a@b>\r\n"
    ),
    b"MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n",
    (
        b"EHLO me\r\nMAIL\r\nMAIL FROM:<a@b> NOPE=1\r\nMAIL FROM:<a@b> SIZE=x\r\n"
        b"MAIL FROM:<a@b> SIZE=3\r\n"
    ),
    OPEN + b"Hello\r\n.\r\n" + OPEN[9:] + b".\r\nVRFY a@b\r\n",
    b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT\r\nRCPT TO:<c@d> X=1\r\nRCPT TO: <c@d>\r\n",
    b"EHLO me\r\n" + b"NOOP " + b"x" * 600 + b"\r\nNOOP\r\nRSET x\r\nQUIT x\r\n",
]


def codes(written):
    """The code of each reply."""
    return [int(line[:3]) for line in written.split(b"\r\n") if line[3:4] == b" "]


@pytest.mark.parametrize("data", CONVERSATIONS)
def test_aiosmtpd_gives_the_same_codes(data):
    ours = talk(data, login_required=False, tls="none").codes
    theirs = codes(through_aiosmtpd(data)[0])[:-1]
    assert ours == theirs
