"""A relay for the tests, with a login or a message in one call and its outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sim.measure import Recorder
from sim.relay import Relay, Session, load
from sim.smtp.commands import Body, Connected, Credentials, Data, Ehlo, Mail, Rcpt

S = 1_000_000
HOUR = 3_600 * S
DAY = 86_400 * S
IP = "failed_logins_per_ip"
PAIR = "failed_logins_per_username_ip"
LOGINS = "logins_per_username"


def right(username: str, password: str, at: int) -> bool:
    return password == "right"


class Bench:
    """A relay, its rows, and a login or a message in one call. The password ``right`` is right."""

    def __init__(self, use: str = "mailersend", **overlay: Any) -> None:
        self.rows = Recorder()
        policy = load(use, overlay, "test", Path())
        self.relay = Relay(policy, self.rows, right, tls="none")

    def connect(self, now: int, ip: str = "i") -> Session:
        session = self.relay.connect(ip, now)
        session.handle(Connected(), now)
        session.handle(Ehlo("x"), now)
        return session

    def login(self, now: int, password: str = "wrong", username: str = "u", ip: str = "i") -> str:
        """``235``, ``535``, or the limit that refused."""
        before = len(self.rows.incidents)
        reply = self.connect(now, ip).handle(Credentials(username, password), now)
        met = [row.limit for row in self.rows.incidents[before:]]
        if met:
            assert len(met) == 1
            assert reply is None or reply.code == 421
            assert self.rows.logins[-1].outcome == "refused"
            return met[0]
        assert reply is not None
        assert self.rows.logins[-1].outcome == {235: "accepted", 535: "failed"}[reply.code]
        return str(reply.code)

    def fail(self, times: int, now: int, **who: str) -> None:
        for _ in range(times):
            assert self.login(now, **who) == "535"

    def transaction(self, session: Session, now: int = 0) -> list[int | None]:
        """The codes of MAIL, RCPT, DATA and body, up to the first failure."""
        codes: list[int | None] = []
        for call in (
            lambda: session.handle(Mail("a@example.com"), now),
            lambda: session.handle(Rcpt("b@example.com"), now),
            lambda: session.handle(Data(), now),
            lambda: session.handle(Body(10), now),
        ):
            reply = call()
            codes.append(reply.code if reply else None)
            if reply is None or reply.code >= 400:
                break
        return codes

    def logged_in(self, now: int = 0) -> Session:
        session = self.connect(now)
        session.handle(Credentials("u", "right"), now)
        return session


ACCEPTED = [250, 250, 354, 250]
