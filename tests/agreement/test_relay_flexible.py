"""A whole relay, sessions and all, says on every connect, login and MAIL what rate-limiter-flexible
says to the same list.

Fixed windows and blocks, as the package has them, in whole milliseconds and under 24 days. The
lists come from hypothesis; many of their times are aimed at the edge of a window or block, one
millisecond before or after it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sim.measure import Recorder
from sim.relay import KINDS, Relay, Session, load
from sim.smtp.commands import Connected, Credentials, Ehlo, Mail, Rset
from tests.agreement.oracle import FlexibleOracle, Terms

SETTINGS = settings(
    max_examples=110,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)  # lists this long take minutes to shrink

ENOUGH = 10_000
MS = 1_000
MINUTE = 60_000
HOUR = 3_600_000
DAY = 86_400_000
TRANSACTIONS, CONNECTIONS, LOGINS, FAILED_IP, FAILED_PAIR = KINDS
SPANS = st.one_of(st.integers(1, 30), st.sampled_from([125, 1_000, MINUTE, HOUR, 20 * DAY]))
SMALL = st.fixed_dictionaries(
    {},
    optional={
        TRANSACTIONS: st.builds(Terms, st.integers(1, 4), st.just(0), st.just(0)),
        CONNECTIONS: st.builds(Terms, st.integers(2, 9), SPANS, st.just(0)),
        LOGINS: st.builds(Terms, st.integers(3, 12), SPANS, st.just(0)),
        FAILED_IP: st.builds(Terms, st.integers(2, 9), SPANS, SPANS),
        FAILED_PAIR: st.builds(Terms, st.integers(1, 4), SPANS, SPANS),
    },
)
ARTICLE = {
    TRANSACTIONS: Terms(5, 0),
    CONNECTIONS: Terms(300, MINUTE),
    LOGINS: Terms(120, MINUTE),
    FAILED_IP: Terms(100, DAY, DAY),
    FAILED_PAIR: Terms(10, 20 * DAY, HOUR),
}
"""The article's limits; its 90 days are 20 here, since JavaScript's timers hold 24."""


class Driven:
    """Our relay under ``terms``, and what the oracle is to be asked about everything that it was
    asked. Times in milliseconds.
    """

    def __init__(self, terms: dict[str, Terms]) -> None:
        overlay: dict[str, Any] = {name: table(one) for name, one in terms.items()}
        self.terms = terms
        self.rows = Recorder()
        self.right = False
        self.relay = Relay(
            load("unlimited", overlay, "test", Path()), self.rows, lambda *_: self.right, tls="none"
        )
        self.steps: list[tuple[Any, ...]] = []
        self.verdicts: list[Any] = []
        self.open: list[Session] = []
        self.edges: list[int] = [0]

    def after(self, gap: int | str, now: int) -> int:
        """``gap`` later, or about the next edge of any window or block."""
        if isinstance(gap, int):
            return now + gap
        nearest = min((edge for edge in self.edges if edge > now), default=now)
        return max(now, nearest + int(gap.removeprefix("edge") or 0))

    def do(self, verb: str, which: int, username: str, ip: str, right: bool, now: int) -> None:
        fitting = [
            session for session in self.open if (session.username is not None) == (verb == "mail")
        ]
        if verb == "connect" or not fitting:
            self.connect(ip, now)
        elif verb == "mail":
            self.mail(fitting[which % len(fitting)], now)
        else:
            self.login(fitting[which % len(fitting)], username, right, now)
        self.open = [session for session in self.open if not session.closed]

    def connect(self, ip: str, now: int) -> None:
        session = self.relay.connect(ip, now * MS)
        greeting = session.handle(Connected(), now * MS)
        assert greeting is not None
        if greeting.code == 220:
            session.handle(Ehlo("x"), now * MS)
            self.open.append(session)
        self.told(now, [greeting.code == 220, None], "consume", CONNECTIONS, ip)

    def login(self, session: Session, username: str, right: bool, now: int) -> None:
        self.right, blocks, incidents = right, len(self.rows.blocks), len(self.rows.incidents)
        reply = session.handle(Credentials(username, "x"), now * MS)
        assert reply is not None
        outcome = {235: "accepted", 535: "failed"}.get(reply.code) or self.rows.incidents[
            incidents
        ].limit
        if outcome == "failed":
            session.username = None  # it may try again
        begun = [(row.limit, row.until // MS) for row in self.rows.blocks[blocks:]]
        self.edges += [until for _, until in begun]
        self.told(
            now, [outcome, [list(block) for block in begun]], "login", username, session.ip, right
        )

    def mail(self, session: Session, now: int) -> None:
        reply = session.handle(Mail("a@example.com"), now * MS)
        assert reply is not None
        session.handle(Rset(), now * MS)
        self.told(now, [reply.code == 250, None], "consume", TRANSACTIONS, str(session.number))

    def told(self, now: int, verdict: Any, kind: str, *about: Any) -> None:
        if kind == "login" or about[0] in self.terms:
            self.steps.append((now, kind, *about))
            self.verdicts.append(verdict)
        else:
            assert verdict == [True, None]  # no limit, no refusal
        self.edges += [now + terms.duration for terms in self.terms.values() if terms.duration]


def table(terms: Terms) -> dict[str, Any]:
    fields = {"count": terms.points, "per": terms.duration / 1_000, "block": terms.block / 1_000}
    return {key: value for key, value in fields.items() if value}


GAPS = st.one_of(st.just(0), st.integers(0, 3), st.sampled_from(["edge-1", "edge", "edge+1"]))
MOVES = st.lists(
    st.tuples(
        GAPS,
        st.sampled_from(["connect", "login", "login", "login", "mail", "mail"]),
        st.integers(0, 20),
        st.sampled_from(["user1", "user2"]),
        st.sampled_from(["i", "i", "i", "j"]),
        st.integers(0, 9),
    ),
    min_size=150,
    max_size=180,
)


@pytest.mark.parametrize(
    ("limits", "reached"),
    [
        pytest.param(SMALL, set(KINDS), id="small"),
        pytest.param(st.just(ARTICLE), {TRANSACTIONS, FAILED_PAIR}, id="the-article"),
    ],
)
def test_every_verdict_of_a_relay(flexible: FlexibleOracle, limits, reached):
    compared = 0
    met = Counter[str]()

    @SETTINGS
    @given(terms=limits, moves=MOVES)
    def agree(terms, moves):
        nonlocal compared
        ours = Driven(terms)
        now = 0
        for gap, verb, which, username, ip, dice in moves:
            now = ours.after(gap, now)
            ours.do(verb, which, username, ip, dice < 3, now)
        assert flexible.ask(terms, ours.steps) == ours.verdicts
        met.update(row.limit for row in ours.rows.incidents)
        met.update(row.outcome for row in ours.rows.logins)
        compared += len(ours.steps)

    agree()
    assert compared >= ENOUGH
    assert set(met) >= {"accepted", "failed"} | reached  # the lists reach what they are there for


def test_a_day_of_a_busy_sender_with_a_stale_password(flexible: FlexibleOracle):
    """One login a second for 40 hours by the article's numbers, with the right password from the
    30th hour on.
    """
    ours = Driven(ARTICLE)
    for second in range(0, 40 * 3_600, 7):
        now = second * 1_000
        ours.connect("198.18.0.1", now)
        ours.login(ours.open[-1], f"user{second % 3}", second > 30 * 3_600, now)
        ours.open.clear()
    assert flexible.ask(ARTICLE, ours.steps) == ours.verdicts
    assert len(ours.steps) > ENOUGH
    assert {row.limit for row in ours.rows.blocks} == {FAILED_IP, FAILED_PAIR}
    assert {row.outcome for row in ours.rows.logins} == {"accepted", "failed", "refused"}


def test_a_burst_of_connections_logins_and_messages_by_the_numbers_of_the_article(
    flexible: FlexibleOracle,
):
    """Three usernames share an address: 300 connections and 120 logins each in a minute, six MAILs
    on every connection.
    """
    ours = Driven(ARTICLE)
    for number in range(2_000):
        now = number * 91
        opened = len(ours.open)
        ours.connect("198.18.0.1", now)
        if len(ours.open) > opened:
            ours.login(ours.open[-1], f"user{min(number % 7, 1)}", True, now)
            if not ours.open[-1].closed:
                for _ in range(6):
                    ours.mail(ours.open[-1], now)
        ours.open.clear()
    assert flexible.ask(ARTICLE, ours.steps) == ours.verdicts
    assert {row.limit for row in ours.rows.incidents} == {TRANSACTIONS, CONNECTIONS, LOGINS}
