"""``relaysim run`` over folders and long batches: which files it takes, where ``--out`` goes, what
Ctrl-C leaves.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.cli import main

GOOD = '[workload]\nkind = "batch"\nmessages = 30\n[sender]\nstrategy = "paced"\n'


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Status, stdout and stderr of one call."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    captured = capsys.readouterr()
    return int(str(stopped.value.code)), captured.out, captured.err


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_a_folder_is_walked_past_what_is_hidden_and_what_is_installed(
    tmp_path: Path, capsys: Any
) -> None:
    wrong = "[nonsense]\nx = 1\n[sender]\n"
    passed_over = (
        ".venv/lib/a.toml",
        "env/lib/b.toml",
        ".git/c.toml",
        ".d.toml",
        "node_modules/e/f.toml",
        "pyproject.toml",
    )
    write(tmp_path, dict.fromkeys(passed_over, wrong))
    write(
        tmp_path,
        {
            "Cargo.toml": '[package]\nname = "x"\n',
            "env/pyvenv.cfg": "",
            "a.toml": GOOD,
            "sub/b.toml": GOOD,
        },
    )
    status, out, err = call(capsys, "run", str(tmp_path), "--json")
    assert (status, err) == (0, "")
    assert [result["scenario"] for result in json.loads(out)] == ["a", "b"]
    # Named itself, each is looked at; and what resembles a scenario is one, with its mistakes.
    assert call(capsys, "run", str(tmp_path / "Cargo.toml"))[0] == 2
    assert call(capsys, "run", str(tmp_path / "env"))[0] == 2
    write(tmp_path, {"c.toml": "[wrkload]\n"})
    assert call(capsys, "run", str(tmp_path))[0] == 2


def test_an_out_that_cannot_be_written_is_told_before_anything_is_run(
    tmp_path: Path, capsys: Any
) -> None:
    write(tmp_path, {"a.toml": GOOD})
    out = tmp_path / "a.toml" / "out"
    status, printed, err = call(capsys, "run", str(tmp_path / "a.toml"), "--out", str(out))
    assert (status, printed, err) == (2, "", f"{out}: --out: cannot be written: Not a directory\n")


HEEDS = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background commands ignore it
os.environ["COMMAND"] = str(os.getpid())
from sim.cli import main
main(sys.argv[1:])
"""

STOPS = """
import os, signal, time

def fine(sender):
    while batch := sender.take(5):
        with sender.connect() as connection:
            for message in batch:
                connection.send(message)

def stops(sender):
    os.kill(int(os.environ["COMMAND"]), signal.SIGINT)
    time.sleep(600)
"""


def test_what_was_run_before_ctrl_c_is_not_lost(tmp_path: Path) -> None:
    mine = GOOD.replace('"paced"', '"mine.py:fine"')
    write(
        tmp_path,
        {
            "mine.py": STOPS,
            "a.toml": mine,
            "b.toml": mine.replace(":fine", ":stops"),
            "c.toml": mine,
        },
    )
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            HEEDS,
            "run",
            "a.toml",
            "b.toml",
            "c.toml",
            "--json",
            "--out",
            "out",
        ],
        cwd=tmp_path,
        timeout=600,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 130
    assert ended.stderr == "stopped: 1 of 3 scenarios had been run\n6 files written to out\n"
    assert [
        (result["scenario"], result["messages"]["accepted"]) for result in json.loads(ended.stdout)
    ] == [("a", 30)]
    assert (tmp_path / "out" / "a.json").exists()
