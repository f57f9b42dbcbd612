"""A relay whose policy changes while it runs: which limits keep their counts and which start from
zero, and that a changed policy equals one that was read.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import ScenarioError
from sim.limits import WINDOWS
from sim.relay.policy_file import changed
from sim.smtp.commands import Credentials
from tests.relay.bench import ACCEPTED, HOUR, IP, LOGINS, PAIR, Bench


def change(bench: Bench, **overlay: Any) -> None:
    bench.relay.change(changed(bench.relay.policy, overlay, "test"))


def test_a_limit_that_is_changed_starts_afresh_and_the_others_keep_their_counts():
    bench = Bench(logins_per_username={"count": 3})
    bench.fail(3, 0)
    assert bench.login(0) == LOGINS
    change(bench, logins_per_username=2, failed_logins_per_ip={"count": 100})
    bench.fail(2, 1)
    assert bench.login(1) == LOGINS
    change(bench, logins_per_username=False, failed_logins_per_ip={"count": 9})
    bench.fail(5, 2)  # ten in a row with those before
    assert bench.login(2) == PAIR


def test_a_reply_may_change_and_the_count_stays():
    bench = Bench(logins_per_username={"count": 1})
    bench.fail(1, 0)
    change(bench, logins_per_username={"reply": {"code": 451, "then": "stay"}})
    session = bench.connect(0)
    reply = session.handle(Credentials("u", "right"), 0)
    assert reply is not None
    assert (reply.code, session.closed) == (451, False)


def test_the_window_of_all_limits_may_change():
    bench = Bench(logins_per_username={"count": 1})
    bench.fail(1, 0)
    change(bench, window="sliding")
    bench.fail(1, 0)
    assert bench.login(0) == LOGINS


def test_a_change_of_numbers_lifts_the_blocks_of_that_limit_and_forgetting_lifts_all():
    bench = Bench(failed_logins_per_username_ip=1, failed_logins_per_ip=2)
    bench.fail(1, 0)
    assert [bench.login(0), bench.login(1, "right")] == [PAIR, PAIR]
    assert bench.login(1, username="other") == IP
    change(bench, failed_logins_per_ip=3)
    assert bench.login(2, "right") == PAIR
    bench.relay.forget()
    assert bench.login(2, "right") == "235"
    assert bench.rows.blocks[0].until == HOUR


def test_open_connections_keep_their_transactions_and_later_ones_have_the_new():
    bench = Bench(transactions_per_connection=2)
    session = bench.logged_in()
    change(bench, transactions_per_connection=1)
    assert [bench.transaction(session) for _ in range(3)] == [ACCEPTED, ACCEPTED, [421]]
    session = bench.logged_in()
    assert [bench.transaction(session) for _ in range(2)] == [ACCEPTED, [421]]


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        (
            {"logins_per_usrname": 3},
            'policy.logins_per_usrname: unknown key; did you mean "logins_per_username"',
        ),
        ({"logins_per_username": {"count": 0}}, "0 is too small; at least 1"),
        ({"logins_per_username": {"per": "1 hr"}}, 'write "1h"'),
        ({"name": "x"}, "is not a key"),
        ({"connections_per_ip": True}, "true is not allowed"),
    ],
)
def test_a_mistake_is_told_as_in_a_file(overlay: dict[str, Any], said: str):
    with pytest.raises(ScenarioError) as caught:
        change(Bench(), **overlay)
    assert said in str(caught.value)


@given(
    st.integers(1, 400 * 86_400_000_000),
    st.integers(1, 400 * 86_400_000_000),
    st.sampled_from(WINDOWS),
)
def test_a_policy_with_nothing_laid_over_it_is_the_same(per: int, block: int, window: str):
    policy = Bench().relay.policy
    spec = policy.failed_logins_per_ip
    assert spec is not None
    policy = policy.model_copy(
        update={
            "failed_logins_per_ip": spec.model_copy(
                update={"per": per, "block": block, "window": window}
            )
        }
    )
    assert changed(policy, {}, "test") == policy
