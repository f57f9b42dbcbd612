"""A kind of limit that is only declared and registered works everywhere: the policy file, the
relay in both doors, the result, its diagnosis and figures, the dashboard's controls and a plan.
"""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from matplotlib.text import Text

import sim.live
from sim.errors import ScenarioError
from sim.explain import evidence
from sim.plan import by_deadline, plan
from sim.records import BlockRow
from sim.relay import kinds
from sim.relay.forced import ForcedRefusals
from sim.relay.kinds import KINDS, Counts, Kind, LimitSpec, WindowSpec
from sim.relay.policy import Policy, described, register
from sim.relay.policy_file import load
from sim.report import figures
from sim.scenario import Scenario, build
from sim.smtp.commands import Mail, Rcpt
from sim.ui import controls
from sim.world import World, simulate, strategy_of
from tests.relay.bench import ACCEPTED, Bench, S, right

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


FAILURES = Kind(
    "failed_logins_per_username",
    kinds.FAILED_LOGINS,
    kinds.USERNAME,
    kinds.FailedSpec,
    consecutive=True,
)


class RecipientsSpec(LimitSpec):
    """The table of a limit without a window."""

    stages = ("rcpt", "data")


RECIPIENTS = Kind(
    "recipients_per_connection",
    replace(PLANTED.counts, name="recipients", at="rcpt", noun="recipient", plural="recipients"),
    kinds.CONNECTION,
    RecipientsSpec,
)


@pytest.fixture
def planted() -> Iterator[Kind]:
    """The registered kind."""
    with registered(PLANTED):
        yield PLANTED


@contextmanager
def registered(kind: Kind) -> Iterator[None]:
    register(kind)
    try:
        yield
    finally:
        del KINDS[kind.name]
        del Policy.model_fields[kind.name]
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
    limit = {"count": 5, "per": "1m", "reply": {"stage": "auth"}}
    with registered(PLANTED), pytest.raises(ScenarioError, match="stage"):
        load("mailersend", {NAME: limit}, "", Path())


def test_a_kind_that_would_refuse_before_it_counts_is_not_registered():
    with pytest.raises(AssertionError, match="before it counts"):
        register(Kind("recipients", RECIPIENTS.counts, kinds.CONNECTION, kinds.TransactionsSpec))
    assert "recipients" not in KINDS


def test_explain_shows_the_messages_that_filled_its_window(planted):
    one = scenario()
    world = World(one, strategy_of(one))
    world.run()
    story = world.story()
    found = evidence(story, one.policy, story.incidents[0])
    happened, passes = found.sentences
    assert happened.startswith("Message 13 of user1 was answered 421 at ")
    assert "12 messages in 60 s (fixed window) are allowed" in happened
    assert len(found.filled) == 12
    assert "when its window has room again" in passes


def test_every_control_sets_its_key(planted):
    heading = KINDS[NAME].heading
    assert heading == "Messages a username"
    given = controls.whole_limit(NAME)
    assert given == {"count": 100, "per": "1m"}
    for control in controls.limit_controls(NAME, whole=True):
        limit = dict(given)
        table = limit
        *path, last = control.key.removeprefix(f"policy.{NAME}.").split(".")
        for part in path:
            table = table.setdefault(part, {})
        table[last] = control.values[-1] if control.kind == "choice" else control.default
        if table[last] == "":
            del table[last]
        assert load("mailersend", {NAME: limit}, "test", Path()).spec(NAME) is not None, control.key


def test_wrong_passwords_block_a_username_at_every_ip_and_a_success_resets_them():
    limit = FAILURES.name
    with registered(FAILURES):
        bench = Bench("unlimited", **{limit: {"count": 2, "per": "1h", "block": "10m"}})
        assert [bench.login(S, word) for word in ("wrong", "wrong", "right")] == [
            "535",
            "535",
            "235",
        ]
        assert [bench.login(2 * S, ip=ip) for ip in ("i", "j", "k")] == ["535", "535", limit]
        assert bench.login(3 * S, "right", ip="l") == limit
        assert bench.login(3 * S, "right", username="other") == "235"
        assert bench.login(602 * S, "right", ip="l") == "235"
    assert bench.rows.blocks == [BlockRow(limit, None, "u", 2 * S, 602 * S)]


def test_each_connection_has_its_own_count_of_recipients():
    with registered(RECIPIENTS):
        bench = Bench("unlimited", **{RECIPIENTS.name: 2})
        for _ in range(2):
            session = bench.logged_in()
            session.handle(Mail("a@b.example"), 0)
            replies = [session.handle(Rcpt(f"{number}@c.example"), 0) for number in range(3)]
            assert [reply.code for reply in replies if reply] == [250, 250, 421]


def test_a_refusal_can_be_forced(planted):
    limit: dict[str, Any] = {NAME: {"count": 12, "per": "60s"}}
    bench = Bench(**limit)
    bench.relay = ForcedRefusals(bench.relay.policy, bench.rows, right, tls="none")
    bench.relay.refuse_next(NAME)
    assert bench.transaction(bench.logged_in()) == [421]
    assert bench.transaction(bench.logged_in()) == ACCEPTED


def test_the_state_of_a_live_relay_keeps_its_counts(planted, tmp_path):
    state = tmp_path / "relay.state"
    policy = {NAME: {"count": 2, "per": "1h"}}
    accepted = []
    for _ in range(2):
        with sim.live.running(policy=policy, tls="none", state=state) as relay:
            for number in (1, 2):
                try:
                    with smtplib.SMTP(relay.host, relay.port, timeout=60) as smtp:
                        smtp.login("user1", "secret")
                        smtp.sendmail("a@b.example", [f"m{number}@c.example"], "x: y\r\n\r\nx\r\n")
                except smtplib.SMTPException:
                    pass
            accepted.append(relay.result().messages.accepted)
    assert accepted == [2, 0]
