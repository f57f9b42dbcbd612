"""The commands that Nodemailer's model sends in each mode and after each refusal.
``tests/fidelity`` compares the model with the real library.
"""

from __future__ import annotations

import pytest

from sim.errors import ScenarioError
from tests.strategies.libraries.talks import ONE, run

OPENING = ["GREETING 220", "EHLO 250", "AUTH PLAIN 235"]
WRONG = {"wrong_password": {"from": 0, "until": "1d"}}
FEW_LOGINS = {"logins_per_username": {"count": 4}}
TRIP = 0.040

BOTH = pytest.mark.parametrize("version", [10, 6])


@BOTH
def test_without_a_pool_each_message_has_its_connection_and_no_good_bye(version):
    result, talks = run("nodemailer", 3, version=version)
    assert talks == [[*OPENING, *ONE, "EOF"]] * 3
    assert result.messages.accepted == 3


@pytest.mark.parametrize(("version", "trips"), [(10, 2), (6, 4)])
def test_the_current_major_sends_the_envelope_in_one_go(version, trips):
    result, _ = run("nodemailer", 2, version=version)
    assert result.duration_s == pytest.approx(TRIP * (4 + trips + 4 + trips - 0.5))


@BOTH
def test_starttls_says_hello_again(version):
    _, talks = run("nodemailer", 1, version=version, network={"tls": "starttls"})
    assert talks == [
        ["GREETING 220", "EHLO 250", "STARTTLS 220", "EHLO 250", "AUTH PLAIN 235", *ONE, "EOF"]
    ]


def test_tls_that_is_ignored_and_tls_that_is_required():
    _, talks = run("nodemailer", 1, ignoreTLS=True, network={"tls": "starttls"})
    assert talks == [[*OPENING, *ONE, "EOF"]]
    result, talks = run("nodemailer", 1, requireTLS=True)
    assert talks == [["GREETING 220", "EHLO 250", "STARTTLS 502", "EOF"]]
    assert result.messages.lost == 1


@pytest.mark.parametrize(("version", "then"), [(10, ["STARTTLS 220", "EHLO 250"]), (6, [])])
def test_which_of_the_two_options_wins(version, then):
    _, talks = run(
        "nodemailer",
        1,
        version=version,
        ignoreTLS=True,
        requireTLS=True,
        network={"tls": "starttls"},
    )
    assert talks == [[*OPENING[:2], *then, "AUTH PLAIN 235", *ONE, "EOF"]]


def test_login_takes_three_trips():
    _, talks = run("nodemailer", 1, authMethod="login")
    assert talks == [["GREETING 220", "EHLO 250", "AUTH LOGIN 334 334 235", *ONE, "EOF"]]


@BOTH
def test_awaiting_each_it_runs_into_the_login_limit_and_goes_on(version):
    result, talks = run("nodemailer", 6, version=version, policy=FEW_LOGINS)
    assert (
        talks
        == [[*OPENING, *ONE, "EOF"]] * 4 + [["GREETING 220", "EHLO 250", "AUTH PLAIN 421"]] * 2
    )
    assert (result.messages.lost, result.incidents.total) == (2, 2)


def test_all_at_once_is_a_connection_for_each_at_the_same_time():
    result, _ = run("nodemailer", 30, concurrent=1000)
    assert result.connections.peak_open == 30
    assert result.duration_s == pytest.approx(TRIP * 5.5)
    result, _ = run("nodemailer", 30, concurrent=10)
    assert result.connections.peak_open == 10


def test_a_pause_behind_each_awaited_message():
    quick, _ = run("nodemailer", 4)
    slow, _ = run("nodemailer", 4, pause="500ms")
    assert slow.duration_s - quick.duration_s == pytest.approx(1.5)


@BOTH
def test_an_awaited_message_in_a_pool_keeps_one_connection(version):
    result, talks = run(
        "nodemailer", 12, version=version, pool=True, concurrent=1, maxMessages=5, policy={}
    )
    assert talks == [[*OPENING, *ONE * 5, "EOF"]] * 2 + [[*OPENING, *ONE * 2, "EOF"]]
    assert result.messages.accepted == 12
    assert result.duration_s == pytest.approx(
        TRIP * (3 * 4 + 12 * (2 if version == 10 else 4) - 0.5)
    )


@BOTH
def test_a_pool_waits_100_ms_behind_a_connection_that_has_had_its_messages(version):
    result, talks = run(
        "nodemailer", 12, version=version, pool=True, maxConnections=1, maxMessages=5, policy={}
    )
    assert [len(talk) for talk in talks] == [24, 24, 12]
    trips = 3 * 4 + 12 * (2 if version == 10 else 4) - 0.5
    assert result.duration_s == pytest.approx(TRIP * trips + 2 * 0.1)


def test_the_current_major_sends_the_sixth_message_again():
    result, talks = run("nodemailer", 12, pool=True, maxConnections=1, policy={})
    five = [*OPENING, *ONE * 5]
    assert talks == [[*five, "MAIL 421"], [*five, "MAIL 421"], [*OPENING, *ONE * 2, "EOF"]]
    assert (result.messages.lost, result.incidents.total) == (0, 2)
    assert result.duration_s == pytest.approx(TRIP * (3 * 4 + 12 * 2 + 2 - 0.5) + 2 * 0.2)


def test_version_6_loses_the_sixth_message():
    result, talks = run("nodemailer", 12, version=6, pool=True, maxConnections=1, policy={})
    assert talks == [[*OPENING, *ONE * 5, "MAIL 421"]] * 2
    assert (result.messages.lost, result.incidents.total) == (2, 2)


def test_requeues_have_their_end_and_wait_longer_each_time():
    once = {"transactions_per_connection": {"count": 1, "reply": {"stage": "rcpt", "then": "drop"}}}
    result, talks = run("nodemailer", 2, pool=True, maxConnections=1, maxRequeues=0, policy=once)
    assert (result.messages.lost, len(talks)) == (1, 1)
    result, talks = run("nodemailer", 2, pool=True, maxConnections=1, policy=once)
    assert (result.messages.lost, len(talks)) == (0, 2)


@BOTH
def test_a_connection_that_is_closed_before_the_greeting_is_tried_again(version):
    dropped = {"connections_per_ip": {"count": 1, "reply": {"then": "drop"}}}
    result, talks = run(
        "nodemailer",
        2,
        version=version,
        pool=True,
        maxConnections=1,
        maxMessages=1,
        maxRequeues=2,
        policy=dropped,
    )
    assert talks == [[*OPENING, *ONE, "EOF"], *[["GREETING dropped"]] * 3]
    assert result.messages.lost == 1
    waits = 0.1 + 2 * 0.15 + 0.05 + (0.05 + 0.1 if version == 10 else 0)
    trips = 4 + (2 if version == 10 else 4) + 3 * 2
    assert result.duration_s == pytest.approx(TRIP * trips + waits)


def test_without_a_pool_version_6_waits_a_second_for_a_connection_closed_before_the_greeting():
    dropped = {"connections_per_ip": {"count": 1, "reply": {"then": "drop"}}}
    result, _ = run("nodemailer", 2, version=6, policy=dropped)
    assert result.duration_s == pytest.approx(TRIP * (8 + 2) + 1)
    result, _ = run("nodemailer", 2, policy=dropped)
    assert result.duration_s == pytest.approx(TRIP * (6 + 2))


@BOTH
def test_a_pool_goes_through_its_messages_at_a_refused_login(version):
    result, talks = run(
        "nodemailer", 30, version=version, pool=True, maxMessages=5, policy=FEW_LOGINS
    )
    assert (result.messages.accepted, result.messages.lost) == (20, 10)
    assert talks.count(["GREETING 220", "EHLO 250", "AUTH PLAIN 421"]) == 10
    assert result.duration_s < 3


@BOTH
def test_a_wrong_password_is_one_failed_login_a_message(version):
    result, talks = run("nodemailer", 7, version=version, pool=True, faults=WRONG)
    assert talks == [["GREETING 220", "EHLO 250", "AUTH PLAIN 535", "EOF"]] * 7
    assert (result.logins.failed, result.messages.lost) == (7, 7)


@BOTH
def test_a_refusal_in_place_of_the_greeting_loses_the_message(version):
    result, talks = run(
        "nodemailer", 9, version=version, pool=True, policy={"connections_per_ip": {"count": 2}}
    )
    assert talks.count(["GREETING 421"]) == result.messages.lost
    assert result.messages.lost >= 3


def test_a_refusal_that_leaves_the_connection_open_is_reset_by_the_current_major_alone():
    stay = {"transactions_per_connection": {"count": 1, "reply": {"code": 450, "then": "stay"}}}
    _, talks = run("nodemailer", 3, pool=True, maxConnections=1, policy=stay)
    refused = ["MAIL 450", "RCPT 503", "DATA 503", "RSET 250"]
    assert talks == [[*OPENING, *ONE, *refused * 2, "EOF"]]
    _, talks = run("nodemailer", 3, version=6, pool=True, maxConnections=1, policy=stay)
    assert talks == [[*OPENING, *ONE, "MAIL 450", "EOF"], [*OPENING, *ONE, "EOF"]]


@pytest.mark.parametrize(("connections", "most"), [(1, 4), (5, 5)])
def test_rate_limit_overshoots_with_several_connections(connections, most):
    result, _ = run(
        "nodemailer",
        40,
        pool=True,
        maxConnections=connections,
        rateLimit=2,
        rateDelta=60_000,
        until="10m",
    )
    in_the_first_minute = 4 if connections == 1 else 5
    assert in_the_first_minute == most or connections == 1
    assert result.throughput.peak_per_min >= (2 if connections == 1 else 5)
    assert result.messages.accepted == pytest.approx(10 * max(2, connections), abs=2 * connections)


def test_an_idle_connection_says_good_bye():
    workload = {"kind": "constant", "rate": "12/h", "for": "10m"}
    _, talks = run("nodemailer", 0, pool=True, workload=workload)
    assert talks == [[*OPENING, *ONE, "QUIT 221"], [*OPENING, *ONE, "EOF"]]
    _, talks = run("nodemailer", 0, pool=True, idleTimeout=0, workload=workload)
    assert talks == [[*OPENING, *ONE * 2, "EOF"]]
    _, talks = run("nodemailer", 0, version=6, pool=True, workload=workload)
    assert talks == [[*OPENING, *ONE * 2, "EOF"]]
    _, talks = run("nodemailer", 0, version=6, pool=True, socketTimeout=60_000, workload=workload)
    assert talks == [[*OPENING, *ONE, "EOF"]] * 2


@BOTH
def test_a_relay_that_goes_away_costs_what_is_sent_meanwhile(version):
    faults = {"relay_down": [{"at": "30s", "for": "1m"}]}
    workload = {"kind": "constant", "rate": "6/min", "for": "3m"}
    result, _ = run("nodemailer", 0, version=version, pool=True, workload=workload, faults=faults)
    assert (result.messages.submitted, result.messages.lost) == (18, 6)


@BOTH
@pytest.mark.parametrize("pool", [False, True])
def test_dropped_connections_leave_no_message_without_an_end(version, pool):
    options = {"version": version, "pool": pool}
    result, talks = run(
        "nodemailer", 200, faults={"drop_connection": 0.05}, network={"tls": "starttls"}, **options
    )
    messages = result.messages
    assert messages.accepted + messages.lost == 200
    assert messages.waiting == 0
    assert all(talk[-1] in ("EOF", "QUIT 221") for talk in talks)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"version": 7}, "version = 7 is not modelled; allowed: 10, the current major, and 6"),
        (
            {"authMethod": "XOAUTH2"},
            'authMethod = "XOAUTH2" is not modelled; allowed: PLAIN, LOGIN, or empty',
        ),
        ({"maxMessages": -1}, "maxMessages = -1 is too small"),
        ({"maxRequeues": "many"}, "maxRequeues = 'many' is not a whole number"),
        ({"pause": "soon"}, "is not a duration"),
        ({"maxmessages": 5}, 'did you mean "maxMessages"'),
    ],
)
def test_an_impossible_option_is_told(options, said):
    with pytest.raises(ScenarioError) as caught:
        run("nodemailer", 1, **options)
    assert said in str(caught.value)


def test_what_is_given_as_0_is_the_librarys_default():
    result, _ = run("nodemailer", 12, pool=True, maxConnections=0, maxMessages=0)
    assert result.connections.opened == 5
