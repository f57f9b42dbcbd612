"""The queue and the connections of Postfix's model. ``tests/fidelity`` compares it with the real
Postfix.
"""

from __future__ import annotations

import pytest

from sim.errors import ScenarioError
from tests.strategies.libraries.talks import ONE, run

OPENING = ["GREETING 220", "EHLO 250", "AUTH PLAIN 235"]
ALONE = [*OPENING, *ONE, "QUIT 221"]
STARTTLS = ["GREETING 220", "EHLO 250", "STARTTLS 220", "EHLO 250", "AUTH PLAIN 235"]
SINGLE = {"smtp_destination_concurrency_limit": 1}
FRESH = SINGLE | {"smtp_connection_cache_on_demand": False}


def again(times: int) -> list[str]:
    """The commands on a kept connection that carries this many more messages."""
    return ["RSET 250", *ONE] * times


def test_the_first_message_has_its_connection_and_the_others_share_one():
    _, talks = run("postfix", 5, **SINGLE)
    assert talks == [ALONE, [*OPENING, *ONE, *again(3), "EOF"]]


def test_a_reuse_count_of_n_carries_n_and_one():
    _, talks = run("postfix", 12, **SINGLE, smtp_connection_reuse_count_limit=4)
    assert talks == [ALONE, *[[*OPENING, *ONE, *again(4), "QUIT 221"]] * 2, [*OPENING, *ONE, "EOF"]]


def test_a_reuse_time_counts_from_the_whole_second_in_which_a_connection_began():
    _, talks = run("postfix", 12, **SINGLE, smtp_connection_reuse_time_limit="1s")
    assert talks == [
        ALONE,
        [*OPENING, *ONE, *again(5), "QUIT 221"],
        [*OPENING, *ONE, *again(4), "EOF"],
    ]


def test_a_message_takes_two_trips_and_its_good_bye_none():
    result, _ = run("postfix", 2, **FRESH)
    one = 0.040 * (2 + 1 + 1 + 2)
    assert result.duration_s == pytest.approx(one + one - 0.020)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_under_tls_each_message_has_its_connection(tls):
    _, talks = run("postfix", 3, network={"tls": tls}, **SINGLE)
    opening = STARTTLS if tls == "starttls" else OPENING
    assert talks == [[*opening, *ONE, "QUIT 221"]] * 3
    _, talks = run("postfix", 3, network={"tls": tls}, **SINGLE, smtp_tls_connection_reuse=True)
    assert talks[1] == [*opening, *ONE, *again(1), "EOF"]


def test_the_transaction_limit_defers_a_message_to_the_first_scan_behind_its_backoff():
    result, talks = run("postfix", 8, policy={}, **SINGLE)
    assert talks[1] == [*OPENING, *ONE, *again(4), "RSET 250", "MAIL 421"]
    assert (result.messages.accepted, result.incidents.total) == (8, 1)
    assert result.duration_s == pytest.approx(300 + 0.040 * 5.5), (
        "deferred in the first seconds of a scan"
    )


def test_a_refused_login_puts_the_relay_off_for_all():
    policy = {"logins_per_username": {"count": 3, "per": "60s"}}
    result, talks = run("postfix", 8, policy=policy, until="10s", **FRESH)
    assert talks == [*[ALONE] * 3, ["GREETING 220", "EHLO 250", "AUTH PLAIN 421"]]
    assert (result.messages.accepted, result.messages.waiting, result.messages.lost) == (3, 5, 0)


def test_a_wrong_password_is_tried_once_and_no_oftener_than_the_backoff():
    wrong = {"wrong_password": {"from": 0, "until": "1d"}}
    result, talks = run("postfix", 6, faults=wrong, until="7000s", **SINGLE)
    # At 0, then after waits as long as its age: at 300, 600, 1200, 2400 and 4800 s.
    assert talks == [["GREETING 220", "EHLO 250", "AUTH PLAIN 535", "QUIT 221"]] * 6
    assert result.messages.lost == 0


def test_at_five_at_once_four_failures_in_a_row_put_the_relay_off():
    wrong = {"wrong_password": {"from": 0, "until": "1d"}}
    result, _ = run("postfix", 50, faults=wrong, until="10s")
    assert result.logins.requested == 5, "the fifth was on its way"


def test_a_cohort_limit_of_zero_never_does():
    wrong = {"wrong_password": {"from": 0, "until": "1d"}}
    result, _ = run(
        "postfix", 50, faults=wrong, until="10s", smtp_destination_concurrency_failed_cohort_limit=0
    )
    assert result.logins.requested == 50


def test_each_success_lets_one_more_run_up_to_the_limit():
    result, _ = run("postfix", 200, smtp_connection_cache_on_demand=False)
    assert result.connections.peak_open == 20
    slow, _ = run(
        "postfix",
        200,
        smtp_connection_cache_on_demand=False,
        smtp_destination_concurrency_positive_feedback="1/concurrency",
    )
    assert slow.duration_s > result.duration_s
    held, _ = run(
        "postfix",
        200,
        smtp_connection_cache_on_demand=False,
        smtp_destination_concurrency_positive_feedback="0",
    )
    assert held.connections.peak_open == 5


def test_a_rate_delay_waits_behind_each_delivery_one_at_a_time():
    result, talks = run("postfix", 4, smtp_destination_rate_delay="3s", network={"tls": "starttls"})
    assert len(talks) == 4
    assert result.duration_s == pytest.approx(3 * 3 + 0.040 * (4 * (2 + 4 + 2 + 1) - 0.5))
    assert result.connections.peak_open == 1


def test_a_refusal_that_leaves_the_connection_open_is_reset_and_the_connection_kept():
    stay = {"transactions_per_connection": {"count": 1, "reply": {"then": "stay"}}}
    _, talks = run("postfix", 4, policy=stay, until="5s", **SINGLE)
    refused = ["MAIL 421", "RCPT 503", "DATA 503", "RSET 250"]
    assert talks == [ALONE, [*OPENING, *ONE, *["RSET 250", *refused] * 2, "EOF"]]


def test_a_bounce_is_lost():
    policy = {"transactions_per_connection": {"count": 1, "reply": {"code": 550}}}
    result, _ = run("postfix", 3, policy=policy, **SINGLE)
    assert result.messages.lost == 1


def test_what_is_too_old_is_given_up():
    wrong = {"wrong_password": {"from": 0, "until": "10d"}}
    result, _ = run("postfix", 1, faults=wrong, until="6d", **SINGLE)
    assert (result.messages.lost, result.messages.waiting) == (1, 0)
    # Six times up to 4800 s, then every 4200 s (the first scan after 4000 s), until it is older
    # than 432000 s.
    assert result.logins.requested == 6 + 102


def test_a_lost_connection_is_the_relays_fault_and_nothing_is_lost():
    result, _ = run("postfix", 30, faults={"relay_down": [{"at": "0.1s", "for": "20s"}]})
    assert (result.messages.lost, result.messages.accepted) == (0, 30)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (
            {"smtp_connection_reuse_count_limit": -1},
            "smtp_connection_reuse_count_limit = -1 is too small; at least 0",
        ),
        ({"queue_run_delay": "0s"}, "queue_run_delay = 0s is too small; at least 1s"),
        (
            {"smtp_destination_rate_delay": "500ms"},
            "smtp_destination_rate_delay = 500ms is no whole number of seconds",
        ),
        ({"smtp_destination_concurrency_positive_feedback": "2"}, "is no feedback"),
        ({"smtp_destination_concurrency_negative_feedback": "1/none"}, "is no feedback"),
        ({"smtp_destination_concurrency_negative_feedback": "1/0"}, "is no feedback"),
    ],
)
def test_impossible_options(option, says):
    with pytest.raises(ScenarioError, match=says):
        run("postfix", 1, **option)
