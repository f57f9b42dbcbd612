"""Whatever stands in a scenario file or is laid on it, only a ScenarioError of printable lines
comes out.
"""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.errors import ScenarioError
from sim.scenario import build
from sim.scenario.schema import TABLES
from tests.scenario.test_loader import GOOD, made

SCALARS = st.one_of(
    st.integers(),
    st.floats(),
    st.booleans(),
    st.text(max_size=8),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.sampled_from(
        [
            "1h",
            "5/s",
            "paced",
            "x.py:f",
            "batch",
            "trace",
            "\0",
            "a/\0.toml",
            "== 0",
            10**4_000,
            "9" * 4_500 + "s",
            "9" * 4_500 + "/s",
            datetime(2026, 1, 1),  # noqa: DTZ001 -- a TOML date has no zone
            date(2026, 1, 1),
            time(1, 2),
        ]
    ),
)
KEYS = st.one_of(
    st.sampled_from(
        [
            *TABLES,
            "kind",
            "messages",
            "rate",
            "for",
            "size",
            "every",
            "profile",
            "file",
            "strategy",
            "code",
            "call",
            "workers",
            "usernames",
            "ips",
            "options",
            "rtt",
            "jitter",
            "relay_time",
            "client_time",
            "tls",
            "drop_connection",
            "wrong_password",
            "relay_down",
            "slow",
            "from",
            "until",
            "at",
            "factor",
            "use",
            "window",
            "count",
            "per",
            "reply",
            "stage",
            "block",
            "transactions_per_connection",
            "logins_per_username",
            "failed_logins_per_ip",
            "incidents.total",
            "pause",
        ]
    ),
    st.text(max_size=4),
)
VALUES = st.recursive(
    SCALARS,
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(KEYS, below, max_size=5)),
    max_leaves=12,
)
TOP = st.one_of(
    st.dictionaries(KEYS, VALUES, max_size=4),
    st.dictionaries(st.sampled_from(TABLES), st.dictionaries(KEYS, VALUES)),
)


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(
    tables=TOP,
    kind=st.sampled_from(["batch", "constant", "poisson", "bursts", "daily", "trace"]),
    keep=st.booleans(),
)
def test_whatever_stands_in_a_file_only_a_scenario_error_comes_out(tables, kind, keep):
    if keep:
        tables = GOOD | tables
        tables["workload"] = {"kind": kind} | (
            tables["workload"] if isinstance(tables["workload"], dict) else {}
        )
    try:
        build(tables, "x.toml", "x", Path())
    except ScenarioError as error:
        for line in str(error).split("\n"):
            assert line.startswith("x.toml: ")
            assert line.isprintable()


@given(override=st.one_of(st.text(), st.builds(lambda k, v: f"{k}={v}", KEYS, st.text())))
def test_whatever_is_laid_on_only_a_scenario_error_comes_out(override):
    try:
        made(override)
    except ScenarioError as error:
        lines = str(error).split("\n")
    else:
        lines = []
    assert all(line.startswith(("x.toml: ", "--set: ")) for line in lines)
