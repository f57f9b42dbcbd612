"""The fixed window, the block and the login limits say on every request what rate-limiter-flexible
says.

Times are whole milliseconds, as that package has them. Lists of requests come from hypothesis; many
are aimed at the edge of a window or block, one millisecond before or after it. Each test states how
many verdicts it has compared.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.limits import Limit, make_limiter
from tests.agreement.oracle import LONGEST, FlexibleOracle, Step, Terms

SETTINGS = settings(max_examples=110, deadline=None, suppress_health_check=list(HealthCheck))
ENOUGH = 10_000
MS = 1_000
MINUTE = 60_000
HOUR = 3_600_000
DAY = 86_400_000
SPANS = st.one_of(st.integers(1, 30), st.sampled_from([125, 1_000, MINUTE, HOUR, DAY, 20 * DAY]))
"""Durations in milliseconds that survive being turned to seconds and back."""

GAPS = st.one_of(st.just(0), st.integers(0, 3), st.sampled_from(["edge-1", "edge", "edge+1"]))
"""How the next request follows: after so many milliseconds, or at the time at which its key would
be let in again.
"""


def limit(name: str, terms: Terms) -> Limit:
    limiter = make_limiter("fixed", terms.points, terms.duration * MS)
    return Limit(name, limiter, terms.block * MS if terms.block else None)


def after(gap: int | str, now: int, edge: int) -> int:
    """The next time, in milliseconds. ``edge`` is in microseconds."""
    if isinstance(gap, int):
        return now + gap
    return max(now, edge // MS + int(gap.removeprefix("edge") or 0))


def edge(of: Limit, key: object, now: int) -> int:
    """When a request of ``key`` passes next, in microseconds."""
    return of.blocked(key, now * MS) or of.limiter.next_pass(key, now * MS)


def in_ms(until: int | None) -> int | None:
    return until if until is None else until // MS


def test_the_fixed_window_and_its_block(flexible: FlexibleOracle):
    compared = 0

    @SETTINGS
    @given(
        terms=st.builds(Terms, st.integers(1, 6), SPANS, st.one_of(st.just(0), SPANS)),
        moves=st.lists(
            st.tuples(GAPS, st.sampled_from("aaab"), st.integers(0, 30)), min_size=120, max_size=160
        ),
    )
    def agree(terms, moves):
        nonlocal compared
        ours = limit("x", terms)
        now = 0
        steps: list[Step] = []
        verdicts: list[list[object] | None] = []
        for gap, key, dice in moves:
            now = after(gap, now, edge(ours, key, now))
            if (
                dice == 0 and ours.blocked(key, now * MS) is None
            ):  # of a blocked key the package would lift the block
                ours.reset(key)
                steps.append((now, "reset", "x", key))
                verdicts.append(None)
            verdict = ours.request(key, now * MS)
            steps.append((now, "consume", "x", key))
            verdicts.append([verdict.passed, in_ms(verdict.block_until)])
        assert flexible.ask({"x": terms}, steps) == verdicts
        compared += len(moves)

    agree()
    assert compared >= ENOUGH


NAMES = ("logins_per_username", "failed_logins_per_ip", "failed_logins_per_username_ip")


Outcome = list[Any]
"""Of a login, as JSON has it: ``[outcome, [[limit, end of the block begun], ...]]``."""


class Logins:
    """The relay's order at AUTH, over the limits that there are."""

    def __init__(self, terms: dict[str, Terms]) -> None:
        made = {name: limit(name, terms[name]) for name in terms}
        self.username, self.ip, self.pair = (made.get(name) for name in NAMES)

    def attempt(self, username: str, ip: str, right: bool, now: int) -> Outcome:
        if self.username and not self.username.request(username, now):
            return [NAMES[0], []]
        for of, key in ((self.ip, ip), (self.pair, (username, ip))):
            if of and of.blocked(key, now) is not None:
                return [of.name, []]
        if not right:
            return self.wrong(username, ip, now)
        if self.pair:
            self.pair.reset((username, ip))
        return ["accepted", []]

    def wrong(self, username: str, ip: str, now: int) -> Outcome:
        outcome = "failed"
        blocks = []
        for of, key in ((self.pair, (username, ip)), (self.ip, ip)):
            if of is None:
                continue
            verdict = of.request(key, now)
            outcome = outcome if verdict else of.name
            if verdict.block_until is not None:
                blocks.append([of.name, verdict.block_until // MS])
        return [outcome, blocks]

    def edge(self, username: str, ip: str, now: int) -> int:
        """When the first of the limits that shut this login out, or would next, changes its mind;
        microseconds.
        """
        keys = ((self.username, username), (self.ip, ip), (self.pair, (username, ip)))
        edges = [edge(of, key, now) for of, key in keys if of]
        return min((t for t in edges if t > now * MS), default=now * MS)


SMALL = st.fixed_dictionaries(
    {},
    optional={
        NAMES[0]: st.builds(Terms, st.integers(3, 12), SPANS, st.just(0)),
        NAMES[1]: st.builds(Terms, st.integers(2, 9), SPANS, SPANS),
        NAMES[2]: st.builds(Terms, st.integers(1, 4), SPANS, SPANS),
    },
)
ARTICLE = {NAMES[1]: Terms(100, DAY, DAY), NAMES[2]: Terms(10, 20 * DAY, HOUR)}
"""The worked example's limits; its 90 days are 20 here, since JavaScript's timers hold 24."""


@pytest.mark.parametrize(
    ("limits", "reached"),
    [
        pytest.param(SMALL, set(NAMES), id="small"),
        pytest.param(st.just(ARTICLE), {NAMES[2]}, id="the-worked-example"),
    ],
)
def test_the_login_flow_of_the_worked_example(flexible: FlexibleOracle, limits, reached):
    compared = 0
    met: set[str] = set()

    @SETTINGS
    @given(
        terms=limits,
        moves=st.lists(
            st.tuples(
                GAPS,
                st.sampled_from(["user1", "user2"]),
                st.sampled_from(["i", "i", "i", "j"]),
                st.integers(0, 15),
            ),
            min_size=150,
            max_size=180,
        ),
    )
    def agree(terms, moves):
        nonlocal compared
        ours = Logins(terms)
        steps = []
        outcomes = []
        now = 0
        for gap, username, ip, dice in moves:
            now = after(gap, now, ours.edge(username, ip, now))
            steps.append((now, "login", username, ip, dice == 0))
            outcomes.append(ours.attempt(username, ip, dice == 0, now * MS))
        assert flexible.ask(terms, steps) == outcomes
        met.update(outcome for outcome, _ in outcomes)
        compared += len(moves)

    agree()
    assert compared >= ENOUGH
    assert (
        met >= {"accepted", "failed"} | reached
    )  # the generated lists reach what they are there for


def test_a_day_of_wrong_passwords_by_the_numbers_of_the_article(flexible: FlexibleOracle):
    """Ten failures, one over and one in the block, from ever new usernames: the IP's 101st blocks
    it for 24 h, to the ms.
    """
    ours = Logins(ARTICLE)
    steps = []
    now = 0
    for username in range(30):
        for _ in range(12):
            steps.append((now, "login", f"user{username}", "198.18.0.1", False))
            now += 7_001
    shut = (
        (100 + 9) * 7_001
    )  # by then nine usernames had a twelfth attempt each, which their block kept from counting
    steps += [(shut + DAY + d, "login", "new", "198.18.0.1", True) for d in (-1, 0)]
    outcomes = [ours.attempt(username, ip, right, t * MS) for t, _, username, ip, right in steps]
    assert flexible.ask(ARTICLE, steps) == outcomes
    assert [outcomes[i][0] for i in (9, 10, 11)] == ["failed", NAMES[2], NAMES[2]]
    assert [block for _, blocks in outcomes for block in blocks if block[0] == NAMES[1]][:1] == [
        [NAMES[1], shut + DAY]
    ]
    assert [outcome for outcome, _ in outcomes[-2:]] == [NAMES[1], "accepted"]


def test_a_limit_without_end_counts_for_ever(flexible: FlexibleOracle):
    limits = {"transactions_per_connection": Terms(5, 0)}
    steps = [(i * 20 * DAY, "consume", "transactions_per_connection", "1") for i in range(7)]
    assert flexible.ask(limits, steps) == [[True, None]] * 5 + [[False, None]] * 2


def test_the_oracle_tells_when_a_key_is_let_in_again_and_starts_each_question_afresh(
    flexible: FlexibleOracle,
):
    steps = [
        (1, "consume", "x", "a"),
        (2, "consume", "x", "a"),
        (3, "blocked", "x", "a"),
        (60, "blocked", "x", "a"),
    ]
    for _ in range(2):
        assert flexible.ask({"x": Terms(1, 10, 50)}, steps) == [[True, None], [False, 52], 52, None]


@pytest.mark.parametrize(
    ("terms", "times", "words"),
    [
        (Terms(1, LONGEST + 1), [0], "over 24 days"),
        (Terms(1, 1_009, 4_035), [0], "seconds and back"),
        (Terms(0, 10), [0], "points from 1"),
        (Terms(1, 10), [5, 4], "never go backwards"),
        (Terms(1, 10), [0.5], "whole milliseconds"),
    ],
)
def test_the_oracle_refuses_what_it_cannot_answer_exactly(
    flexible: FlexibleOracle, terms, times, words
):
    with pytest.raises(ValueError, match=words):
        flexible.ask({"x": terms}, [(t, "consume", "x", "a") for t in times])


def test_a_mistake_in_a_question_is_told_and_does_not_end_the_process(flexible: FlexibleOracle):
    with pytest.raises(RuntimeError, match="not a function"):
        flexible.ask({}, [(0, "no such step")])
    assert flexible.ask({}, []) == []
