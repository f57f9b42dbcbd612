"""TLS and passwords of a real connection, with aiosmtpd as the relay: only a trusted relay gets a
password, and only over TLS.

The certificate was made for these tests and is valid for 127.0.0.1 only.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from sim.production import Account, send
from sim.strategies.api import Sender
from tests.production.receiver import ACCOUNT, PATIENCE, receiver, workload

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning:aiosmtpd", "ignore::DeprecationWarning:aiosmtpd"
)

CERTIFICATE = Path(__file__).parent / "loopback_certificate.pem"


def one_connection(sender: Sender) -> None:
    """All over one connection, until something is refused."""
    with sender.connect() as connection:
        while batch := sender.take():
            connection.send(batch[0])


class Box:
    """What aiosmtpd took, and the usernames that logged in."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.logins: list[tuple[bytes, bytes, bool]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Takes it."""
        self.bodies.append(envelope.content)
        return "250 taken"

    def log_in(
        self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any
    ) -> AuthResult:
        """Any password but "wrong" is right."""
        self.logins.append((given.login, given.password, session.ssl is not None))
        return AuthResult(success=given.password != b"wrong", handled=False)


class Receiver(Controller):
    """An aiosmtpd on a free port."""

    def factory(self) -> SMTP:
        """One connection. With TLS from the first octet it does not know of the TLS around it."""
        return SMTP(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self) -> None:
        listening: Any = self.server  # asyncio names no sockets in the type
        self.port = listening.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def aiosmtpd(tls: str, **account: Any) -> Iterator[tuple[Box, Account]]:
    """An aiosmtpd that asks for a login, and how to reach it; the account trusts its certificate
    by default.
    """
    box = Box()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    more: dict[str, Any] = {
        "authenticator": box.log_in,
        "auth_required": True,
        "auth_require_tls": tls == "starttls",
    }
    more |= {"tls_context": context, "require_starttls": True} if tls == "starttls" else {}
    controller = Receiver(
        box,
        "127.0.0.1",
        0,
        ssl_context=context if tls == "implicit" else None,
        ready_timeout=PATIENCE,
        **more,
    )
    controller.start()
    try:
        trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
        yield (
            box,
            Account(
                relay="127.0.0.1",
                port=controller.port,
                **{**ACCOUNT, "tls": tls, "context": trusting, **account},
            ),
        )
    finally:
        controller.stop()


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
def test_aiosmtpd_takes_the_messages_over_each_kind_of_tls(tls: str) -> None:
    with aiosmtpd(tls) as (box, account):
        outcome = send(
            one_connection, [("x@example.com", b"Subject: x\r\n\r\n.\r\n..\r\n")] * 3, account
        )
    assert (outcome.accepted, outcome.error, outcome.disconnections) == (["1", "2", "3"], None, [])
    assert box.logins == [(b"user1", b"secret", tls == "starttls")]
    assert box.bodies == [
        b"X-Relaysim-Id: %d\r\nSubject: x\r\n\r\n.\r\n..\r\n" % number for number in (1, 2, 3)
    ]


def test_aiosmtpd_hears_a_wrong_password_once():
    with aiosmtpd("starttls", usernames=[("user1", "wrong")]) as (box, account):
        outcome = send(one_connection, workload(1), account)
    assert ([row[1] for row in outcome.refusals], len(box.logins), outcome.lost) == (
        [535],
        1,
        ["1"],
    )


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tls: str) -> None:
    with aiosmtpd(tls, context=None) as (box, account):
        outcome = send("paced", workload(1), account)  # which would try again for ever
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.disconnections[0][1]
    assert (box.logins, outcome.ended, outcome.waiting) == ([], "aborted", ["1"])
    assert "trying again is of no use: check relay, port, tls and context" in str(outcome.error)


@pytest.mark.parametrize("answer", [None, "250-receiver\r\n250-STARTTLS\r\n250 AUTH PLAIN"])
def test_without_tls_no_password_goes_out_unless_it_is_asked_for(answer: str | None) -> None:
    says = {("EHLO", 1): answer, ("STARTTLS", 1): "454 not now"} if answer else {}
    with receiver(says, tls="starttls") as (server, account):
        outcome = send(one_connection, workload(1), account)
    assert ([one.id for one in outcome.unsent], "AUTH" in server.verbs[0]) == (["1"], False)
    assert [row[1] for row in outcome.refusals] == ([454] if answer else [])
    assert outcome.ended == ("settled" if answer else "aborted")


@pytest.mark.parametrize(
    ("tls", "says"), [("none", {("EHLO", 1): "250 receiver"}), ("implicit", {})]
)
def test_a_relay_without_a_login_or_without_tls_ends_a_run_that_would_try_for_ever(
    tls: str, says: dict[tuple[str, int], str]
) -> None:
    with receiver(says, tls=tls) as (_, account):
        outcome = send("retry", workload(1), account)
    assert (outcome.ended, outcome.waiting, len(outcome.disconnections)) == ("aborted", ["1"], 1)
    assert str(outcome.error).startswith("no connection came about: ")


def test_what_worked_once_is_tried_again():
    says = {("EHLO", 2): "250 receiver without a login today"}
    with receiver(says) as (_, account):
        outcome = send("batches", workload(15), account, options={"pause": 0})
    assert (
        outcome.ended,
        len(outcome.accepted),
        len(outcome.lost),
        len(outcome.disconnections),
    ) == ("settled", 10, 5, 1)
