"""Forced refusals: each kind, as many as requested, each an incident, and none uses up a limit."""

from __future__ import annotations

from typing import Any

import pytest

from sim.errors import ScenarioError
from sim.relay.forced import ForcedRefusals
from sim.relay.policy_file import changed
from sim.smtp.commands import Connected
from tests.relay.bench import ACCEPTED, IP, LOGINS, PAIR, Bench, right


class Forced(Bench):
    """A bench with forced refusals."""

    relay: ForcedRefusals

    def __init__(self, **overlay: Any) -> None:
        super().__init__(**overlay)
        self.relay = ForcedRefusals(self.relay.policy, self.rows, right, tls="none")


@pytest.mark.parametrize("limit", [LOGINS, IP, PAIR])
def test_the_next_logins_are_refused_and_use_up_nothing(limit: str):
    bench = Forced(logins_per_username=1)
    bench.relay.refuse_next(limit, 2)
    assert [bench.login(0, "right") for _ in range(3)] == [limit, limit, "235"]
    assert [row.outcome for row in bench.rows.logins] == ["refused", "refused", "accepted"]
    assert bench.rows.blocks == []
    assert bench.login(0, "right") == LOGINS


def test_the_next_login_is_answered_535_and_counts_as_a_wrong_password():
    bench = Forced(failed_logins_per_username_ip=1)
    bench.relay.refuse_next("password")
    assert [bench.login(0, "right"), bench.login(0, "wrong")] == ["535", PAIR]
    assert len(bench.rows.incidents) == 1


def test_the_next_connection_is_refused_at_its_greeting():
    bench = Forced()
    bench.relay.refuse_next("connections_per_ip")
    session = bench.relay.connect("i", 0)
    reply = session.handle(Connected(), 0)
    assert reply is not None
    assert (reply.code, session.closed) == (421, True)
    assert [(row.limit, row.at) for row in bench.rows.incidents] == [("connections_per_ip", 0)]
    assert [row.refused for row in bench.rows.opened_rows] == ["connections_per_ip"]
    assert bench.transaction(bench.logged_in()) == ACCEPTED


def test_the_first_message_of_the_next_connection_is_refused():
    bench = Forced()
    before = bench.logged_in()
    bench.relay.refuse_next("transactions_per_connection")
    assert bench.transaction(before) == ACCEPTED
    assert bench.transaction(bench.logged_in()) == [421]
    assert bench.transaction(bench.logged_in()) == ACCEPTED


def test_what_was_asked_can_be_taken_back_and_goes_with_its_limit():
    bench = Forced()
    bench.relay.refuse_next(LOGINS, 5)
    bench.relay.refuse_next(LOGINS, 0)
    assert bench.relay.forced == {}
    bench.relay.refuse_next(LOGINS)
    bench.relay.refuse_next("password", 3)
    bench.relay.change(changed(bench.relay.policy, {LOGINS: False}, "test"))
    assert bench.relay.forced == {"password": 3}
    bench.relay.forget()
    assert bench.login(0, "right") == "235"


@pytest.mark.parametrize(
    ("what", "times", "said"),
    [
        ("logins_per_usernam", 1, 'did you mean "logins_per_username"'),
        (
            "connections_per_ip",
            1,
            "cannot be refused; allowed: transactions_per_connection, logins_per_username",
        ),
        (3, 1, "3 cannot be refused"),
        (LOGINS, -1, "times: -1 is no number of times"),
        (LOGINS, True, "times: true is no number of times"),
        (LOGINS, 1.5, "times: 1.5 is no number of times"),
    ],
)
def test_a_mistake_is_told_in_words(what: Any, times: Any, said: str):
    with pytest.raises(ScenarioError) as caught:
        Forced(connections_per_ip=False).relay.refuse_next(what, times)
    assert said in str(caught.value)
