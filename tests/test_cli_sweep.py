"""``relaysim sweep`` as a person calls it: what is printed and written, the exit status, and each
mistake in one line.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.test_cli import GOOD, call, write


@pytest.fixture
def path(tmp_path: Path, monkeypatch: Any) -> str:
    monkeypatch.chdir(tmp_path)
    return write(tmp_path, "good.toml", GOOD.replace('"== 30"', '">= 1"'))


def test_a_table_and_the_count_of_what_was_computed(path: str, capsys: Any) -> None:
    arguments = ["sweep", path, "--set", "sender.workers=1,2", "--seeds", "2", "--jobs", "1"]
    status, out, err = call(capsys, *arguments)
    assert status == 0
    assert "4 rows, 4 of them computed now, kept in good.sweep.db" in err
    assert "throughput" in out
    assert "4 rows, 0 of them computed now" in call(capsys, *arguments)[2]


def test_every_output_is_written(path: str, capsys: Any) -> None:
    arguments = [
        "--set",
        "sender.workers=1,2",
        "--set",
        "workload.messages=5..30..5",
        "--jobs",
        "1",
        "--csv",
        "x.csv",
    ]
    status, out, err = call(
        capsys,
        "sweep",
        path,
        *arguments,
        "--parquet",
        "x.parquet",
        "--out",
        "figures",
        "--json",
        "--metric",
        "duration_s",
    )
    assert (status, len(json.loads(out))) == (0, 12)
    assert "3 files written to figures" in err
    assert Path("x.csv").stat().st_size
    assert Path("x.parquet").stat().st_size
    assert (
        sorted(one.name for one in Path("figures").iterdir())[0]
        == "duration_s.by.sender.workers.and.workload.messages.png"
    )


def test_a_row_that_does_not_hold_is_status_1(path: str, capsys: Any) -> None:
    settings = ["--set", "sender.workers=1", "--set", 'expect.messages.accepted="== 31","== 30"']
    assert call(capsys, "sweep", path, *settings, "--jobs", "1")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.toml"], "nowhere.toml: cannot be read"),
        (["good.toml", "--set", "sender.workrs=1..3"], 'did you mean "workers"'),
        (["good.toml", "--set", "sender.workers=3..1"], "ends before it begins"),
        (["good.toml", "--lhs", "5"], "no key to draw"),
        (["good.toml", "--metric", "throughput.mean"], "is no metric of a result"),
        (["good.toml", "--csv", "no/such/folder/x.csv"], "cannot be written"),
        (["good.toml", "--db", "no/such/folder/x.db"], "cannot be used"),
    ],
)
def test_a_wrong_call_is_status_2(path: str, arguments: list[str], said: str, capsys: Any) -> None:
    status, _, err = call(capsys, "sweep", *arguments, "--jobs", "1")
    assert status == 2
    assert said in err


def test_help_says_how_values_are_written(capsys: Any) -> None:
    out = call(capsys, "sweep", "--help")[1]
    assert "\n  --set sender.workers=1,2,4,8 " in out
    assert "--set workload.messages=log:10..10000:7" in out
