"""The page's figures have the numbers of the batch reports, because both are drawn from the same
curves.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from sim.measure.story import Life, Step
from sim.report import charts, curves, timeline, verdict


def layers(spec: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one for one in spec["layer"] if one["mark"]["type"] == kind]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["one", "storm", "stale", "good"])
def test_throughput_has_the_numbers_of_the_curves(pairs, name, dark):
    result = pairs[name][0]
    spec = charts.throughput(result, dark=dark)
    shown = curves.throughput(result)
    rows = layers(spec, "area")[0]["data"]["values"]
    assert [row["rate"] for row in rows[:-1]] == shown.rates.tolist()
    assert [row["at"] for row in rows] == shown.bins.edges.tolist()
    points = [row for each in layers(spec, "point") for row in each["data"]["values"]]
    assert len({row["y"] for row in points}) == len(shown.marks)
    assert sum(row["count"] for row in points) == result.incidents.total
    assert bool(layers(spec, "rule")) == (shown.ceiling is not None and shown.shown)
    assert f"{result.incidents.total:,} incidents" in spec["description"]
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec


def test_windows_show_what_fills_and_what_flows_over(pairs):
    result, policy = pairs["storm"]
    for use, spec in charts.windows(result, policy):
        rows = layers(spec, "area")[0]["data"]["values"][:-1]
        assert [row["used"] for row in rows] == result.series.in_window[use.limit]
        assert max(row["inside"] for row in rows) <= use.count
        assert len(layers(spec, "area")) == 1 + (use.most > use.count)


def test_the_timeline_has_a_row_for_each_connection_and_a_mark_for_each_refusal():
    steps = (
        Step(0, 5, "greeting", "hello"),
        Step(5, 9, "transaction", "first"),
        Step(9, 9, "refused", "421", "logins_per_username"),
    )
    spec = timeline.timeline(
        [Life(7, "198.18.0.1", "user1", 0, 9, ended=True, accepted=1, steps=steps)]
    )
    bars, _, points = spec["layer"]
    assert [row["kind"] for row in bars["data"]["values"]] == ["greeting", "transaction"]
    assert [row["limit"] for row in points["data"]["values"]] == ["logins per username"]
    assert bars["encoding"]["y"]["sort"] == ["#7 user1"]


def test_connections_has_the_result_s_own(pairs):
    result = pairs["good"][0]
    rows = charts.connections(result)["layer"][0]["data"]["values"][:-1]
    assert [row["open"] for row in rows] == result.series.open_connections


@pytest.mark.parametrize(
    ("name", "tone", "says"),
    [
        ("one", "bad", "15 of 20 messages were lost. The relay answered 1 request with 421, at "),
        ("good", "good", "All 900 messages got through in"),
        ("storm", "bad", "over its limits of logins a username and connections an IP."),
    ],
)
def test_the_verdict_says_what_came_of_it(pairs, name, tone, says):
    found, sentence = verdict.sentence(pairs[name][0])
    assert found == tone
    assert says in sentence
    assert [one.label for one in verdict.numbers(pairs[name][0])] == [
        "Accepted a minute",
        "Incidents",
        "Lost",
        "99% within",
        "Time to drain",
    ]
