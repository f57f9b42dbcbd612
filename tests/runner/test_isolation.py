"""A user's code against the process that runs it: whatever it does to its process, its parent gets
one answer, no other run is affected and no process stays.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sim.measure import Result
from sim.runner import Answer, run_many
from sim.scenario import Scenario, build

DEADLINE_S = 300.0
"""Seconds after which a process that was to end has not. No test waits so long."""

SENDS = """
def sends(sender):
    while batch := sender.take(5):
        with sender.connect() as connection:
            for message in batch:
                connection.send(message)
"""


def scenario(folder: Path, name: str, messages: int = 10) -> Scenario:
    tables = {
        "workload": {"kind": "batch", "messages": messages},
        "sender": {"strategy": name},
    }
    return build(tables, name, name, folder)


def write(folder: Path, text: str, name: str = "mine.py") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("import os, time\n" + SENDS + text, encoding="utf-8")
    return folder


def error_of(answer: Answer) -> str:
    assert isinstance(answer, Result)
    assert answer.ended == "aborted"
    assert answer.error is not None
    return answer.error


def accepted(answer: Answer) -> int:
    assert isinstance(answer, Result)
    return answer.messages.accepted


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


TO_ALL = """for fd in range(3, 64):
        try: os.write(fd, {})
        except OSError: pass
    while True: pass"""
"""Writes to every file descriptor and goes on for ever."""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("os.closerange(3, 256)\n    while True: pass", "ended its own process"),
        ("os.closerange(3, 256)", "ended its own process"),
        (TO_ALL.format(r"b'\x7f\xff\xff\xff' * 8"), "wrote to the file descriptor"),
        (
            TO_ALL.format(r"b'rsim' + bytes(8) + (5).to_bytes(8, 'big') + b'hello'"),
            "wrote to the file descriptor",
        ),
        ("os.kill(os.getpid(), 9)", "status -9"),
        ("os.kill(os.getppid(), 9)\n    time.sleep(600)", "ended its own process"),
        ("raise KeyboardInterrupt", "status 130"),
    ],
    ids=["closes-loops", "closes-returns", "no-frame", "no-pickle", "dies", "kills", "interrupts"],
)
def test_a_strategy_cannot_hang_its_parent_or_harm_the_others(
    tmp_path: Path, body: str, said: str
) -> None:
    write(tmp_path, f"\ndef bad(sender):\n    {body}\n")
    names = ("mine.py:sends", "mine.py:bad", "mine.py:sends")
    first, bad, last = run_many([scenario(tmp_path, name) for name in names])
    assert said in error_of(bad)
    assert (accepted(first), accepted(last)) == (10, 10)


def test_a_half_written_message_is_given_up_after_the_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.runner.children.GRACE", 1.0)
    body = TO_ALL.format("b'rsim' + bytes(8) + (1 << 30).to_bytes(8, 'big')")
    write(tmp_path, f"\ndef bad(sender):\n    {body}\n")
    (answer,) = run_many([scenario(tmp_path, "mine.py:bad")], patience=1.0)
    assert "stopped answering, even to its own clock" in error_of(answer)


def test_the_copy_of_a_strategy_that_forks_answers_for_nobody(tmp_path: Path) -> None:
    text = "\ndef forks(sender):\n    if os.fork() == 0: time.sleep(0.2)\n    sends(sender)\n"
    text += "\ndef waits(sender):\n    time.sleep(1)\n"
    write(tmp_path, text)
    names = ("mine.py:forks", "mine.py:waits", "mine.py:forks")
    answers = run_many(
        [scenario(tmp_path, name, many) for name, many in zip(names, (20, 7, 3), strict=True)]
    )
    assert [accepted(one) for one in answers] == [20, 0, 3]


@pytest.mark.parametrize("ending", ["return", "while True: pass", "os._exit(3)"])
def test_the_processes_that_a_strategy_started_end_with_its_run(
    tmp_path: Path, ending: str
) -> None:
    started = tmp_path / "pid"
    text = f"""
def starts(sender):
    import subprocess
    process = subprocess.Popen(["sleep", "77777"])
    with open({str(started)!r}, "w") as file:
        file.write(str(process.pid))
    {ending}
"""
    write(tmp_path, text)
    for patience in (1.0, 10.0, 60.0):  # on a busy machine, loading takes more than a second
        run_many([scenario(tmp_path, "mine.py:starts")], patience=patience)
        if started.exists():
            break
    pid = int(started.read_text(encoding="ascii"))
    end = time.monotonic() + DEADLINE_S
    while is_alive(pid):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_nothing_in_the_current_folder_replaces_a_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    for name in ("json", "random", "sim", "secrets"):
        text = "open('executed', 'w').close()\n"
        (here / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(here)
    folder = write(tmp_path / "strategy", "")
    answers = run_many([scenario(folder, "mine.py:sends"), scenario(folder, "paced")], jobs=2)
    assert [accepted(one) for one in answers] == [10, 10]
    assert not (here / "executed").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_strategy_imports_the_files_next_to_it_and_leaves_nothing_to_the_next(
    tmp_path: Path, jobs: int
) -> None:
    text = """
def takes(sender):
    import helper
    helper.COUNT += 1
    with sender.connect() as connection:
        for message in sender.take(helper.COUNT): connection.send(message)
"""
    folders = [write(tmp_path / name, text) for name in ("one", "two")]
    for folder, count in zip(folders, (0, 3), strict=True):
        (folder / "helper.py").write_text(f"COUNT = {count}\n", encoding="utf-8")
    answers = run_many(
        [scenario(folder, "mine.py:takes") for folder in (*folders, *folders)], jobs=jobs
    )
    assert [accepted(one) for one in answers] == [1, 4, 1, 4]


def test_a_strategy_that_changes_the_simulator_changes_no_other_run(tmp_path: Path) -> None:
    text = """
def changes(sender):
    import sim.world.run
    sim.world.run.World.run = None
    os.environ["CHANGED"] = "1"
"""
    write(tmp_path, text)
    names = ("mine.py:changes", "mine.py:sends", "paced", "mine.py:changes", "paced")
    answers = run_many([scenario(tmp_path, name) for name in names], jobs=2)
    assert [accepted(one) for one in answers] == [0, 10, 10, 0, 10]
    assert "CHANGED" not in os.environ
