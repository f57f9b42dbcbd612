"""The commands that aiosmtplib's model sends in each mode and after each refusal.
``tests/fidelity`` compares the model with the real library.
"""

from __future__ import annotations

import pytest

from sim.errors import ScenarioError
from tests.strategies.libraries.talks import ONE, run

OPENING = ["GREETING 220", "EHLO 250", "AUTH PLAIN 235"]
WRONG = {"wrong_password": {"from": 0, "until": "1d"}}


def test_send_has_a_connection_for_each():
    _, talks = run("aiosmtplib", 3)
    assert talks == [[*OPENING, *ONE, "QUIT 221"]] * 3


def test_a_client_is_closed_by_a_421():
    result, talks = run("aiosmtplib", 20, policy={}, per_connection=0)
    assert talks == [[*OPENING, *ONE * 5, "MAIL 421"]]
    assert result.messages.lost == 15


def test_a_wrong_password_ends_without_a_quit():
    result, talks = run("aiosmtplib", 2, faults=WRONG)
    assert (
        talks == [["GREETING 220", "EHLO 250", "AUTH PLAIN 535", "AUTH LOGIN 334 535", "EOF"]] * 2
    )
    assert result.logins.failed == 4


def test_tasks_share_the_messages():
    result, talks = run("aiosmtplib", 17, policy={}, gather=4, per_connection=5)
    assert result.connections.peak_open == 4
    assert sorted(sum(line == "BODY 250" for line in talk) for talk in talks) == [2, 5, 5, 5]


def test_gathered_all_at_once_they_connect_at_once():
    result, _ = run("aiosmtplib", 50, policy={}, gather=0)
    assert (result.connections.opened, result.connections.peak_open, result.messages.accepted) == (
        50,
        50,
        50,
    )


@pytest.mark.parametrize(
    ("stage", "lines"),
    [
        ("mail", ["MAIL 451", "RSET 250"]),
        ("rcpt", ["MAIL 250", "RCPT 451", "RSET 250"]),
        ("data", ["MAIL 250", "RCPT 250", "DATA 451", "RSET 250"]),
        ("body", [*ONE[:3], "BODY 451", "RSET 250"]),
    ],
)
def test_a_refusal_that_stays_is_reset(stage, lines):
    stays = {"count": 1, "reply": {"stage": stage, "code": 451, "then": "stay"}}
    _, talks = run("aiosmtplib", 3, policy={"transactions_per_connection": stays}, per_connection=0)
    assert talks == [[*OPENING, *ONE, *lines * 2, "QUIT 221"]]


def test_a_421_to_ehlo_is_final():
    refused = {"count": 1, "per": "1m", "reply": {"stage": "ehlo", "then": "stay"}}
    _, talks = run("aiosmtplib", 2, policy={"connections_per_ip": refused})
    assert talks[1] == ["GREETING 220", "EHLO 421", "EOF"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"gather": -1}, "gather = -1"),
        ({"timeout": 0.0}, "timeout = 0"),
        ({"gather": 0, "per_connection": 5}, "leave per_connection away"),
    ],
)
def test_impossible_values_are_told(options, says):
    with pytest.raises(ScenarioError, match=says):
        run("aiosmtplib", 1, **options)
