"""The command line as a person calls it: what is printed where, and the exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.cli import main
from sim.strategies.catalogue import SHIPPED

GOOD = """
[workload]
kind = "batch"
messages = 30
[sender]
strategy = "paced"
[expect]
"messages.accepted" = "== 30"
"""


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Status, stdout and stderr of one call."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return int(str(stopped.value.code)), captured.out, captured.err


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_scenario_that_holds_is_status_0_and_a_table(tmp_path: Path, capsys: Any) -> None:
    status, out, err = call(capsys, "run", write(tmp_path, "good.toml", GOOD))
    assert (status, err) == (0, "")
    assert "good" in out
    assert "30" in out


def test_one_that_does_not_hold_is_status_1_and_names_it(tmp_path: Path, capsys: Any) -> None:
    path = write(tmp_path, "bad.toml", GOOD.replace("== 30", "== 31"))
    status, out, _ = call(capsys, "run", path)
    assert status == 1
    assert "messages.accepted" in out


def test_a_mistake_is_status_2_and_the_others_still_run(tmp_path: Path, capsys: Any) -> None:
    write(tmp_path, "a.toml", GOOD)
    write(tmp_path, "b.toml", GOOD.replace("messages = 30", "mesages = 30"))
    write(tmp_path, "c.toml", GOOD.replace("== 30", "== 31"))
    status, out, err = call(capsys, "run", str(tmp_path), "--json")
    assert status == 2  # it outranks the 1 of c.toml
    assert [result["scenario"] for result in json.loads(out)] == ["a", "c"]
    assert "b.toml: workload.mesages: unknown key; did you mean" in err


def test_a_file_that_cannot_run_stands_in_the_junit_file_too(tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out"
    paths = [write(tmp_path, "a.toml", GOOD), write(tmp_path, "b.toml", "nonsense = 1")]
    assert call(capsys, "run", *paths, "--out", str(out))[0] == 2
    text = (out / "junit.xml").read_text(encoding="utf-8")
    assert "<error" in text
    assert "b.toml" in text


@pytest.mark.parametrize("path", ["nowhere", "."])
def test_a_path_without_a_scenario_is_a_mistake(
    path: str, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    status, _, err = call(capsys, "run", path)
    assert status == 2
    assert err.startswith(path)


def test_a_path_that_cannot_be_looked_at_is_a_mistake_and_the_others_run(
    tmp_path: Path, capsys: Any
) -> None:
    good = write(tmp_path, "good.toml", GOOD)
    long = tmp_path / f"{'a' * 300}.toml"
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    status, out, err = call(capsys, "run", str(long), str(loop / "x.toml"), good, "--json")
    assert (status, len(json.loads(out))) == (2, 1)
    first, second = err.splitlines()
    assert first == f"{long}: cannot be read: File name too long"
    assert second.startswith(f"{loop / 'x.toml'}: ")


def test_a_policy_beside_the_scenarios_of_a_folder_is_none_of_them(
    tmp_path: Path, capsys: Any
) -> None:
    policy = write(tmp_path, "mine.toml", "transactions_per_connection = 3\n")
    write(tmp_path, "uses.toml", '[policy]\nuse = "mine.toml"\n' + GOOD)
    status, out, err = call(capsys, "run", str(tmp_path), "--json")
    assert (status, err) == (0, "")
    assert [(result["scenario"], result["policy"]) for result in json.loads(out)] == [
        ("uses", "mine")
    ]
    assert call(capsys, "run", policy)[0] == 2  # named itself, it is a mistake


def test_a_folder_inside_a_folder_is_no_file_whatever_its_name(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "inner.toml").mkdir()
    write(
        tmp_path / "inner.toml", "good.toml", "\ufeff" + GOOD
    )  # begun with a mark, as by some editors
    status, out, err = call(capsys, "run", str(tmp_path), "--json")
    assert (status, err) == (0, "")
    assert [result["scenario"] for result in json.loads(out)] == ["good"]


def test_set_and_seed_reach_the_scenario_and_its_command(tmp_path: Path, capsys: Any) -> None:
    path = write(tmp_path, "good.toml", GOOD)
    status, out, _ = call(
        capsys, "run", path, "--json", "--seed", "7", "--set", "workload.messages=31"
    )
    (result,) = json.loads(out)
    assert status == 1
    assert (result["seed"], result["messages"]["submitted"], result["schema"]) == (7, 31, 1)
    assert result["command"] == "relaysim run good.toml --set workload.messages=31 --seed 7"


def test_out_writes_every_kind_of_file(tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out"
    status, _, err = call(capsys, "run", write(tmp_path, "good.toml", GOOD), "--out", str(out))
    assert status == 0
    assert "files written" in err
    assert {path.suffix for path in out.iterdir()} == {".json", ".csv", ".png", ".xml"}


def test_try_takes_options_sender_keys_and_dotted_keys(capsys: Any) -> None:
    arguments = [
        "try",
        "batches",
        "size=3",
        "workers=2",
        "policy.transactions_per_connection=2",
        "-n",
        "12",
        "--json",
    ]
    status, out, _ = call(capsys, *arguments)
    result = json.loads(out)
    assert status == 0
    assert result["incidents"]["by_limit"]["transactions_per_connection"] == 4
    assert result["messages"] == {
        "submitted": 12,
        "accepted": 8,
        "lost": 4,
        "waiting": 0,
        "duplicated": 0,
    }


def test_try_sends_so_many_at_once_unless_another_workload_is_asked_for(capsys: Any) -> None:
    for more, submitted in (
        (["workload.messages=7"], 7),
        (["-n", "8"], 8),
        (["--set", "workload.messages=9"], 9),
    ):
        assert (
            json.loads(call(capsys, "try", "paced", *more, "--json")[1])["messages"]["submitted"]
            == submitted
        )
    other = ["workload.kind=constant", "workload.rate=1/s", "workload.for=5s"]
    assert (
        json.loads(call(capsys, "try", "paced", *other, "--json")[1])["messages"]["submitted"] == 5
    )


SPELT = ["mail.smtp.userset=true", "isConnected=true", "per_connection=0"]
SET = [
    part
    for key in ('sender.options."mail.smtp.userset"', "sender.options.isConnected")
    for part in ("--set", f"{key}=true")
]


def test_an_option_with_dots_is_one_by_each_way(tmp_path: Path, capsys: Any) -> None:
    plain = GOOD.replace('"paced"', '"jakarta-mail"')
    assert plain != GOOD
    options = '[sender.options]\n"mail.smtp.userset" = true\nisConnected = true\nper_connection = 0\n\n[expect]'
    ways = (
        ["try", "jakarta-mail", *SPELT, "-n", "30"],
        ["try", "jakarta-mail", *SET, "--set", "sender.options.per_connection=0", "-n", "30"],
        ["run", write(tmp_path, "spelt.toml", plain.replace("[expect]", options))],
        [
            "run",
            write(tmp_path, "plain.toml", plain),
            *SET,
            "--set",
            "sender.options.per_connection=0",
        ],
        [
            "run",
            write(tmp_path, "again.toml", plain),
            *(part for each in SPELT for part in ("--set", f"sender.options.{each}")),
        ],
    )
    for way in ways:
        printed = json.loads(call(capsys, *way, "--set", "network.jitter=0", "--json")[1])
        result = printed[0] if isinstance(printed, list) else printed
        assert (result["messages"]["accepted"], result["connections"]["opened"]) == (25, 5), way


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["try", "pacd"], 'did you mean "paced"'),
        (["try", "paced", "sise=5"], 'did you mean "size"'),
        (["try", "paced", "size=five"], "not a whole number"),
        (["try", "paced", "spacing=1 hr"], 'write "1h"'),
        (["try", "paced", "policy.windw=sliding"], 'did you mean "window"'),
        (["try", "paced", "nonsense"], "KEY=VALUE"),
        (["try", "nofile.py:x"], "is not a file"),
        (["try", "paced", "--seed", "-1"], "--seed"),
        (
            ["try", "jakarta-mail", "mail.smtp.timeot=5"],
            'unknown option; did you mean "mail.smtp.timeout"?',
        ),
        (["try", "paced", "--patience", "soon"], "--patience"),
        (["try", "paced", "--seed", "1.5"], "'1.5' is not a whole number"),
        (["nothing"], "nothing is no command"),
        (["swep"], 'did you mean "sweep"?'),
        (["run"], "run --help shows what is allowed"),
        (["serve", "--user", "a:b", "--user", "a:c"], '--user: "a" is given twice'),
        (["serve", "--idle", "0"], '--idle: "0" is no time at all'),
        (["serve", "--port", "0", "--bind", ""], "--bind takes an address of this machine"),
        (
            ["plan", "--messages", "5", "--within", "1h", "--set", "sender.workers=3"],
            "--set sender.workers: is what a plan finds",
        ),
        (
            ["plan", "--messages", "5", "--within", "1h", "--set", "workload.messages=3"],
            "say it with --messages",
        ),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(
    arguments: list[str], said: str, capsys: Any
) -> None:
    status, out, err = call(capsys, *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_an_option_of_a_library_is_explained_where_it_is_listed(capsys: Any) -> None:
    out = call(capsys, "strategies")[1]
    assert "nodemailer, a model of Nodemailer" in out
    assert (
        "      maxMessages = 100: With pool, the messages behind which a connection is closed."
        in out
    )
    (found,) = [
        one
        for one in json.loads(call(capsys, "strategies", "--json")[1])
        if one["name"] == "nodemailer"
    ]
    assert set(found["explained"]) == set(found["options"])
    assert found["library"] == "Nodemailer"


def test_a_library_is_tried_with_options_in_its_own_spelling(capsys: Any) -> None:
    status, out, _ = call(
        capsys,
        "try",
        "nodemailer",
        "pool=true",
        "maxMessages=100",
        "version=6",
        "-n",
        "1000",
        "--json",
    )
    assert status == 0
    assert json.loads(out)["messages"]["lost"] == 400
    status, _, err = call(capsys, "try", "nodemailer", "pool=true", "maxmessages=100")
    assert status == 2
    assert 'did you mean "maxMessages"' in err


def test_strategies_and_policies_name_what_is_shipped(capsys: Any) -> None:
    assert "spacing" in call(capsys, "strategies")[1]
    assert "logins_per_username: 120 per 1m" in call(capsys, "policies")[1]
    assert [one["name"] for one in json.loads(call(capsys, "policies", "--json")[1])] == [
        "mailersend",
        "unlimited",
    ]
    assert [one["name"] for one in json.loads(call(capsys, "strategies", "--json")[1])] == list(
        SHIPPED
    )


def test_a_call_that_has_hardly_begun_is_stopped_without_a_traceback():
    imported = "import sys; from sim.cli import main; print(*[name for name in ('numpy', 'pydantic', 'rich') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", imported],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.strip() == "", (
        "what takes long is imported by the command, where Ctrl-C is answered"
    )
