"""The commands that Django's model sends in each mode and after each refusal. ``tests/fidelity``
compares the model with the real library.
"""

from __future__ import annotations

import pytest

from sim.errors import ScenarioError
from tests.strategies.libraries.talks import ONE, run

OPENING = ["GREETING 220", "EHLO 250", "AUTH PLAIN 235"]
FAILING = ["GREETING 220", "EHLO 250", "AUTH PLAIN 535", "AUTH LOGIN 334 535"]
WRONG = {"wrong_password": {"from": 0, "until": "1d"}}


def test_send_mail_has_a_connection_for_each():
    result, talks = run("django", 3)
    assert talks == [[*OPENING, *ONE, "QUIT 221"]] * 3
    assert result.messages.accepted == 3


def test_an_open_connection_is_not_opened_anew_behind_a_421():
    result, talks = run("django", 20, policy={}, per_connection=0)
    assert talks == [[*OPENING, *ONE * 5, "MAIL 421"]]
    assert (result.messages.accepted, result.messages.lost) == (5, 15)


def test_five_inside_a_with():
    result, talks = run("django", 10, policy={}, per_connection=5, pause="1s")
    assert talks == [[*OPENING, *ONE * 5, "QUIT 221"]] * 2
    assert result.messages.lost == 0


def test_send_mass_mail_stops_at_the_first_failure_and_fail_silently_only_hides_it():
    for silently in (False, True):
        result, talks = run("django", 20, policy={}, send_mass_mail=10, fail_silently=silently)
        assert talks == [[*OPENING, *ONE * 5, "MAIL 421"]] * 2
        assert result.messages.lost == 10


def test_fail_silently_goes_on_behind_a_refusal_that_stays():
    stays = {"count": 1, "reply": {"stage": "mail", "code": 451, "then": "stay"}}
    for silently, tried in ((False, 1), (True, 2)):
        _, talks = run(
            "django",
            3,
            policy={"transactions_per_connection": stays},
            send_mass_mail=3,
            fail_silently=silently,
        )
        assert talks == [[*OPENING, *ONE, *["MAIL 451", "RSET 250"] * tried, "QUIT 221"]]


@pytest.mark.parametrize("silently", [False, True])
def test_a_failed_login_of_send_mail_is_left_without_a_word(silently):
    result, talks = run("django", 2, faults=WRONG, fail_silently=silently)
    assert talks == [[*FAILING, "EOF"]] * 2
    assert (result.logins.failed, result.messages.lost) == (4, 2)


def test_a_failed_login_inside_a_with_is_quit_and_loses_the_batch():
    _, talks = run("django", 4, faults=WRONG, per_connection=2)
    assert talks == [[*FAILING, "QUIT 221"]] * 2


def test_silent_inside_a_with_each_message_tries_again():
    _, talks = run("django", 2, faults=WRONG, per_connection=2, fail_silently=True)
    assert talks == [[*FAILING, "QUIT 221"]] * 3


def test_a_timeout():
    slow = {"slow": {"at": "0s", "for": "1h", "factor": 1000}}
    result, talks = run("django", 2, network={"relay_time": "10ms"}, faults=slow, EMAIL_TIMEOUT=5.0)
    assert talks == [["GREETING 220", "EHLO 250", "EOF"]] * 2
    assert result.messages.lost == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"per_connection": -1}, "per_connection = -1"),
        ({"EMAIL_TIMEOUT": -1.0}, "EMAIL_TIMEOUT = -1"),
        ({"send_mass_mail": 5, "per_connection": 5}, "leave per_connection away"),
    ],
)
def test_impossible_values_are_told(options, says):
    with pytest.raises(ScenarioError, match=says):
        run("django", 1, **options)
