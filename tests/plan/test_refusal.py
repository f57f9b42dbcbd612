"""What is answered where nothing meets the demand: the limit that forbids it, and what would change
that.
"""

from __future__ import annotations

import pytest

from sim import units
from sim.plan import Resources, Standard, at_rate, by_deadline, plan
from tests.plan.plans import MINUTE, at, within


def test_600_a_minute_is_the_limit_itself():
    found = at("600/min")
    assert not found.feasible
    assert (found.settings, found.scenario, found.predicted, found.binding) == (
        None,
        None,
        None,
        "logins_per_username",
    )
    assert "the limit itself" in found.why
    assert "without any margin" in found.why
    assert found.nearest is not None
    assert found.nearest.settings == at("590/min").settings
    assert found.nearest.per_min == pytest.approx(594.06, abs=0.01)
    assert found.changes == {"usernames": 2, "per_min": pytest.approx(594.06, abs=0.01)}


def test_a_little_less_than_the_limit_leaves_too_little_margin():
    found = at("597/min")
    assert not found.feasible
    assert "too little margin" in found.why
    assert found.binding == "logins_per_username"


@pytest.mark.parametrize(("rate", "usernames"), [("700/min", 2), ("1700/min", 3)])
def test_beyond_the_limit_it_says_how_many_usernames_would_do_and_they_do(rate, usernames):
    found = at(rate, lasts="3m")
    assert (found.feasible, found.binding) == (False, "logins_per_username")
    assert found.changes["usernames"] == usernames
    assert at(rate, usernames=usernames, lasts="3m").feasible
    assert not at(rate, usernames=usernames - 1, lasts="3m").feasible


def test_with_many_usernames_one_ip_is_what_binds():
    demand = at_rate(units.rate("2000/min"), lasts=2 * MINUTE)
    found = plan(demand, resources=Resources(6, 1), standard=Standard(replications=2))
    assert (found.feasible, found.binding, found.changes["ips"]) == (False, "connections_per_ip", 2)
    assert plan(demand, resources=Resources(6, 2), standard=Standard(replications=2)).feasible


def test_an_impossible_deadline_says_what_would_change_that_and_it_does():
    found = within(2000, "2m")
    assert (found.feasible, found.binding) == (False, "logins_per_username")
    assert within(2000, f"{found.changes['within_s']:g}s").feasible
    assert within(int(found.changes["messages"]), "2m").feasible
    assert within(2000, "2m", usernames=int(found.changes["usernames"])).feasible


def test_a_deadline_shorter_than_one_connection_is_the_round_trips_fault():
    found = within(1, "0.3s")
    assert (found.feasible, found.binding) == (False, "round_trips")
    assert "usernames" not in found.changes


def test_too_few_workers_are_named():
    demand = at_rate(units.rate("500/min"))
    found = plan(demand, resources=Resources(1, 1, 2), standard=Standard(replications=2))
    assert (found.feasible, found.binding) == (False, "workers")


def test_a_faulty_relay_for_which_nothing_is_safe_is_not_called_feasible():
    found = plan(
        by_deadline(200, 10 * MINUTE),
        strategy="batches",
        settings=["faults.drop_connection=0.05"],
        standard=Standard(replications=3),
        resources=Resources(1, 1, 4),
    )
    assert not found.feasible
