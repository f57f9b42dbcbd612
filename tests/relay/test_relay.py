"""The limits at work: the order of the checks at AUTH, counts and blocks to the microsecond, and
each assumption turned round.
"""

from __future__ import annotations

from typing import Any

import pytest

from sim.relay.relay import ORDER_AT_AUTH
from sim.smtp.commands import Connected, Credentials, Ehlo, Mail, Rset
from tests.relay.bench import ACCEPTED, DAY, HOUR, IP, LOGINS, PAIR, Bench, S


def test_the_right_password_after_ten_failures_gets_in():
    bench = Bench()
    bench.fail(10, 0)
    assert bench.login(0, "right") == "235"


def test_the_eleventh_failure_is_answered_421_and_blocks_for_an_hour_to_the_microsecond():
    bench = Bench()
    bench.fail(10, 0)
    assert bench.login(5) == PAIR
    assert [bench.login(at, "right") for at in (6, 5 + HOUR - 1)] == [PAIR, PAIR]
    assert (
        bench.login(5 + HOUR - 1, "right", ip="other") == "235"
    )  # the block is of username and IP
    assert bench.login(5 + HOUR - 1, "right", username="other") == "235"
    assert bench.login(5 + HOUR, "right") == "235"
    assert [
        (row.limit, row.ip, row.username, row.from_, row.until) for row in bench.rows.blocks
    ] == [(PAIR, "i", "u", 5, 5 + HOUR)]


def test_what_happens_in_a_block_neither_prolongs_it_nor_counts():
    bench = Bench()
    bench.fail(10, 0)
    for at in (1, HOUR // 2, HOUR):
        assert bench.login(at) == PAIR
    bench.fail(10, 1 + HOUR)  # afresh: ten failures again
    assert bench.login(1 + HOUR) == PAIR
    assert len(bench.rows.blocks) == 2


def test_the_ips_hundred_and_first_failure_of_a_day_blocks_it_for_a_day():
    bench = Bench(failed_logins_per_username_ip=False, logins_per_username=False)
    bench.fail(100, 7)
    assert (
        bench.login(DAY + 6, "right", username="other") == "235"
    )  # the window of [7, 7 + 24 h) is full, and no block yet
    assert bench.login(DAY + 6, username="other") == IP
    assert [
        bench.login(at, "right", username="third") for at in (DAY + 7, 2 * DAY + 5, 2 * DAY + 6)
    ] == [IP, IP, "235"]
    assert [(row.ip, row.username, row.from_, row.until) for row in bench.rows.blocks] == [
        ("i", None, DAY + 6, 2 * DAY + 6)
    ]


def test_the_window_of_the_ip_is_half_open():
    bench = Bench(failed_logins_per_username_ip=False, logins_per_username=False)
    bench.fail(100, 7)
    bench.fail(100, DAY + 7)


def test_a_success_empties_the_consecutive_count_and_never_the_ips():
    bench = Bench(failed_logins_per_ip={"count": 25}, logins_per_username=False)
    for _ in range(2):
        bench.fail(10, 0)
        assert bench.login(0, "right") == "235"
    bench.fail(5, 0)
    assert bench.login(0) == IP


def test_when_both_failure_limits_go_over_at_once_the_ips_answers_and_both_block():
    bench = Bench(failed_logins_per_ip={"count": 10})
    bench.fail(10, 0)
    assert bench.login(0) == IP
    assert {row.limit for row in bench.rows.blocks} == {IP, PAIR}
    assert bench.login(DAY, "right") == "235"


def test_a_login_counts_for_the_username_whatever_follows():
    """119 wrong, refused and right ones, then one that passes, then the limit: and it answers
    before the blocks do.
    """
    bench = Bench()
    bench.fail(10, 0)
    assert {bench.login(0) for _ in range(109)} == {PAIR}
    assert bench.login(0, "right") == PAIR
    assert bench.login(0, "right") == LOGINS
    assert bench.login(60 * S - 1) == LOGINS
    assert bench.login(60 * S) == PAIR


def test_the_120th_login_of_a_username_inside_60_s_passes_and_the_121st_does_not():
    bench = Bench()
    outcomes = [bench.login(at, "right", ip=f"i{at}") for at in range(121)]
    assert outcomes == ["235"] * 120 + [LOGINS]
    assert bench.login(0, "right", username="other") == "235"


def test_a_block_of_the_ip_answers_before_that_of_username_and_ip():
    bench = Bench(failed_logins_per_ip={"count": 15})
    bench.fail(10, 0)
    assert bench.login(0) == PAIR
    bench.fail(4, 0, username="other")
    assert bench.login(0, username="other") == IP
    assert bench.login(1, "right") == IP


def test_the_301st_connection_of_an_ip_in_a_minute_is_answered_421_in_place_of_the_greeting():
    bench = Bench()
    sessions = [bench.relay.connect("i", 0) for _ in range(301)]
    replies = [session.handle(Connected(), 0) for session in sessions]
    assert [reply.code for reply in replies if reply] == [220] * 300 + [421]
    assert (sessions[-1].closed, sessions[0].closed) == (True, False)
    assert bench.rows.opened_rows[-1].refused == "connections_per_ip"
    assert [row.limit for row in bench.rows.incidents] == ["connections_per_ip"]
    assert bench.relay.connect("other", 0).handle(Connected(), 0) == replies[0]
    assert [
        bench.relay.connect("i", at).handle(Connected(), at) == replies[0]
        for at in (60 * S - 1, 60 * S)
    ] == [False, True]


def test_the_sixth_transaction_is_answered_421_at_mail():
    bench = Bench()
    session = bench.logged_in()
    assert [bench.transaction(session) for _ in range(6)] == [ACCEPTED] * 5 + [[421]]
    assert session.closed
    assert bench.transaction(session)[0] == 421  # closed: no further incident
    assert [row.limit for row in bench.rows.incidents] == ["transactions_per_connection"]


def test_mail_then_rset_is_a_transaction_and_a_mail_out_of_order_is_none():
    bench = Bench()
    session = bench.connect(0)
    assert [bench.transaction(session) for _ in range(9)] == [[530]] * 9
    session.handle(Credentials("u", "right"), 0)
    for _ in range(5):
        assert session.handle(Mail("a@example.com"), 0) is not None
        nested = session.handle(Mail("a@example.com"), 0)
        assert nested is not None
        assert nested.code == 503
        session.handle(Rset(), 0)
    assert bench.transaction(session) == [421]


# Each assumption of the policy file turned round.


def test_transactions_counted_at_acceptance():
    bench = Bench(transactions_per_connection={"counted_at": "acceptance"})
    session = bench.logged_in()
    for _ in range(9):
        session.handle(Mail("a@example.com"), 0)
        session.handle(Rset(), 0)
    assert [bench.transaction(session) for _ in range(6)] == [ACCEPTED] * 5 + [[421]]


@pytest.mark.parametrize(
    ("stage", "codes"),
    [
        ("mail", [421]),
        ("rcpt", [250, 421]),
        ("data", [250, 250, 421]),
        ("body", [250, 250, 354, 421]),
    ],
)
def test_the_stage_at_which_the_sixth_transaction_is_answered(stage, codes):
    bench = Bench(transactions_per_connection={"reply": {"stage": stage}})
    session = bench.logged_in()
    assert [bench.transaction(session) for _ in range(6)] == [ACCEPTED] * 5 + [codes]
    assert len(bench.rows.accepted_at) == 5
    assert session.closed


def test_a_refusal_that_drops_the_connection_says_nothing():
    bench = Bench(transactions_per_connection={"count": 1, "reply": {"then": "drop"}})
    session = bench.logged_in()
    assert [bench.transaction(session) for _ in range(2)] == [ACCEPTED, [None]]
    assert session.closed
    assert [(row.code, row.text) for row in bench.rows.incidents] == [(None, "")]


def test_a_refusal_that_stays_leaves_the_connection_open_and_refuses_again():
    bench = Bench(transactions_per_connection={"count": 1, "reply": {"then": "stay", "code": 452}})
    session = bench.logged_in()
    assert [bench.transaction(session) for _ in range(3)] == [ACCEPTED, [452], [452]]
    assert not session.closed
    assert len(bench.rows.incidents) == 2


@pytest.mark.parametrize("limit", [IP, PAIR])
def test_a_block_that_begins_when_the_count_is_reached(limit):
    overlay: dict[str, Any] = {IP: False, PAIR: False} | {
        limit: {"count": 10, "block_at": "reached"}
    }
    bench = Bench("mailersend", **overlay)
    bench.fail(9, 0)
    assert bench.login(0) == limit


def test_failures_kept_from_the_first_or_the_last():
    for kept_from, outcome in (("first", "535"), ("last", PAIR)):
        bench = Bench(
            "unlimited", **{PAIR: {"count": 2, "per": 10, "block": 5, "kept_from": kept_from}}
        )
        bench.fail(1, 0)
        bench.fail(1, 9 * S)
        assert bench.login(18 * S) == outcome


def test_logins_consecutive_without_a_success():
    bench = Bench(
        logins_per_username={"count": 3, "consecutive": "without-success"},
        failed_logins_per_username_ip=False,
    )
    assert [bench.login(0, "right") for _ in range(9)] == ["235"] * 9
    bench.fail(2, 0)
    assert bench.login(0, "right") == "235"
    bench.fail(3, 0)
    assert bench.login(0, "right") == LOGINS


def test_wrong_passwords_that_are_no_login_requests():
    bench = Bench(
        logins_per_username={"count": 3, "counts_failed": False},
        failed_logins_per_username_ip=False,
    )
    bench.fail(20, 0)
    assert [bench.login(0, "right") for _ in range(4)] == ["235"] * 3 + [LOGINS]
    assert bench.login(0) == LOGINS  # over the limit, nobody looks at the password any more


def test_a_blocked_ip_that_is_not_even_greeted():
    bench = Bench(failed_logins_per_ip={"count": 1, "reply": {"stage": "greeting"}})
    bench.fail(1, 0)
    assert bench.login(0) == IP
    session = bench.relay.connect("i", 1)
    reply = session.handle(Connected(), 1)
    assert reply is not None
    assert (reply.code, session.closed) == (421, True)
    assert bench.rows.opened_rows[-1].refused == IP
    assert bench.login(DAY, "right") == "235"


def test_connections_refused_at_ehlo():
    bench = Bench(connections_per_ip={"count": 1, "reply": {"stage": "ehlo"}})
    bench.connect(0)
    session = bench.relay.connect("i", 0)
    greeting = session.handle(Connected(), 0)
    hello = session.handle(Ehlo("x"), 0)
    assert greeting is not None
    assert hello is not None
    assert (greeting.code, hello.code, session.closed) == (220, 421, True)
    assert bench.rows.opened_rows[-1].refused is None


def test_a_refused_request_that_uses_up_no_budget():
    """At 10 s the request of 9 s is the only one in the last 10 s, and was refused."""
    outcomes = {}
    for counts in (False, True):
        bench = Bench(
            "unlimited",
            logins_per_username={
                "count": 1,
                "per": 10,
                "window": "sliding",
                "count_refused": counts,
            },
        )
        outcomes[counts] = [bench.login(at * S, "right") for at in (0, 9, 10, 18)]
    assert outcomes == {
        False: ["235", LOGINS, "235", LOGINS],
        True: ["235", LOGINS, LOGINS, LOGINS],
    }


@pytest.mark.parametrize(
    ("window", "passed"),
    [("fixed", 240), ("aligned", 240), ("sliding", 121), ("sliding-counter", 120), ("gcra", 122)],
)
def test_a_burst_at_the_end_of_one_window_and_one_at_the_start_of_the_next(window, passed):
    """One login at 0, 119 at 59.5 s and 120 at 60 s: what passes of them is what the algorithms
    differ in.

    At 60 s sliding has just let go of the first; sliding-counter still has all of the window
    before; gcra, full again soon after the first, had one left at 59.5 s and has got another since.
    """
    bench = Bench(window=window)
    times = [0, *[59_500_000] * 119, *[60_000_000] * 120]
    assert (
        sum(bench.login(at, "right", ip=str(number)) == "235" for number, at in enumerate(times))
        == passed
    )


def test_the_checks_at_auth_run_in_the_order_of_the_data(monkeypatch):
    """With the credentials first, a wrong password gets its 535 even over the limit of logins."""
    outcomes = []
    for order in (ORDER_AT_AUTH, ORDER_AT_AUTH[::-1]):
        monkeypatch.setattr("sim.relay.relay.ORDER_AT_AUTH", order)
        bench = Bench(logins_per_username=1)
        bench.login(0, "right")
        outcomes.append(bench.login(0))
    assert outcomes == [LOGINS, "535"]
