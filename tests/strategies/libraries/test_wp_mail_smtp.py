"""The model of WordPress with and without its queue. It was written from public source and is not
compared with the real plugin.
"""

from __future__ import annotations

import pytest

from sim.errors import ScenarioError
from tests.strategies.libraries.talks import AUTH_LOGIN, ONE, run

ALONE = ["GREETING 220", "EHLO 250", AUTH_LOGIN, *ONE, "QUIT 221"]
WRONG = {"wrong_password": {"from": 0, "until": "1d"}}


def test_each_e_mail_has_its_connection_in_as_many_processes_as_there_are():
    result, talks = run("wp-mail-smtp", 12)
    assert talks == [ALONE] * 12
    assert result.connections.peak_open == 5
    result, _ = run("wp-mail-smtp", 12, max_children=2)
    assert result.connections.peak_open == 2


def test_what_is_refused_is_lost():
    result, _ = run("wp-mail-smtp", 4, faults=WRONG)
    assert (result.messages.lost, result.logins.failed) == (4, 4)


def test_what_is_over_the_limit_waits_for_the_next_minute():
    result, talks = run("wp-mail-smtp", 12, rate_limit=True, minute=5)
    assert talks == [ALONE] * 12
    assert result.connections.peak_open == 1
    one = 0.040 * (2 + 1 + 3 + 4 + 1)
    assert result.duration_s == pytest.approx(2 * 60 + 2 * one - 0.040 * 1.5)


def test_a_longer_window_holds_as_well():
    hourly = {"rate_limit": True, "minute": 5, "hour": 7}
    result, _ = run("wp-mail-smtp", 12, **hourly)
    assert 3_600 < result.duration_s < 3_605, "seven, and the other five an hour later"
    for name, seconds in {"day": 86_400, "week": 7 * 86_400}.items():
        result, _ = run("wp-mail-smtp", 2, until="8d", rate_limit=True, **{name: 1})
        assert result.duration_s == pytest.approx(seconds, abs=1)


def test_without_a_number_the_queue_hands_over_all():
    result, _ = run("wp-mail-smtp", 12, rate_limit=True)
    assert result.duration_s < 60


def test_an_e_mail_that_fails_from_the_queue_is_lost():
    result, _ = run("wp-mail-smtp", 4, rate_limit=True, minute=2, faults=WRONG)
    assert (result.messages.lost, result.messages.waiting, result.logins.failed) == (4, 0, 4)


def test_the_task_rests_while_the_queue_is_empty():
    rare = {"kind": "constant", "rate": "1/h", "for": "3h"}
    result, talks = run("wp-mail-smtp", 0, workload=rare, rate_limit=True, minute=5)
    assert (result.messages.accepted, len(talks)) == (3, 3)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"max_children": 0}, "max_children = 0 is too small; at least 1"),
        ({"hour": -1}, "hour = -1 is too small"),
    ],
)
def test_impossible_options(option, says):
    with pytest.raises(ScenarioError, match=says):
        run("wp-mail-smtp", 1, **option)
