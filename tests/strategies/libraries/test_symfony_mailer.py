"""The commands that Symfony Mailer's model sends in each state. ``tests/fidelity`` compares the
model with the real library.
"""

from __future__ import annotations

import pytest

from sim.errors import ScenarioError
from tests.strategies.libraries.talks import AUTH_LOGIN, ONE, run

OPENING = ["GREETING 220", "EHLO 250", AUTH_LOGIN]
WRONG = {"wrong_password": {"from": 0, "until": "1d"}}


def test_one_connection_for_all():
    _, talks = run("symfony-mailer", 3)
    assert talks == [[*OPENING, *ONE * 3, "QUIT 221"]]


def test_it_restarts_behind_the_hundredth_message_and_says_noop_before_the_next():
    _, talks = run("symfony-mailer", 101)
    assert talks == [[*OPENING, *ONE * 100, "QUIT 221"], [*OPENING, "NOOP 250", *ONE, "QUIT 221"]]


def test_it_restarts_behind_the_last_message_too():
    _, talks = run("symfony-mailer", 4, restart_threshold=2)
    assert talks == [
        [*OPENING, *ONE * 2, "QUIT 221"],
        [*OPENING, "NOOP 250", *ONE * 2, "QUIT 221"],
        [*OPENING, "QUIT 221"],
    ]


def test_a_threshold_of_zero_is_one_of_one():
    assert (
        run("symfony-mailer", 3, restart_threshold=0)[1]
        == run("symfony-mailer", 3, restart_threshold=1)[1]
    )


def test_it_sleeps_between_quitting_and_connecting():
    quick, _ = run("symfony-mailer", 5, restart_threshold=2)
    slow, _ = run("symfony-mailer", 5, restart_threshold=2, restart_threshold_sleep=3)
    assert slow.duration_s - quick.duration_s == pytest.approx(6)


def test_at_the_transaction_limit_each_sixth_message_is_lost():
    result, talks = run("symfony-mailer", 14, policy={})
    assert talks == [[*OPENING, *ONE * 5, "MAIL 421"]] * 2 + [[*OPENING, *ONE * 2, "QUIT 221"]]
    assert (result.messages.lost, result.incidents.total) == (2, 2)


def test_a_connection_that_stays_open_is_pinged_and_used_on():
    stay = {"transactions_per_connection": {"count": 1, "reply": {"then": "stay"}}}
    _, talks = run("symfony-mailer", 3, policy=stay)
    assert talks == [
        [*OPENING, *ONE, "MAIL 421", "RSET 250", "NOOP 250", "MAIL 421", "RSET 250", "QUIT 221"]
    ]


def test_a_wrong_password_costs_two_failed_logins_a_message():
    result, talks = run("symfony-mailer", 3, faults=WRONG)
    failed = ["AUTH LOGIN 334 334 535", "RSET 250", "AUTH PLAIN 535", "RSET 250"]
    assert talks == [["GREETING 220", "EHLO 250", *failed, "EOF"]] * 3
    assert (result.logins.failed, result.messages.lost) == (6, 3)


def test_the_login_limit_ends_the_connection_at_its_first_mechanism():
    policy = {"logins_per_username": {"count": 2, "per": "60s"}}
    result, talks = run("symfony-mailer", 3, policy=policy, restart_threshold=1)
    refused = ["GREETING 220", "EHLO 250", "AUTH LOGIN 334 334 421"]
    assert talks == [
        [*OPENING, *ONE, "QUIT 221"],
        [*OPENING, "NOOP 250", *ONE, "QUIT 221"],
        refused,
        refused,
    ]
    assert (result.messages.accepted, result.messages.lost, result.incidents.total) == (2, 1, 2)


def test_a_restart_that_is_refused_leaves_the_count_where_it_is():
    """The send() whose message was accepted throws, and the next message restarts however few came
    on its connection.
    """
    down = {"relay_down": [{"at": "0.77s", "for": "0.02s"}]}
    result, talks = run("symfony-mailer", 7, faults=down, restart_threshold=3)
    assert [talk.count("BODY 250") for talk in talks] == [3, 1, 3, 0]
    assert result.messages.accepted == 7


def test_pings_after_the_threshold():
    _, talks = run(
        "symfony-mailer",
        0,
        workload={"kind": "constant", "rate": "1/min", "for": "5m"},
        ping_threshold=50,
    )
    assert talks == [[*OPENING, *ONE, *["NOOP 250", *ONE] * 4, "QUIT 221"]]
    _, talks = run("symfony-mailer", 0, workload={"kind": "constant", "rate": "1/min", "for": "5m"})
    assert talks == [[*OPENING, *ONE * 5, "QUIT 221"]]
    _, talks = run("symfony-mailer", 3, ping_threshold=0)
    assert talks == [[*OPENING, *ONE, *["NOOP 250", *ONE] * 2, "QUIT 221"]]


def test_max_per_second_paces_one_process():
    result, _ = run("symfony-mailer", 11, max_per_second=2.0)
    assert result.duration_s == pytest.approx(0.040 * 10 + 9 * 0.5 + 0.040 * 3.5), (
        "nothing is slept behind the first"
    )
    unpaced, _ = run("symfony-mailer", 11)
    assert unpaced.duration_s == pytest.approx(0.040 * (6 + 4 * 11 - 0.5))


def test_ehlo_refused_falls_back_to_helo():
    stay = {
        "connections_per_ip": {"count": 1, "per": "60s", "reply": {"stage": "ehlo", "then": "stay"}}
    }
    _, talks = run("symfony-mailer", 2, policy=stay, restart_threshold=1)
    assert talks[1][:3] == ["GREETING 220", "EHLO 421", "HELO 250"]
    assert talks[1][3:5] == ["NOOP 250", "MAIL 530"]


def test_starttls():
    _, talks = run("symfony-mailer", 1, network={"tls": "starttls"})
    assert talks == [
        ["GREETING 220", "EHLO 250", "STARTTLS 220", "EHLO 250", AUTH_LOGIN, *ONE, "QUIT 221"]
    ]


def test_a_login_that_failed_leaves_its_connection_until_the_next_one_is_there():
    result, _ = run("symfony-mailer", 3, faults=WRONG)
    assert result.connections.peak_open == 2


@pytest.mark.parametrize(
    "option", ["restart_threshold", "restart_threshold_sleep", "ping_threshold"]
)
def test_impossible_options(option):
    with pytest.raises(ScenarioError, match=f"{option} = -1 is too small; at least 0"):
        run("symfony-mailer", 1, **{option: -1})
