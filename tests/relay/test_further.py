"""A kind of limit that is only declared and registered works everywhere: the policy file, the
relay in both doors, the result, its diagnosis and figures, the dashboard's controls and a plan.
"""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest
from matplotlib.text import Text

import sim.live
from sim.errors import ScenarioError
from sim.plan import by_deadline, plan
from sim.relay import kinds
from sim.relay.kinds import KINDS, Counts, Kind, WindowSpec
from sim.relay.policy import Policy, described, register
from sim.relay.policy_file import load
from sim.report import figures
from sim.scenario import Scenario, build
from sim.ui import controls
from sim.world import simulate

NAME = "messages_per_username"


class MessagesSpec(WindowSpec):
    """The table of the planted limit."""

    stages = ("mail", "rcpt", "data", "body")


PLANTED = Kind(
    NAME,
    Counts(
        "messages",
        at="mail",
        noun="message",
        plural="messages",
        carries="message",
        attempt="{key} sent its {nth} message",
        request="Message {message} of {key}",
        remedy="Send at most one message of {one} every {spacing}, or use {more}.",
    ),
    kinds.USERNAME,
    MessagesSpec,
)


@pytest.fixture
def planted() -> Iterator[Kind]:
    """The registered kind."""
    register(PLANTED)
    yield PLANTED
    del KINDS[NAME]
    del Policy.model_fields[NAME]
    Policy.model_rebuild(force=True)


def scenario(messages: int = 30, **limit: object) -> Scenario:
    tables = {
        "policy": {NAME: {"count": 12, "per": "60s", **limit}},
        "workload": {"kind": "batch", "messages": messages},
        "sender": {"strategy": "batches", "options": {"size": 5, "pause": "0.5s"}},
        "network": {"jitter": 0},
    }
    return build(tables, "test", "test", Path())


def test_the_simulated_relay_refuses_the_thirteenth_message(planted):
    result = simulate(scenario())
    assert result.messages.accepted == 12
    assert result.incidents.by_limit[NAME] == result.incidents.total > 0
    first = result.incidents.log[0]
    assert (first.limit, first.code, first.username, first.message) == (NAME, 421, "user1", "13")
    assert max(result.series.in_window[NAME]) >= 12
    [found] = [one for one in result.diagnosis if one.limit == NAME]
    assert found.what.startswith("user1 sent its thirteenth message within 60 s")
    assert "12 messages of one username per 60 s" in found.why
    assert "Send at most one message of a username every 5.05 s" in found.fix


def test_a_later_stage_and_a_connection_that_stays_open(planted):
    result = simulate(scenario(reply={"stage": "data", "code": 450, "then": "stay"}))
    assert result.messages.accepted == 12
    assert result.incidents.by_code == {"450": result.incidents.total}
    assert result.connections.refused == 0


def test_a_block_starts_and_ends(planted):
    result = simulate(scenario(block="10m"))
    [block] = result.blocks
    assert (block.limit, block.key.username) == (NAME, "user1")
    assert block.until_s - block.from_s == 600


def test_the_live_relay_does_the_same(planted):
    policy = {NAME: {"count": 2, "per": "60s"}}
    with sim.live.running(policy=policy, tls="none") as relay:
        with smtplib.SMTP(relay.host, relay.port, timeout=60) as smtp:
            smtp.login("user1", "secret")
            for number in (1, 2):
                smtp.sendmail("a@b.example", [f"m{number}@c.example"], "Subject: x\r\n\r\nx\r\n")
            with pytest.raises(smtplib.SMTPException):
                smtp.sendmail("a@b.example", ["m3@c.example"], "Subject: x\r\n\r\nx\r\n")
        result = relay.result()
    assert result.messages.accepted == 2
    assert result.incidents.by_limit[NAME] == 1


def test_the_figures_and_the_controls_show_it(planted):
    one = scenario()
    result = simulate(one)
    figure = figures.windows(result, one.policy)
    texts = [text.get_text() for axes in figure.axes for text in axes.findobj(Text)]
    assert "messages of the busiest username" in " ".join(texts)
    labels = [control.key for control in controls.limit_controls(NAME)]
    assert f"policy.{NAME}.count" in labels
    assert f"policy.{NAME}.per" in labels
    assert any(line.startswith(f"{NAME}: 12 per 1m") for line in described(one.policy))


def test_a_plan_keeps_to_it(planted):
    found = plan(
        by_deadline(200, 3_600_000_000),
        settings=[f"policy.{NAME}={{count=10, per='60s'}}"],
    )
    ceilings = {one.limit: one.per_min for one in found.ceilings}
    assert ceilings[NAME] == 10
    assert found.feasible
    assert found.ceiling_per_min == 10


def test_mistakes_in_its_table_are_reported_like_others():
    with pytest.raises(ScenarioError, match=NAME):
        load("mailersend", {NAME: 5}, "test", Path())
    register(PLANTED)
    try:
        with pytest.raises(ScenarioError, match="stage"):
            load(
                "mailersend",
                {NAME: {"count": 5, "per": "1m", "reply": {"stage": "auth"}}},
                "",
                Path(),
            )
    finally:
        del KINDS[NAME]
        del Policy.model_fields[NAME]
        Policy.model_rebuild(force=True)
