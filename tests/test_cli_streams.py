"""What the console script writes to: closed, full, without the signs of a name. As a process of its
own, since it is about descriptors.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.errors import ScenarioError
from sim.text import printable

SCENARIO = """
title = "Gr\u00fc\u00dfe \u65e5\u672c"
[workload]
kind = "batch"
messages = 10
[sender]
strategy = "one-connection"
[expect]
"messages.lost" = "== 0"
"""


def call(
    *arguments: str, folder: Path, shell: str = "", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """``python -m sim`` with the arguments and what the shell adds to them."""
    given = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), **environment}
    command = ["sh", "-c", f'exec "$@" {shell}', "sh", sys.executable, "-m", "sim", *arguments]
    return subprocess.run(
        command, cwd=folder, env=given, capture_output=True, timeout=600, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "\u00fcber.toml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


def test_a_reader_that_has_gone_changes_neither_the_status_nor_what_is_written(
    folder: Path,
) -> None:
    read, write = os.pipe()
    os.close(read)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-m", "sim", "run", "\u00fcber.toml", "--json", "--out", "out"]
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=600,
        check=False,
    )
    os.close(write)
    assert (ended.returncode, ended.stderr) == (1, b"6 files written to out\n")
    assert (folder / "out" / "\u00fcber.json").exists()


def test_an_output_that_cannot_be_written_is_one_line(folder: Path) -> None:
    for more in ([], ["--json"]):
        ended = call("run", "\u00fcber.toml", *more, folder=folder, shell="1</dev/null")
        assert (ended.returncode, ended.stderr) == (
            2,
            b"stdout: cannot be written: Bad file descriptor\n",
        )


@pytest.mark.parametrize("shell", [">&-", "2>&-", "<&-"])
def test_a_closed_stream_changes_no_status(shell: str, folder: Path) -> None:
    ended = call("run", "\u00fcber.toml", folder=folder, shell=shell)
    assert ended.returncode == 1
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_is_utf_8_and_a_table_is_printed_in_any_encoding(encoding: str, folder: Path) -> None:
    ended = call("run", "\u00fcber.toml", "--json", folder=folder, PYTHONIOENCODING=encoding)
    assert json.loads(ended.stdout.decode("utf-8"))[0]["title"] == "Gr\u00fc\u00dfe \u65e5\u672c"
    ended = call("run", "\u00fcber.toml", folder=folder, PYTHONIOENCODING=encoding)
    assert (ended.returncode, ended.stderr) == (1, b"")
    assert "\u00fcber".encode(encoding, "backslashreplace") in ended.stdout


def test_a_name_in_another_encoding_is_no_obstacle(folder: Path) -> None:
    name = os.fsdecode(b"b\xff.toml")
    try:
        (folder / name).write_text(SCENARIO, encoding="utf-8")
    except OSError:  # a file system that takes UTF-8 alone
        assert printable(name) == "b\ufffd.toml"
        return
    ended = call("run", name, "--json", "--out", "out", folder=folder)
    assert ended.returncode == 1
    assert json.loads(ended.stdout)[0]["scenario"] == "b\ufffd"


def test_mistakes_inside_mistakes_are_all_kept() -> None:
    one, two, three = (ScenarioError("x", key, "is wrong") for key in "abc")
    nested = ScenarioError.joined([one, ScenarioError.joined([two, three])])
    assert [each.key for each in nested.each()] == ["a", "b", "c"]
    assert [other.key for other in nested.others] == ["b", "c"]
