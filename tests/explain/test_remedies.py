"""Remedies are found by running: each avoids the limit when it is run again, and the next smaller
change does not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.errors import ScenarioError
from sim.explain import Remedy, remedies
from sim.explain.candidates import knobs_of, set_to
from sim.measure.result import Result
from sim.scenario import build
from sim.world import simulate

BATCH = {"kind": "batch", "messages": 300}


def run(tables: dict[str, Any]) -> Result | ScenarioError:
    try:
        return simulate(build(tables, "here", "here", Path()))
    except ScenarioError as error:
        return error


def search(tables: dict[str, Any], limit: str) -> list[Remedy]:
    asking = remedies(tables, build(tables, "here", "here", Path()).policy, limit)
    try:
        wanted = next(asking)
        while True:
            wanted = asking.send(run(wanted))
    except StopIteration as end:
        found: list[Remedy] = end.value
        return found


def incidents(tables: dict[str, Any], limit: str) -> int:
    result = run(tables)
    assert isinstance(result, Result)
    return result.incidents.by_limit[limit]


def test_the_size_of_a_batch_is_brought_down_to_what_a_connection_carries():
    tables = {"workload": BATCH, "sender": {"strategy": "batches", "options": {"size": 40}}}
    best = search(tables, "transactions_per_connection")[0]
    assert [(one.key, one.before, one.after) for one in best.changes] == [
        ("sender.options.size", 40, 5)
    ]
    assert best.clean
    assert incidents(best.tables, "transactions_per_connection") == 0
    assert incidents(set_to(tables, "sender.options.size", 6), "transactions_per_connection") > 0
    assert tables["sender"]["options"] == {"size": 40}  # type: ignore[index]


def test_no_bound_at_all_becomes_the_largest_one_that_holds():
    tables = {
        "workload": BATCH,
        "sender": {"strategy": "phpmailer", "options": {"SMTPKeepAlive": True}},
    }
    best = search(tables, "transactions_per_connection")[0]
    assert [(one.key, one.after) for one in best.changes] == [("sender.options.per_connection", 5)]


def test_a_strategy_without_options_is_replaced():
    tables = {"workload": BATCH, "sender": {"strategy": "one-connection"}}
    assert [one.after for one in search(tables, "transactions_per_connection")[0].changes] == [
        "paced"
    ]


def test_a_chain_goes_on_until_nothing_is_refused():
    tables = {
        "workload": {"kind": "batch", "messages": 700},
        "sender": {"strategy": "nodemailer", "options": {"pool": True}},
    }
    found = search(tables, "transactions_per_connection")
    assert [(one.key, one.after) for one in found[0].changes] == [("sender.options.maxMessages", 5)]
    assert not found[0].clean
    whole = next(one for one in found if one.clean)
    assert whole.changes[0] == found[0].changes[0]
    assert len(whole.changes) == 2
    result = run(whole.tables)
    assert isinstance(result, Result)
    assert (result.incidents.total, result.messages.lost) == (0, 0)


def test_a_wrong_password_is_put_right():
    tables = {
        "workload": {"kind": "constant", "rate": "2/min", "for": "2h"},
        "sender": {"strategy": "connection-per-message"},
        "faults": {"wrong_password": {"from": "10m", "until": "40m"}},
    }
    best = search(tables, "failed_logins_per_username_ip")[0]
    assert [(one.key, one.after) for one in best.changes] == [("faults.wrong_password", None)]
    assert best.clean


def test_an_option_whose_name_contains_dots_can_be_a_remedy():
    """A connection takes 13 round trips, which is 46 logins a minute, and 14 with the answer to
    QUIT, which is 42.
    """
    key = "sender.options.mail.smtp.quitwait"
    tables = {
        "workload": {"kind": "batch", "messages": 100},
        "sender": {"strategy": "jakarta-mail", "options": {"mail.smtp.quitwait": False}},
        "network": {"rtt": "100ms", "relay_time": 0, "jitter": 0.0},
        "policy": {"logins_per_username": {"count": 44}},
    }
    found = search(tables, "logins_per_username")
    (remedy,) = (one for one in found if [change.key for change in one.changes] == [key])
    assert [(one.before, one.after) for one in remedy.changes] == [(False, True)]
    assert remedy.tables["sender"]["options"] == {"mail.smtp.quitwait": True}
    assert incidents(tables, "logins_per_username") > 0
    assert incidents(remedy.tables, "logins_per_username") == 0


def test_nothing_is_found_where_nothing_helps():
    tables = {
        "workload": {"kind": "batch", "messages": 20},
        "sender": {"strategy": "paced"},
        "until": "3h",
        "policy": {"logins_per_username": {"count": 1, "per": "90d"}},
    }
    assert search(tables, "logins_per_username") == []


@pytest.mark.parametrize(
    "name", ["batches", "paced", "nodemailer", "jakarta-mail", "adaptive", "one-connection"]
)
def test_every_value_that_is_tried_can_be_run(name):
    tables = {
        "workload": {"kind": "batch", "messages": 6},
        "sender": {"strategy": name, "workers": 3},
    }
    policy = build(tables, "here", "here", Path()).policy
    for knob in knobs_of(tables, policy):
        for value in {str(one): one for ladder in knob.ladders for one in ladder[-2:]}.values():
            answer = run(set_to(tables, knob.key, value))
            assert (
                isinstance(answer, Result)
                or str(value) in str(answer)
                or knob.key.endswith("idleTimeout")
            ), (knob, answer)
