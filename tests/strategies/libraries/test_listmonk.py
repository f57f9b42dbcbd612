"""The pool and the campaign of listmonk's model. It was written from public source and is not
compared with the real program.
"""

from __future__ import annotations

import pytest

from sim.errors import ScenarioError
from tests.strategies.libraries.talks import AUTH_LOGIN, ONE, run

OPENING = ["GREETING 220", "EHLO 250", AUTH_LOGIN]
SENT = [*ONE, "RSET 250"]
SINGLE = {"max_conns": 1, "concurrency": 1}
WRONG = {"wrong_password": {"from": 0, "until": "1d"}}


def test_one_connection_is_reset_behind_each_message_and_never_swept():
    result, talks = run("listmonk", 3, **SINGLE)
    assert talks[0][: 3 + 15] == [*OPENING, *SENT * 3]
    assert "QUIT 221" not in talks[0]
    assert result.messages.accepted == 3


def test_several_are_closed_once_they_are_idle():
    result, talks = run("listmonk", 8, max_conns=4, concurrency=4, idle_timeout="3s")
    assert [talk[-1] for talk in talks] == ["EOF"] * 4
    assert result.connections.peak_open == 4


def test_a_refused_message_is_lost_and_its_connection_replaced():
    result, talks = run("listmonk", 14, policy={}, **SINGLE)
    assert [talk[-1] for talk in talks[:2]] == ["MAIL 421"] * 2
    assert (result.messages.accepted, result.messages.lost) == (12, 2)


def test_a_refusal_that_leaves_the_connection_open_keeps_it():
    stay = {"transactions_per_connection": {"count": 1, "reply": {"then": "stay"}}}
    _, talks = run("listmonk", 3, policy=stay, **SINGLE)
    assert talks[0][: 3 + 5 + 4] == [*OPENING, *SENT, *["MAIL 421", "RSET 250"] * 2]


def test_a_connection_that_died_costs_a_try_and_no_message():
    result, talks = run(
        "listmonk", 6, faults={"relay_down": [{"at": "0.5s", "for": "1ms"}]}, **SINGLE
    )
    assert (len(talks), result.messages.lost) == (2, 0)
    result, _ = run(
        "listmonk",
        6,
        faults={"relay_down": [{"at": "0.5s", "for": "1ms"}]},
        max_msg_retries=1,
        **SINGLE,
    )
    assert result.messages.lost == 1


def test_a_wrong_password_loses_the_message_and_says_good_bye():
    result, talks = run("listmonk", 2, faults=WRONG, **SINGLE)
    assert talks == [["GREETING 220", "EHLO 250", "AUTH LOGIN 334 334 535", "QUIT 221"]] * 2
    assert result.messages.lost == 2


def test_plain():
    _, talks = run("listmonk", 1, auth_protocol="plain", **SINGLE)
    assert talks[0][2] == "AUTH PLAIN 235"


def test_a_campaign_is_paused_behind_too_many_failures():
    result, talks = run("listmonk", 50, faults=WRONG, max_send_errors=3, **SINGLE)
    assert (len(talks), result.messages.lost) == (3, 50)


def test_a_worker_sleeps_a_second_behind_each_so_many():
    quick, _ = run("listmonk", 9, **SINGLE)
    slow, _ = run("listmonk", 9, message_rate=3, **SINGLE)
    assert slow.duration_s - quick.duration_s == pytest.approx(2)


def test_the_sliding_window_lets_so_many_through_and_then_waits():
    window = {
        "message_sliding_window": True,
        "message_sliding_window_rate": 4,
        "message_sliding_window_duration": "10s",
    }
    result, _ = run("listmonk", 10, **window)
    assert 20 < result.duration_s < 21.5
    off, _ = run("listmonk", 10, **(window | {"message_sliding_window": False}))
    assert off.duration_s < 2


def test_who_waits_too_long_for_a_connection_is_lost():
    slow = {"rtt": "400ms"}
    result, _ = run("listmonk", 6, network=slow, max_conns=1, concurrency=6, wait_timeout="3s")
    assert 0 < result.messages.lost < 6


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"max_conns": 0}, "max_conns = 0 is too small; at least 1"),
        ({"auth_protocol": "cram"}, "is not offered by the relay; allowed: login, plain"),
    ],
)
def test_impossible_options(option, says):
    with pytest.raises(ScenarioError, match=says):
        run("listmonk", 1, **option)
