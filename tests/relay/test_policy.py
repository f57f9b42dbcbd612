"""Policies: the shipped ones, the overrides of a scenario, and the messages for mistakes."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from sim.errors import ScenarioError
from sim.limits import WINDOWS
from sim.relay import KINDS, load, shipped
from sim.relay.policy import described

SECOND = 1_000_000


def policy(use: str = "mailersend", folder: Path | None = None, **overlay: Any) -> Any:
    return load(use, overlay, "x.toml", folder or Path())


def mistake(use: str = "mailersend", folder: Path | None = None, **overlay: Any) -> str:
    with pytest.raises(ScenarioError) as caught:
        policy(use, folder, **overlay)
    return str(caught.value)


def test_the_shipped_policies():
    assert shipped() == ["mailersend", "unlimited"]
    assert policy("unlimited").limits == ()
    assert policy().limits == tuple(KINDS)


def test_the_numbers_of_the_article():
    found = policy()
    rows = [
        (
            getattr(found, name).count,
            getattr(getattr(found, name), "per", None),
            getattr(getattr(found, name), "block", None),
        )
        for name in KINDS
    ]
    day = 86_400 * SECOND
    assert rows == [
        (5, None, None),
        (300, 60 * SECOND, None),
        (120, 60 * SECOND, None),
        (100, day, day),
        (10, 90 * day, 3_600 * SECOND),
    ]
    assert {getattr(found, name).reply.code for name in KINDS} == {421}
    assert found.transactions_per_connection is not None
    assert (
        found.transactions_per_connection.reply.text,
        found.transactions_per_connection.reply.enhanced,
    ) == (
        "Service not available, closing transmission channel.",
        "",
    )


def test_a_bare_number_is_the_count_a_table_any_field_and_false_removes():
    found = policy(
        transactions_per_connection=9, logins_per_username={"count": 240}, connections_per_ip=False
    )
    assert found.transactions_per_connection is not None
    assert found.logins_per_username is not None
    assert (
        found.transactions_per_connection.count,
        found.transactions_per_connection.counted_at,
    ) == (9, "mail")
    assert (found.logins_per_username.count, found.logins_per_username.per) == (240, 60 * SECOND)
    assert found.limits == tuple(name for name in KINDS if name != "connections_per_ip")


def test_one_field_of_a_reply_leaves_the_others():
    before = policy().connections_per_ip
    after = policy(connections_per_ip={"reply": {"code": 454}}).connections_per_ip
    assert before is not None
    assert after is not None
    assert after.reply == before.reply.model_copy(update={"code": 454})
    assert (after.count, after.per) == (before.count, before.per)


def test_a_limit_that_the_base_does_not_have_can_be_laid_on():
    assert policy("unlimited", transactions_per_connection=3).limits == (
        "transactions_per_connection",
    )
    assert "policy.logins_per_username.per: is required" in mistake(
        "unlimited", logins_per_username=3
    )


def test_a_policy_of_ones_own(tmp_path):
    (tmp_path / "own.toml").write_text('title = "Own"\ntransactions_per_connection = 7\n')
    found = policy("own.toml", tmp_path, window="gcra")
    assert found.transactions_per_connection is not None
    assert (found.name, found.title, found.window, found.transactions_per_connection.count) == (
        "own",
        "Own",
        "gcra",
        7,
    )
    (tmp_path / "bad.toml").write_text("transactions = 7\n")
    assert "bad.toml: transactions: unknown key; did you mean" in mistake("bad.toml", tmp_path)


def test_a_file_that_names_no_limit_is_no_policy_but_one_that_takes_all_away_is(tmp_path):
    for text in ("", 'title = "Mine"\n'):
        (tmp_path / "mine.toml").write_text(text)
        assert "mine.toml: names no limit, so nothing would be refused" in mistake(
            "mine.toml", tmp_path
        )
    (tmp_path / "mine.toml").write_text("logins_per_username = false\n")
    assert policy("mine.toml", tmp_path).limits == ()


def test_every_mistake_of_a_policy_is_told_at_once():
    said = mistake(
        name="x",
        window="fixd",
        connections_per_ip=True,
        transactions_per_connection=-5,
        logins_per_username={"count": "a", "per": 0},
        logins=3,
    ).splitlines()
    assert [line.split(": ")[1].removeprefix("policy.") for line in said] == [
        "name",
        "logins",
        "connections_per_ip",
        "window",
        "transactions_per_connection.count",
        "logins_per_username.count",
        "logins_per_username.per",
    ]


@pytest.mark.parametrize(
    ("usernames", "ips", "overlay", "per_min"),
    [
        (1, 1, {}, 600),
        (2, 1, {}, 1_200),
        (3, 1, {}, 1_500),
        (3, 2, {}, 1_800),
        (1, 1, {"logins_per_username": False}, 1_500),
        (1, 1, {"logins_per_username": {"per": 90}}, 400),
        (
            1,
            1,
            {"logins_per_username": {"count": 7, "per": 9}, "transactions_per_connection": 1},
            Fraction(140, 3),
        ),
        (1, 1, {"transactions_per_connection": False}, None),
        (1, 1, {"logins_per_username": False, "connections_per_ip": False}, None),
    ],
)
def test_the_ceiling(usernames, ips, overlay, per_min):
    assert policy(**overlay).ceiling(usernames, ips) == per_min


@pytest.mark.parametrize(
    ("overlay", "words"),
    [
        (
            {"transaction_per_connection": 5},
            'policy.transaction_per_connection: unknown key; did you mean "transactions_per',
        ),
        (
            {"transactions_per_connection": 0},
            "transactions_per_connection.count: 0 is too small; at least 1",
        ),
        ({"transactions_per_connection": -3}, "-3 is too small"),
        ({"transactions_per_connection": 5.0}, "5.0 is not a whole number"),
        ({"transactions_per_connection": 10**12}, "is too large; at most 1000000000"),
        (
            {"transactions_per_connection": "5"},
            'transactions_per_connection: "5" is not allowed; write a count',
        ),
        (
            {"transactions_per_connection": True},
            "true is not allowed; write a count, a table, or false",
        ),
        (
            {"transactions_per_connection": {"per": "1m"}},
            "transactions_per_connection.per: unknown key; allowed: count, reply",
        ),
        ({"logins_per_username": {"per": 0}}, "logins_per_username.per: 0 is too small"),
        ({"logins_per_username": {"per": "1 hr"}}, '"1 hr" is not a duration; write "1h"'),
        ({"logins_per_username": {"window": "slidng"}}, 'allowed: .*; did you mean "sliding"'),
        (
            {"logins_per_username": {"consecutive": "sometimes"}},
            'consecutive: "sometimes" is not allowed; allowed: "every"',
        ),
        ({"logins_per_username": {"counts_failed": "no"}}, '"no" is not true or false'),
        (
            {"logins_per_username": {"reply": {"stage": "mail"}}},
            'reply.stage "mail" is not a stage of this limit; allowed: auth',
        ),
        (
            {"logins_per_username": {"reply": {"code": 250}}},
            "reply.code: 250 is too small; at least 400",
        ),
        (
            {"logins_per_username": {"reply": {"then": "sulk"}}},
            '"sulk" is not allowed; allowed: "close", "drop" or "stay"',
        ),
        ({"logins_per_username": {"reply": {"text": "a\r\nb"}}}, "reply.text: "),
        ({"logins_per_username": {"reply": 421}}, "421 is not a table"),
        ({"failed_logins_per_ip": {"block": 0}}, "failed_logins_per_ip.block: 0 is too small"),
        (
            {"failed_logins_per_ip": {"count": 1, "block_at": "reached"}},
            'block_at "reached" needs a count of 2 or more',
        ),
        (
            {"failed_logins_per_ip": {"kept_from": "last", "window": "gcra"}},
            'kept_from "last" needs window = "fixed"',
        ),
        (
            {"window": "slide"},
            "policy.window: .slide. is not a window algorithm; allowed: " + ", ".join(WINDOWS),
        ),
        ({"window": 5}, "policy.window: 5 is not a window"),
        ({"message_size": 5}, "message_size: 5 is too small; at least 1000"),
        ({"name": "x"}, "policy.name: is not a key"),
    ],
)
def test_a_mistake_is_told_in_one_line(overlay, words):
    said = mistake(**overlay)
    assert "\n" not in said
    assert re.search(words, said)
    assert said.startswith("x.toml: policy")


@pytest.mark.parametrize(
    ("use", "words"),
    [
        ("mailsender", 'allowed: mailersend, unlimited, or a path; did you mean "mailersend"'),
        ("none.toml", '"none.toml" is not a file; a path is relative to the scenario file'),
        ("a/b", "is not a file"),
        ("a/" + "b" * 5_000, "is not a file"),
        ("a/\0", "is not a file"),
        ("../policies", "is not a file"),
    ],
)
def test_a_policy_that_is_not_there(use, words):
    assert words in mistake(use)


def test_all_mistakes_are_told_at_once():
    said = mistake(window="x", message_size=1, logins_per_username=0)
    assert [line.split(":")[1].strip() for line in said.splitlines()] == [
        "policy.window",
        "policy.message_size",
        "policy.logins_per_username.count",
    ]


def test_the_lines_for_people():
    lines = described(policy(connections_per_ip=False))
    assert lines[0] == "transactions_per_connection: 5, 421 at mail"
    assert lines[1] == "connections_per_ip: none"
    assert lines[3] == "failed_logins_per_ip: 100 per 1d (fixed), then blocked for 1d, 421 at auth"
