"""Table, CSV, JUnit and files: what is read back from them is what the result says."""

from __future__ import annotations

import csv as outside
import io
import json
from dataclasses import replace
from xml.etree import ElementTree as xml

import pytest
from rich.console import Console

from sim.errors import ScenarioError
from sim.report import exports, table, write_all
from sim.report.files import names


def printed(results, width):
    out = io.StringIO()
    table(results, Console(file=out, width=width))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_and_says_everything_that_matters(pairs, width):
    results = [result for result, _ in pairs.values()]
    text = printed(results, width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "\x1b" not in text
    for word in (
        "verdict",
        "connection-per-message",
        "failed",
        "passed",
        "1 block" if width == 80 else "blocks",
    ):
        assert word in text
    flat = " ".join(text.split())
    assert all(
        " ".join(finding.fix.split()) in flat for result in results for finding in result.diagnosis
    )
    assert "incidents.total == 0: actual " in flat
    assert "submitted == 400: actual" not in flat


@pytest.mark.parametrize("width", [30, 45, 60, 75, 80, 95, 110, 140])
def test_no_figure_and_no_verdict_is_cut_in_a_narrow_terminal(pairs, width):
    late = replace(pairs["good"][0].latency_s, p99=29 * 60 + 42.0)
    long = replace(
        pairs["good"][0],
        scenario="04-batches-with-pause-too-many-workers",
        sender="connection-per-message",
        latency_s=late,
    )
    text = printed([long, pairs["storm"][0]], width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "\u2026" not in text
    for word in ("29 min 42 s", "passed", "failed", f"{long.messages.accepted:,} of", "accepted"):
        assert word in text


def test_a_result_without_anything_to_explain_is_a_row_alone(pairs):
    assert len(printed([pairs["good"][0]], 80).splitlines()) == 4


def test_an_aborted_run_says_so_and_why(pairs):
    text = printed(
        [
            replace(
                pairs["good"][0],
                ended="aborted",
                passed=False,
                error="the strategy raised KeyError",
            )
        ],
        120,
    )
    assert "aborted" in text
    assert "the strategy raised KeyError" in text


def test_csv_reads_back_as_the_log(pairs):
    result = pairs["storm"][0]
    odd = replace(result.incidents.log[0], text='two "words",\nand a line', message=None)
    result = replace(
        result, incidents=replace(result.incidents, log=[odd, *result.incidents.log[1:]])
    )
    rows = list(outside.DictReader(io.StringIO(exports.incidents(result), newline="")))
    assert [float(row["t"]) for row in rows] == [entry.t for entry in result.incidents.log]
    assert [row["limit"] for row in rows] == [entry.limit for entry in result.incidents.log]
    assert rows[0]["text"] == odd.text
    assert rows[0]["message"] == ""


def test_junit_names_each_failed_expectation_with_what_came(pairs):
    aborted = replace(
        pairs["good"][0],
        scenario="bad\x00 & <odd>",
        ended="aborted",
        passed=False,
        error="raised \x1b",
    )
    document = exports.document(
        [pairs["good"][0], pairs["storm"][0], aborted],
        [ScenarioError("x.toml", "seed", "-1 is wrong")],
    )
    suite = xml.fromstring(document).find("testsuite")
    assert suite is not None
    assert {key: suite.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "4",
        "failures": "1",
        "errors": "2",
    }
    good, storm, broken, mistake = suite
    assert [child.tag for child in good] == []
    failure = storm.find("failure")
    storm_result = pairs["storm"][0]
    assert failure is not None
    assert failure.text == f"incidents.total == 0: actual {storm_result.incidents.total}"
    assert broken.get("name") == "bad\ufffd & <odd>"
    assert broken.find("error") is not None
    assert "seed: -1 is wrong" in (mistake.findtext("error") or "")


def test_files_of_the_same_name_stand_side_by_side_and_are_the_same_bytes_again(pairs, tmp_path):
    twice = [
        pairs["one"],
        pairs["storm"],
        (replace(pairs["good"][0], scenario="one"), pairs["good"][1]),
    ]
    first = write_all(twice, tmp_path / "a")
    second = write_all(twice, tmp_path / "b")
    assert len({path.name for path in first}) == 16
    assert all(path.is_file() for path in first)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert json.loads((tmp_path / "a" / "one-2.json").read_text())["messages"]["accepted"] == 900
    assert json.loads((tmp_path / "a" / "one.json").read_text())["messages"]["accepted"] == 5


def test_names_never_collide_nor_leave_the_folder():
    assert names(["a", "A", "a-2", "a", "../x/y", ""]) == [
        "a",
        "A-2",
        "a-2-2",
        "a-3",
        "x-y",
        "scenario",
    ]
