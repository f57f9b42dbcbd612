"""The commands that PHPMailer's model sends in each mode and after each refusal. ``tests/fidelity``
compares the model with the real library.
"""

from __future__ import annotations

import pytest

from sim.errors import ScenarioError
from tests.strategies.libraries.talks import AUTH_LOGIN, ONE, run

OPENING = ["GREETING 220", "EHLO 250", AUTH_LOGIN]
WRONG = {"wrong_password": {"from": 0, "until": "1d"}}


def test_without_keep_alive_each_message_has_its_connection():
    result, talks = run("phpmailer", 3)
    assert talks == [[*OPENING, *ONE, "QUIT 221"]] * 3
    assert result.messages.accepted == 3


def test_keep_alive_resets_behind_each_message():
    _, talks = run("phpmailer", 3, SMTPKeepAlive=True)
    assert talks == [[*OPENING, *[*ONE, "RSET 250"] * 3, "QUIT 221"]]


def test_a_message_costs_five_round_trips_with_keep_alive():
    result, _ = run("phpmailer", 3, SMTPKeepAlive=True)
    assert result.duration_s == pytest.approx(0.040 * (2 + 1 + 3 + 5 + 5 + 3.5))


def test_keep_alive_loses_each_sixth_message_and_connects_anew():
    result, talks = run("phpmailer", 14, policy={}, SMTPKeepAlive=True)
    five = [*OPENING, *[*ONE, "RSET 250"] * 5]
    assert talks == [[*five, "MAIL 421"]] * 2 + [[*OPENING, *[*ONE, "RSET 250"] * 2, "QUIT 221"]]
    assert (result.messages.lost, result.incidents.total) == (2, 2)


def test_smtp_close_every_five():
    result, talks = run("phpmailer", 12, policy={}, SMTPKeepAlive=True, per_connection=5)
    assert [len(talk) for talk in talks] == [3 + 25 + 1, 3 + 25 + 1, 3 + 10 + 1]
    assert (result.messages.lost, result.incidents.total) == (0, 0)


def test_a_pause_behind_each_connection():
    quick, _ = run("phpmailer", 12, SMTPKeepAlive=True, per_connection=5)
    slow, _ = run("phpmailer", 12, SMTPKeepAlive=True, per_connection=5, pause="2s")
    assert slow.duration_s - quick.duration_s == pytest.approx(4)
    quick, _ = run("phpmailer", 3)
    slow, _ = run("phpmailer", 3, pause="2s")
    assert slow.duration_s - quick.duration_s == pytest.approx(4)


def test_a_wrong_password_is_one_failed_login_a_message_and_a_good_bye():
    result, talks = run("phpmailer", 2, faults=WRONG)
    assert talks == [["GREETING 220", "EHLO 250", "AUTH LOGIN 334 334 535", "QUIT 221"]] * 2
    assert (result.logins.failed, result.messages.lost) == (2, 2)


def test_plain_takes_two_trips():
    _, talks = run("phpmailer", 1, AuthType="PLAIN")
    assert talks == [["GREETING 220", "EHLO 250", "AUTH PLAIN 334 235", *ONE, "QUIT 221"]]


def test_a_refusal_in_place_of_the_greeting():
    result, talks = run("phpmailer", 4, policy={"connections_per_ip": {"count": 2}})
    assert talks == [[*OPENING, *ONE, "QUIT 221"]] * 2 + [["GREETING 421"]] * 2
    assert (result.messages.lost, result.incidents.total) == (2, 2)


def test_a_refusal_that_leaves_the_connection_open():
    stay = {"transactions_per_connection": {"count": 1, "reply": {"then": "stay"}}}
    _, talks = run("phpmailer", 3, policy=stay, SMTPKeepAlive=True)
    assert talks == [[*OPENING, *ONE, "RSET 250", *["MAIL 421", "RSET 250"] * 2, "QUIT 221"]]


def test_a_refused_recipient_is_told_behind_the_good_bye():
    at_rcpt = {
        "transactions_per_connection": {"count": 1, "reply": {"stage": "rcpt", "then": "stay"}}
    }
    result, talks = run("phpmailer", 2, policy=at_rcpt, SMTPKeepAlive=True)
    refused = ["MAIL 250", "RCPT 421", "RSET 250", "RSET 250"]
    assert talks == [[*OPENING, *ONE, "RSET 250", *refused, "QUIT 221"]]
    assert result.messages.lost == 1


def test_ehlo_refused_with_421_is_the_end_of_the_connection():
    _, talks = run(
        "phpmailer", 2, policy={"connections_per_ip": {"count": 1, "reply": {"stage": "ehlo"}}}
    )
    assert talks[1] == ["GREETING 220", "EHLO 421"]


@pytest.mark.parametrize(
    ("mechanism", "login"), [("", AUTH_LOGIN), ("PLAIN", "AUTH PLAIN 334 235")]
)
def test_behind_helo_it_logs_in_as_it_was_told(mechanism, login):
    at_ehlo = {
        "connections_per_ip": {"count": 1, "reply": {"stage": "ehlo", "code": 550, "then": "stay"}}
    }
    _, talks = run("phpmailer", 2, policy=at_ehlo, AuthType=mechanism)
    assert talks[1] == ["GREETING 220", "EHLO 550", "HELO 250", login, *ONE, "QUIT 221"]


def test_starttls():
    _, talks = run("phpmailer", 1, network={"tls": "starttls"})
    assert talks == [
        ["GREETING 220", "EHLO 250", "STARTTLS 220", "EHLO 250", AUTH_LOGIN, *ONE, "QUIT 221"]
    ]


def test_a_relay_that_goes_away_costs_the_message_in_hand():
    down = {"relay_down": [{"at": "0.5s", "for": "1ms"}]}
    result, talks = run("phpmailer", 6, faults=down, SMTPKeepAlive=True)
    assert talks[0][-1] == "EOF"
    assert (len(talks), result.messages.lost) == (2, 1)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (
            {"AuthType": "NTLM"},
            'AuthType = "NTLM" is not modelled; allowed: LOGIN, PLAIN, or empty for LOGIN',
        ),
        (
            {"per_connection": -1},
            "per_connection = -1 is too small; at least 1, or 0 for one connection for all",
        ),
    ],
)
def test_impossible_options(option, says):
    with pytest.raises(ScenarioError, match=says):
        run("phpmailer", 1, **option)
