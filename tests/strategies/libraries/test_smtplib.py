"""The commands that smtplib's model sends in each mode and after each refusal. ``tests/fidelity``
compares the model with the real library.
"""

from __future__ import annotations

import pytest

from sim.errors import ScenarioError
from tests.strategies.libraries.talks import ONE, run

OPENING = ["GREETING 220", "EHLO 250", "AUTH PLAIN 235"]
WRONG = {"wrong_password": {"from": 0, "until": "1d"}}


def test_without_options_one_connection_carries_all():
    result, talks = run("smtplib", 3)
    assert talks == [[*OPENING, *ONE * 3, "QUIT 221"]]
    assert result.messages.accepted == 3


def test_the_sixth_message_is_the_last_that_the_relay_hears_of():
    result, talks = run("smtplib", 100, policy={})
    assert talks == [[*OPENING, *ONE * 5, "MAIL 421"]]
    assert (result.messages.accepted, result.messages.lost, result.incidents.total) == (5, 95, 1)


def test_five_a_connection_with_a_pause():
    quick, talks = run("smtplib", 12, policy={}, per_connection=5)
    assert talks == [[*OPENING, *ONE * count, "QUIT 221"] for count in (5, 5, 2)]
    slow, _ = run("smtplib", 12, policy={}, per_connection=5, pause="2s")
    assert slow.duration_s - quick.duration_s == pytest.approx(4)


def test_six_a_connection_loses_each_sixth():
    result, talks = run("smtplib", 12, policy={}, per_connection=6)
    assert talks == [[*OPENING, *ONE * 5, "MAIL 421"]] * 2
    assert result.messages.lost == 2


def test_uncaught_the_first_failure_ends_the_program():
    result, talks = run("smtplib", 12, policy={}, per_connection=6, catch=False)
    assert talks == [[*OPENING, *ONE * 5, "MAIL 421"]]
    assert result.messages.lost == 7


def test_one_wrong_password_costs_two_failed_logins_and_all_messages():
    result, talks = run("smtplib", 7, faults=WRONG)
    assert talks == [
        ["GREETING 220", "EHLO 250", "AUTH PLAIN 535", "AUTH LOGIN 334 535", "QUIT 221"]
    ]
    assert (result.logins.failed, result.messages.lost) == (2, 7)


def test_a_refused_login_is_not_tried_again_on_its_connection():
    result, talks = run("smtplib", 3, policy={"logins_per_username": 1}, per_connection=1)
    refused = ["GREETING 220", "EHLO 250", "AUTH PLAIN 421"]
    assert talks == [[*OPENING, *ONE, "QUIT 221"], refused, refused]
    assert (result.messages.lost, result.logins.requested) == (2, 3)


def test_a_refusal_in_place_of_the_greeting_loses_the_batch():
    result, talks = run("smtplib", 10, policy={"connections_per_ip": 1}, per_connection=5)
    assert talks == [[*OPENING, *ONE * 5, "QUIT 221"], ["GREETING 421"]]
    assert result.messages.lost == 5


@pytest.mark.parametrize(
    ("stage", "lines"),
    [
        ("mail", ["MAIL 451", "RSET 250"] * 2),
        ("rcpt", ["MAIL 250", "RCPT 451", "RSET 250"] * 2),
        ("data", ["MAIL 250", "RCPT 250", "DATA 451"] * 2),
        ("body", [*ONE[:3], "BODY 451", "RSET 250"] * 2),
    ],
)
def test_a_refusal_that_stays_is_reset_but_for_one_of_data(stage, lines):
    stays = {"count": 1, "reply": {"stage": stage, "code": 451, "then": "stay"}}
    _, talks = run("smtplib", 3, policy={"transactions_per_connection": stays})
    assert talks == [[*OPENING, *ONE, *lines, "QUIT 221"]]


def test_starttls_says_ehlo_twice():
    _, talks = run("smtplib", 1, network={"tls": "starttls"})
    assert talks == [["GREETING 220", "EHLO 250", "STARTTLS 220", *OPENING[1:], *ONE, "QUIT 221"]]


def test_a_refused_ehlo_is_followed_by_helo():
    stays = {"count": 1, "per": "1m", "reply": {"stage": "ehlo", "then": "stay"}}
    _, talks = run("smtplib", 2, policy={"connections_per_ip": stays}, per_connection=1)
    assert talks[1][:3] == ["GREETING 220", "EHLO 421", "HELO 250"]


def test_its_timeout_gives_a_slow_relay_up():
    slow = {"slow": {"at": "0s", "for": "1h", "factor": 1000}}
    result, talks = run("smtplib", 3, network={"relay_time": "10ms"}, faults=slow, timeout=5.0)
    assert talks == [["GREETING 220", "EHLO 250", "EOF"]]
    assert result.messages.lost == 3


@pytest.mark.parametrize(
    ("options", "says"),
    [({"per_connection": -1}, "per_connection = -1"), ({"timeout": -1}, "timeout = -1")],
)
def test_impossible_values_are_told(options, says):
    with pytest.raises(ScenarioError, match=says):
        run("smtplib", 1, **options)


@pytest.mark.parametrize("workers", [1, 4])
def test_its_batches_fare_as_the_strategy_batches(workers):
    both = []
    for strategy, options in (
        ("smtplib", {"per_connection": 5, "pause": "0.1s"}),
        ("batches", {"size": 5, "pause": "0.1s"}),
    ):
        result, _ = run(strategy, 2000, policy={}, sender={"workers": workers}, **options)
        both.append({key: value for key, value in result.to_dict().items() if key != "sender"})
    assert both[0] == both[1]
    assert (both[0]["incidents"]["total"] > 0) == (workers == 4)
