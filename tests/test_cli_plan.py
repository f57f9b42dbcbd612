"""``relaysim plan`` as a person calls it: what is printed where, the exit status, and each mistake
in one line.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.test_cli import call

QUICK = ("--replications", "3")


def test_a_feasible_plan_is_status_0_and_says_what_to_set(capsys: Any) -> None:
    status, out, err = call(
        capsys, "plan", "--messages", "600", "--within", "2m", "--for", "smtplib", *QUICK
    )
    assert (status, err) == (0, "")
    for part in (
        "feasible",
        "2 workers with paced",
        "messages a minute",
        "never",
        "one worker fewer",
        "import smtplib",
        "probe",
    ):
        assert part in out
    assert "BETWEEN_LOGINS_S = 0." in out


def test_json_is_one_object_and_out_writes_the_proof(tmp_path: Path, capsys: Any) -> None:
    arguments = [
        "plan",
        "--messages",
        "300",
        "--within",
        "2m",
        *QUICK,
        "--json",
        "--out",
        str(tmp_path / "out"),
    ]
    status, out, err = call(capsys, *arguments)
    told = json.loads(out)
    assert (status, told["feasible"], told["readings"]["gcra"]) == (0, True, True)
    assert "files written" in err
    path = tmp_path / "out" / "plan.toml"
    assert path.read_text(encoding="utf-8") == told["scenario"]
    status, out, _ = call(capsys, "run", str(path), "--json")
    (result,) = json.loads(out)
    assert (status, result["passed"]) == (0, True)
    assert (
        told["predicted"]["drain_s"]["low"]
        <= result["duration_s"]
        <= told["predicted"]["drain_s"]["high"]
    )


def test_an_infeasible_plan_is_status_1_with_its_object(capsys: Any) -> None:
    status, out, _ = call(capsys, "plan", "--rate", "600/min", "--json")
    told = json.loads(out)
    assert (status, told["feasible"], told["settings"], told["scenario"]) == (1, False, None, None)
    assert told["binding"] == "logins_per_username"
    status, out, _ = call(capsys, "plan", "--rate", "600/min")
    assert status == 1
    assert "not feasible" in out
    assert "594.059" in out


def test_round_trips_tls_and_a_policy_reach_the_plan(capsys: Any) -> None:
    arguments = [
        "--rtt",
        "10ms..80ms",
        "--tls",
        "none",
        "--set",
        "policy.transactions_per_connection=2",
        "--seed",
        "5",
    ]
    status, out, _ = call(
        capsys, "plan", "--messages", "100", "--within", "2m", *QUICK, *arguments, "--json"
    )
    told = json.loads(out)
    assert status == 0
    assert told["settings"]["options"]["size"] == 2
    assert 'rtt = "80ms"' in told["scenario"]
    assert 'tls = "none"' in told["scenario"]
    assert "seed = 5" in told["scenario"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no demand; give --messages with --within"),
        (["--messages", "5"], "--within: is required"),
        (["--messages", "5", "--within", "1h", "--rate", "5/min"], "2 demands at once"),
        (["--messages", "5", "--within", "1 hr"], 'write "1h"'),
        (["--messages", "5", "--within", "0"], "--within: must be longer than 0"),
        (
            ["--messages", "5", "--within", "1h", "--beside", "1/min"],
            "--beside: and --p99 go together",
        ),
        (
            ["--messages", "5", "--within", "1h", "--lasts", "1h"],
            "--lasts: does not go with --messages",
        ),
        (["--rate", "300"], "is not a rate"),
        (["--rate", "300/min", "--within", "1h"], "--within: does not go with --rate"),
        (["--rate", "1000000/s", "--lasts", "1h"], "--rate: makes 3,600,000,000 messages"),
        (["--profile", "1,2,3", "--p99", "5s"], "3 values; 24 are needed"),
        (["--profile", "nowhere.txt", "--p99", "5s"], "neither 24 values with commas nor a file"),
        (["--profile", "1,2,x", "--p99", "5s"], "no number"),
        (["--trace", "nowhere.csv"], "--p99: is required with --trace"),
        (["--trace", "nowhere.csv", "--p99", "5s"], "nowhere.csv cannot be read"),
        (["--rate", "5/min", "--rtt", "90ms..20ms"], "ends before it begins"),
        (["--rate", "5/min", "--confidence", "95"], "write it like 95%"),
        (["--rate", "5/min", "--for", "nodmailer"], "cannot be planned for"),
        (["--rate", "5/min", "--set", "policy.windw=gcra"], 'did you mean "window"'),
        (["--rate", "5/min", "--set", "sender.workers"], "is not KEY=VALUE"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(
    arguments: list[str], said: str, capsys: Any
) -> None:
    status, out, err = call(capsys, "plan", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1
