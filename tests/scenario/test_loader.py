"""Scenario files: what a good one becomes, and that every mistake is one line of place, key, value
and remedy, never a traceback.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.errors import ScenarioError
from sim.scenario import Scenario, build, load_scenario
from sim.scenario.toml import toml_value

S = 1_000_000
GOOD = {"workload": {"kind": "batch", "messages": 10}, "sender": {"strategy": "paced"}}


def made(*overrides: str, seed: int | None = None, **tables: Any) -> Scenario:
    return build(GOOD | tables, "x.toml", "x", Path(), overrides, seed)


def mistakes(*overrides: str, **tables: Any) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        made(*overrides, **tables)
    return str(caught.value).splitlines()


def test_the_defaults():
    found = made()
    assert (found.title, found.about, found.seed, found.until, found.horizon) == (
        "x",
        "",
        1,
        None,
        7 * 86_400 * S,
    )
    assert found.policy.name == "mailersend"
    assert (found.sender.workers, found.sender.usernames, found.sender.ips) == (1, 1, 1)
    network = found.network
    assert (network.rtt, network.jitter, network.relay_time, network.tls) == (
        40_000,
        0.1,
        5_000,
        "starttls",
    )
    assert (network.client_time.connection, network.client_time.message) == (0, 0)
    assert (found.faults.drop_connection, found.faults.wrong_password, found.faults.relay_down) == (
        0,
        None,
        [],
    )


def test_a_file_with_everything(tmp_path):
    (tmp_path / "sent.csv").write_text("at\n0\n1.5\n")
    (tmp_path / "whole.toml").write_text("""
title = "T"
about = "A"
seed = 3
until = "2h"
policy = { use = "mailersend", transactions_per_connection = 9, window = "gcra" }
workload = { kind = "trace", file = "sent.csv" }
network = { rtt = "10ms", client_time = { connection = "1ms" } }
[sender]
strategy = "batches"
workers = 3
usernames = 2
options = { size = 4, pause = "1s" }
[faults]
drop_connection = 0.5
wrong_password = { from = "10m", until = "40m" }
relay_down = [{ at = "30m", for = "2m" }]
slow = { at = "1h", for = "10m", factor = 20 }
[expect]
"incidents.total" = "== 0"
latency_s.p99 = "<= 5"
""")
    found = load_scenario(tmp_path / "whole.toml", seed=5)
    assert (found.name, found.title, found.seed, found.until) == ("whole", "T", 5, 7_200 * S)
    assert found.arrivals == (0, 1_500_000)
    assert (found.faults.relay_down[0].at, found.faults.relay_down[0].for_) == (1_800 * S, 120 * S)
    assert [one.metric for one in found.expectations] == ["incidents.total", "latency_s.p99"]
    assert (found.strategy, found.sender.options) == ("batches", {"size": 4, "pause": "1s"})


@pytest.mark.parametrize(
    ("tables", "line"),
    [
        (
            {"wrkload": {}},
            'wrkload: unknown key; did you mean "workload"? allowed: '.replace("? ", "?; "),
        ),
        (
            {"workload": {"kind": "batch", "mesages": 5, "messages": 5}},
            'workload.mesages: unknown key; did you mean "messages"?',
        ),
        ({"workload": {"kind": "batch"}}, "workload.messages: is required"),
        (
            {"workload": {"kind": "batch", "messages": 0}},
            "workload.messages: 0 is too small; at least 1",
        ),
        (
            {"workload": {"kind": "batch", "messages": 1.0}},
            "workload.messages: 1.0 is not a whole number",
        ),
        (
            {"workload": {"kind": "batch", "messages": True}},
            "workload.messages: true is not a whole number",
        ),
        (
            {"workload": {"kind": "batch", "messages": "ten"}},
            'workload.messages: "ten" is not a whole number',
        ),
        (
            {"workload": {"kind": "batch", "messages": 10**5_000}},
            "workload.messages: a number that is far too long",
        ),
        (
            {"workload": {"kind": "poison"}},
            'workload.kind: "poison" is no workload; did you mean "poisson"?; allowed: batch, ',
        ),
        ({"workload": {"kind": ["batch"]}}, "workload.kind: ['batch'] is no workload"),
        (
            {"workload": {}},
            "workload.kind: is required; allowed: batch, constant, poisson, bursts, daily, trace",
        ),
        ({"workload": 5}, "workload: 5 is not a table; write [workload]"),
        (
            {"workload": {"kind": "poisson", "rate": "-5/s", "for": 1}},
            'workload.rate: "-5/s" is not a rate; write it like "10/s"',
        ),
        (
            {"workload": {"kind": "poisson", "rate": "0/s", "for": 1}},
            'workload.rate: "0/s" is not a rate above 0',
        ),
        (
            {"workload": {"kind": "poisson", "rate": 5, "for": 1}},
            "workload.rate: 5 is not a rate; write it like",
        ),
        (
            {"workload": {"kind": "poisson", "rate": "1/s", "for": "1 hr"}},
            'workload.for: "1 hr" is not a duration; write "1h"',
        ),
        (
            {"workload": {"kind": "poisson", "rate": "1/s", "for": -1}},
            "workload.for: -1 is negative; a duration is 0 or more",
        ),
        (
            {"workload": {"kind": "poisson", "rate": "1/s", "for": 0}},
            "workload.for: 0 is too small; more than 0",
        ),
        ({"workload": {"kind": "daily", "profile": [1.0], "for": 1}}, "workload.profile: "),
        ({"workload": {"kind": "daily", "profile": [0] * 24, "for": 1}}, "workload: "),
        (
            {"workload": {"kind": "trace", "file": "none.csv"}},
            "workload.file: none.csv cannot be read: No such file",
        ),
        ({"workload": {"kind": "trace", "file": "a\0b"}}, "workload.file: "),
        (
            {"workload": {"kind": "trace", "file": "tests"}},
            "workload.file: tests cannot be read: Is a directory",
        ),
        ({"until": float("nan")}, "until: nan is not a duration; write a finite number of seconds"),
        ({"until": float("inf")}, "until: inf is not a duration"),
        ({"until": 10**400}, "until: 1000"),
        ({"until": 0}, "until: 0 is too small"),
        ({"until": True}, "until: True is not a duration"),
        ({"until": "9" * 5_000 + "s"}, 'until: "9999'),
        ({"network": {"rtt": "2h"}}, 'network.rtt: "2h" is too large; at most 1h'),
        (
            {"policy": {"uze": "mailersend"}},
            'policy.uze: unknown key; did you mean "use"?; allowed: use, title, source, window,',
        ),
        ({"seed": -1}, "seed: -1 is too small; at least 0"),
        ({"seed": 2**63}, "seed: 9223372036854775808 is too large"),
        ({"title": 5}, "title: 5 is not a string"),
        (
            {"sender": {"strategy": "pacd"}},
            'sender.strategy: "pacd" is no shipped strategy; allowed: ',
        ),
        (
            {"sender": {"strategy": "none.py:x"}},
            'sender.strategy: "none.py" is not a file; a path is relative',
        ),
        (
            {"sender": {"strategy": "none.py"}},
            'sender.strategy: "none.py" names no strategy in the file; write path/to/file.py:name',
        ),
        ({"sender": {"strategy": "a/" * 3_000 + "x.py:f"}}, 'sender.strategy: "a/a/'),
        ({"sender": {}}, "sender: "),
        ({"sender": {"strategy": "paced", "code": "x.py:f"}}, "sender: "),
        (
            {"sender": {"code": "x.py:f"}},
            "sender.code: production code in virtual time is not yet in this version; use strategy",
        ),
        ({"sender": {"strategy": "paced", "call": "once"}}, "sender: "),
        (
            {"sender": {"code": "x.py:f", "call": "twice"}},
            'sender.call: "twice" is not allowed; allowed: "once" or "per-message"',
        ),
        ({"sender": {"strategy": "paced", "workers": 2, "ips": 3}}, "sender: "),
        (
            {"sender": {"strategy": "paced", "options": {"sise": 3}}},
            'sender.options.sise: unknown option; did you mean "size"?',
        ),
        (
            {"sender": {"strategy": "paced", "options": {"size": "3"}}},
            'sender.options.size: "3" is not a whole number',
        ),
        (
            {"sender": {"strategy": "paced", "options": {"size": 0}}},
            "sender.options: size = 0 is too small",
        ),
        (
            {"sender": {"strategy": "paced", "options": {"spacing": "1 sec"}}},
            'sender.options.spacing: "1 sec" is not a duration',
        ),
        ({"sender": {"strategy": "paced", "options": 5}}, "sender.options: 5 is not a table"),
        ({"network": {"jitter": float("nan")}}, "network.jitter: nan is not a finite number"),
        ({"network": {"jitter": -0.1}}, "network.jitter: -0.1 is too small"),
        ({"network": {"rtt": "2h"}}, "network.rtt: "),
        (
            {"network": {"tls": "ssl"}},
            'network.tls: "ssl" is not allowed; allowed: "none", "starttls" or "implicit"',
        ),
        (
            {"network": {"client_time": {"mesage": 1}}},
            'network.client_time.mesage: unknown key; did you mean "message"?',
        ),
        ({"network": []}, "network: [] is not a table; write [network]"),
        (
            {"faults": {"drop_connection": 1.5}},
            "faults.drop_connection: 1.5 is too large; at most 1",
        ),
        (
            {"faults": {"wrong_password": {"from": 5, "until": 5}}},
            "faults.wrong_password: until must be later than from",
        ),
        ({"faults": {"relay_down": [{"at": 1}]}}, "faults.relay_down.0.for: is required"),
        (
            {"faults": {"relay_down": [{"at": 1, "fro": 1, "for": 1}]}},
            'faults.relay_down.0.fro: unknown key; did you mean "for"?',
        ),
        (
            {"expect": {"incident.total": "== 0"}},
            'expect.incident.total: is no metric of a result; did you mean "incidents.total"?',
        ),
        (
            {"expect": {"incidents.total": 0}},
            "expect.incidents.total: 0 is not a comparison; write ",
        ),
        (
            {"expect": {"incidents.total": "= 0"}},
            'expect.incidents.total: "= 0" is not a comparison',
        ),
        (
            {"expect": {"incidents.total": "== nan"}},
            'expect.incidents.total: "nan" is not a finite number',
        ),
        ({"policy": 5}, "policy: 5 is not a table; write [policy]"),
        ({"policy": {"use": 5}}, "policy.use: 5 is not a string"),
        ({"a\nb": 1}, "a\\nb: unknown key"),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, str) else "",
)
def test_a_mistake_is_one_line_with_place_key_value_and_remedy(tables, line):
    said = mistakes(**tables)
    assert len(said) == 1
    assert said[0].startswith(f"x.toml: {line}")
    assert said[0].isprintable()
    assert len(said[0]) < 900


@pytest.mark.parametrize("missing", ["workload", "sender"])
def test_a_missing_table(missing):
    with pytest.raises(ScenarioError) as caught:
        build({key: value for key, value in GOOD.items() if key != missing}, "x.toml", "x", Path())
    assert str(caught.value) == f"x.toml: [{missing}]: is a required table"


def test_all_mistakes_of_a_file_are_told_at_once():
    said = mistakes(until="x", network={"rtt": -1, "tls": 5}, workload={"kind": "batch"}, colour=1)
    assert [line.split(": ")[1] for line in said] == [
        "colour",
        "until",
        "workload.messages",
        "network.rtt",
        "network.tls",
    ]


def test_a_mistake_in_the_policy_is_not_one_in_the_expectations_too():
    expect = {"incidents.by_limit.connections_per_ip": "== 0"}
    said = mistakes(policy={"window": "x"}, expect=expect)
    assert [line.split(": ")[1] for line in said] == ["policy.window"]
    said = mistakes(policy={"use": "unlimited"}, expect=expect)
    assert [line.split(": ")[1] for line in said] == [
        "expect.incidents.by_limit.connections_per_ip"
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "[workload]: is a required table"),
        (b"workload = ", "is not valid TOML: "),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"seed = " + b"9" * 5_000, "is not valid TOML: "),
        (b"a = " + b"[" * 100_000, "is not valid TOML: "),
        (b"a = 1\na = 2", "is not valid TOML: "),
        (bytes(range(32)), "is not valid TOML: "),
    ],
)
def test_a_file_that_is_no_scenario(tmp_path, content, words):
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"{path}: {words}")
    assert all(line.startswith(str(path)) for line in lines)


def test_a_folder_or_nothing_in_place_of_a_file(tmp_path):
    for path, words in (
        (tmp_path, "Is a directory"),
        (tmp_path / "none.toml", "No such file or directory"),
    ):
        with pytest.raises(ScenarioError, match=f"cannot be read: {words}"):
            load_scenario(path)


# Overrides, as --set gives them.


@pytest.mark.parametrize(
    ("override", "look", "value"),
    [
        ("workload.messages=500", lambda found: found.workload.messages, 500),
        ("until=90", lambda found: found.until, 90 * S),
        ("until = 2h", lambda found: found.until, 7_200 * S),
        ('until="2h"', lambda found: found.until, 7_200 * S),
        ("title=a = b", lambda found: found.title, "a = b"),
        ("network.rtt=1ms", lambda found: found.network.rtt, 1_000),
        ("network.client_time.message=1ms", lambda found: found.network.client_time.message, 1_000),
        ("policy.window=sliding", lambda found: found.policy.window, "sliding"),
        (
            "policy.transactions_per_connection=9",
            lambda found: found.policy.transactions_per_connection.count,
            9,
        ),
        (
            "policy.transactions_per_connection=false",
            lambda found: found.policy.transactions_per_connection,
            None,
        ),
        (
            "policy.logins_per_username.per=30",
            lambda found: found.policy.logins_per_username.per,
            30 * S,
        ),
        (
            "policy.logins_per_username={count = 7}",
            lambda found: found.policy.logins_per_username.count,
            7,
        ),
        ("expect.incidents.total=== 0", lambda found: found.expectations[0].comparison, "== 0"),
        ("expect.throughput.mean_per_min=>= 5", lambda found: found.expectations[0].bound, 5),
        ("sender.options.size=3", lambda found: found.sender.options, {"size": 3}),
        ("faults.relay_down=[{at=1, for=2}]", lambda found: found.faults.relay_down[0].for_, 2 * S),
    ],
)
def test_an_override_sets_one_value(override, look, value):
    assert look(made(override)) == value


def test_the_last_override_of_a_key_wins_and_the_tables_that_were_given_stay_unchanged():
    tables: dict[str, Any] = {"policy": {"transactions_per_connection": 7}}
    found = made(
        "policy.transactions_per_connection.counted_at=acceptance", "seed=3", "seed=4", **tables
    )
    transactions = found.policy.transactions_per_connection
    assert transactions is not None
    assert (transactions.count, transactions.counted_at, found.seed) == (7, "acceptance", 4)
    assert tables == {"policy": {"transactions_per_connection": 7}}
    assert made("seed=3", seed=9).seed == 9
    assert found.overrides == (
        "policy.transactions_per_connection.counted_at=acceptance",
        "seed=3",
        "seed=4",
    )


@pytest.mark.parametrize("override", ["", "seed", "=5", ".seed=5", "a..b=5", "a.=5", "se\ned"])
def test_an_override_that_is_none(override):
    assert len(mistakes(override)) == 1
    assert "is not KEY=VALUE; write it like workload.messages=500" in mistakes(override)[0]


def test_a_value_that_is_no_toml_is_text():
    assert [toml_value(text) for text in ("5", "5s", "true", "[1", '"x"', "1\ny = 2")] == [
        5,
        "5s",
        True,
        "[1",
        "x",
        "1\ny = 2",
    ]
    assert toml_value("9" * 5_000) == "9" * 5_000
    assert toml_value("[" * 100_000) == "[" * 100_000


# Anything at all: only a ScenarioError may come out.


def test_tables_within_tables_without_end():
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"a": deep}
    for tables in (
        {"policy": deep},
        {"expect": deep},
        {"sender": {"strategy": "paced", "options": deep}},
        deep,
    ):
        assert all(line.startswith("x.toml: ") for line in mistakes(**tables))
