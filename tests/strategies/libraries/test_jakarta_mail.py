"""The commands that Jakarta Mail's model sends in each mode and after each refusal.
``tests/fidelity`` compares the model with the real library.
"""

from __future__ import annotations

import pytest

from sim.errors import ScenarioError
from tests.strategies.libraries.talks import AUTH_LOGIN, ONE, run

OPENING = ["GREETING 220", "EHLO 250", AUTH_LOGIN]
WRONG = {"wrong_password": {"from": 0, "until": "1d"}}


def test_send_has_a_connection_for_each():
    result, talks = run("jakarta-mail", 3)
    assert talks == [[*OPENING, *ONE, "QUIT 221"]] * 3
    assert result.messages.accepted == 3


def test_a_transport_is_done_for_behind_a_421():
    result, talks = run("jakarta-mail", 20, policy={}, per_connection=0)
    assert talks == [[*OPENING, *ONE * 5, "MAIL 421"]]
    assert (result.messages.accepted, result.messages.lost) == (5, 15)


def test_asked_whether_it_is_connected_it_costs_a_trip_and_loses_each_sixth():
    result, talks = run("jakarta-mail", 12, policy={}, per_connection=0, isConnected=True)
    ping = ["NOOP 250", *ONE]
    assert talks == [
        [*OPENING, *ping * 5, "NOOP 250", "MAIL 421"],
        [*OPENING, *ONE, *ping * 4, "NOOP 250", "MAIL 421"],
    ]
    assert result.messages.lost == 2


def test_userset_asks_by_rset():
    _, talks = run(
        "jakarta-mail", 2, per_connection=0, isConnected=True, **{"mail.smtp.userset": True}
    )
    assert talks == [[*OPENING, *["RSET 250", *ONE] * 2, "QUIT 221"]]


def test_five_a_connection_with_a_pause():
    quick, talks = run("jakarta-mail", 12, policy={}, per_connection=5)
    assert talks == [[*OPENING, *ONE * count, "QUIT 221"] for count in (5, 5, 2)]
    slow, _ = run("jakarta-mail", 12, policy={}, per_connection=5, pause="2s")
    assert slow.duration_s - quick.duration_s == pytest.approx(4)


def test_quitwait_false_does_not_wait_for_the_answer():
    waiting, talks = run("jakarta-mail", 3)
    going, same = run("jakarta-mail", 3, **{"mail.smtp.quitwait": False})
    assert talks == same
    assert waiting.duration_s - going.duration_s == pytest.approx(2 * 0.040)


def test_a_wrong_password_is_one_failed_login_a_message():
    result, talks = run("jakarta-mail", 2, faults=WRONG, **{"mail.smtp.user": "user1"})
    assert talks == [["GREETING 220", "EHLO 250", "AUTH LOGIN 334 334 535", "EOF"]] * 2
    assert result.logins.failed == 2


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ({"mail.smtp.user": "user1"}, 2),
        ({"mail.smtp.user": "user1", "Authenticator": False}, 1),
        ({}, 1),
    ],
)
def test_a_login_that_was_right_once_is_tried_twice(options, refused):
    result, talks = run("jakarta-mail", 3, policy={"logins_per_username": 1}, **options)
    assert talks == [
        [*OPENING, *ONE, "QUIT 221"],
        *[["GREETING 220", "EHLO 250", "AUTH LOGIN 334 334 421"]] * (2 * refused),
    ]
    assert result.logins.refused == 2 * refused


@pytest.mark.parametrize(("options", "refused"), [({}, 2), ({"Authenticator": False}, 1)])
def test_a_transport_too_keeps_a_login_that_was_right(options, refused):
    result, _ = run(
        "jakarta-mail",
        7,
        policy={"logins_per_username": 1},
        per_connection=0,
        isConnected=True,
        **options,
    )
    assert (result.messages.accepted, result.logins.refused) == (5, refused)


@pytest.mark.parametrize("quits", [False, True])
def test_a_refusal_in_place_of_the_greeting(quits):
    stays = {"count": 1, "per": "1m", "reply": {"then": "stay"}}
    _, talks = run(
        "jakarta-mail",
        2,
        policy={"connections_per_ip": stays},
        **{"mail.smtp.quitonsessionreject": quits},
    )
    assert talks[1] == ["GREETING 421", "QUIT 221" if quits else "EOF"]


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
    _, talks = run(
        "jakarta-mail", 3, policy={"transactions_per_connection": stays}, per_connection=0
    )
    assert talks == [[*OPENING, *ONE, *lines * 2, "QUIT 221"]]


def test_a_refused_ehlo_leaves_it_without_a_login():
    stays = {"count": 1, "per": "1m", "reply": {"stage": "ehlo", "then": "stay"}}
    _, talks = run("jakarta-mail", 2, policy={"connections_per_ip": stays})
    assert talks[1][:3] == ["GREETING 220", "EHLO 421", "HELO 250"]
    assert not [line for line in talks[1] if line.startswith("AUTH")]


def test_starttls_and_without():
    _, talks = run("jakarta-mail", 1, network={"tls": "starttls"})
    assert talks == [["GREETING 220", "EHLO 250", "STARTTLS 220", *OPENING[1:], *ONE, "QUIT 221"]]
    _, talks = run(
        "jakarta-mail", 1, network={"tls": "starttls"}, **{"mail.smtp.starttls.enable": False}
    )
    assert talks == [[*OPENING, *ONE, "QUIT 221"]]


def test_the_first_mechanism_of_those_named_is_taken():
    _, talks = run("jakarta-mail", 1, **{"mail.smtp.auth.mechanisms": "XOAUTH2 PLAIN LOGIN"})
    assert talks[0][2] == "AUTH PLAIN 235"


def test_its_timeouts():
    slow = {"slow": {"at": "0s", "for": "1h", "factor": 1000}}
    network = {"relay_time": "10ms"}
    result, talks = run(
        "jakarta-mail", 2, network=network, faults=slow, **{"mail.smtp.timeout": 5000}
    )
    assert talks == [["GREETING 220", "EHLO 250", "EOF"]] * 2
    assert result.duration_s == pytest.approx(2 * (0.040 * 2 + 5))
    result, talks = run("jakarta-mail", 2, **{"mail.smtp.connectiontimeout": 30})
    assert (talks, result.messages.lost) == ([], 2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"per_connection": -1}, "per_connection = -1"),
        ({"mail.smtp.timeout": -1}, "mail.smtp.timeout = -1"),
        ({"mail.smtp.auth.mechanisms": "CRAM-MD5"}, "neither LOGIN nor PLAIN"),
        ({"mail.smtp.quitwait": "no"}, "true or false"),
        ({"mail": {"smtp": {"quitwait": False}}}, "a name with dots is written in quotes"),
    ],
)
def test_impossible_values_are_told(options, says):
    with pytest.raises(ScenarioError, match=says):
        run("jakarta-mail", 1, **options)
