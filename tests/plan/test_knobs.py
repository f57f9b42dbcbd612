"""Each library in its own options: settings spelt its way, times measured where it speaks
otherwise, plans that its model keeps.
"""

from __future__ import annotations

import pytest

from sim.plan import Standard, by_deadline, plan
from sim.plan.connection_time import cycle_of, measured_cycle
from sim.plan.option_map import KNOBS, Setting, knobs_for, known
from sim.plan.trials import Meter, Trials
from sim.strategies import catalogue
from tests.plan.plans import MINUTE

LIBRARIES = [name for name in known() if name not in ("paced", "batches", "smtplib")]


def trials(name: str) -> Trials:
    return Trials(
        by_deadline(10, MINUTE),
        knobs_for(name),
        {"policy": {"use": "mailersend"}},
        1,
        1,
        Meter(lambda *_: None),
    )


@pytest.mark.parametrize("name", known())
def test_every_option_is_one_of_the_strategys(name):
    knobs = knobs_for(name)
    options = knobs.options(Setting(2, 1, 1, 5, 700_000, 2))
    assert set(options) <= set(catalogue.shipped(knobs.strategy).options)
    catalogue.check_options(catalogue.shipped(knobs.strategy), options, "test")


def test_those_with_a_row_are_shipped():
    assert set(KNOBS) <= set(catalogue.SHIPPED)


def test_gaps_are_spelt_as_the_library_takes_them():
    setting = Setting(1, 1, 1, 5, 1_250_000, 3)
    assert knobs_for("paced").options(setting) == {"size": 5, "spacing": "1.25s"}
    assert knobs_for("symfony-mailer").options(setting)["restart_threshold_sleep"] == 2
    nodemailer = knobs_for("nodemailer").options(setting)
    assert (nodemailer["rateDelta"], nodemailer["maxConnections"], nodemailer["rateLimit"]) == (
        1250,
        3,
        5,
    )


@pytest.mark.parametrize("name", ["paced", "batches"])
def test_a_plain_strategys_measured_time_is_the_closed_form(name):
    made = trials(name)
    _, network = made.base()
    assert measured_cycle(made, network) == cycle_of(network)


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_plan_for_a_library_holds_in_its_model_under_every_reading(name):
    found = plan(by_deadline(800, 6 * MINUTE), strategy=name, standard=Standard(replications=3))
    assert found.feasible, found.why
    assert found.predicted is not None
    assert found.predicted.incidents.high == 0
    assert all(found.readings.values()), [
        reading for reading, holds in found.readings.items() if not holds
    ]
    assert found.rtt_s is not None
    assert found.rtt_s[0] == 0, (
        "a pause is safe for any round trip where the demand leaves the time"
    )
