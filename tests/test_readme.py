"""Nothing in the README is unexecuted: its files are written, its commands called, its links
followed, its claims checked.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
STATUS = {
    "relaysim try one-connection -n 1000": 0,
    "relaysim try paced workers=10 -n 1000": 0,
    "relaysim run receipts.toml": 1,
    "relaysim try mine.py:fives -n 500": 0,
    "relaysim try nodemailer pool=true -n 1000": 0,
    "relaysim try nodemailer pool=true maxMessages=5 maxConnections=2 rateLimit=5 rateDelta=600 -n 1000": 0,
    "relaysim check transport.json": 1,
    "relaysim validate -- python3 send.py": 1,
    "relaysim plan --messages 4000 --within 30m --for nodemailer": 0,
    "relaysim sweep receipts.toml --set sender.workers=1..8": 1,
}
"""The exit status that the prose around each command claims."""

FILES = {
    "receipts.toml": ("toml", 0),
    "paced.toml": ("toml", 1),
    "mine.py": ("python", 0),
    "send.py": ("python", 1),
    "transport.json": ("json", 0),
}
"""The files that the prose has a reader save: the kind of block, and which of that kind."""

VALIDATE = "relaysim validate mine.py:fives"
"""Of this one the prose claims a verdict, not which."""


def of(kind: str) -> list[str]:
    """The blocks of one kind, in order."""
    return [body for given, body in BLOCKS if given == kind]


def commands() -> list[str]:
    """The lines of the shell blocks, without comments."""
    return [
        line.partition("#")[0].strip()
        for body in of("sh")
        for line in body.splitlines()
        if line.strip()
    ]


def call(command: str, capsys) -> tuple[int, str]:
    """The status and stdout of a relaysim command, called in this process."""
    from sim.cli import main

    with pytest.raises(SystemExit) as ended:
        main(shlex.split(command)[1:])
    return int(ended.value.code or 0), capsys.readouterr().out


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the README's files, as a reader has it."""
    for name, (kind, place) in FILES.items():
        (tmp_path / name).write_text(of(kind)[place], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_block_is_of_a_kind_that_is_executed_here():
    assert {kind for kind, _ in BLOCKS} == {"sh", "toml", "python", "json", "text"}
    assert sorted(
        (kind, place) for kind in ("toml", "python", "json") for place in range(len(of(kind)))
    ) == sorted(FILES.values())
    assert [
        command for command in commands() if not command.startswith("make ") and command != VALIDATE
    ] == list(STATUS)
    assert VALIDATE in commands()


@pytest.mark.parametrize(
    "target", [command.split()[1] for command in commands() if command.startswith("make ")]
)
def test_make_has_the_target(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("command", STATUS)
def test_the_command_ends_as_the_prose_says(command, folder, capsys):
    assert call(command, capsys)[0] == STATUS[command]


def test_validate_gives_a_verdict(folder, capsys):
    status, out = call(f"{VALIDATE} --seeds 1 --json", capsys)
    verdict = json.loads(out)
    assert status == (0 if verdict["passed"] else 1)
    assert len(verdict["worlds"]) >= 7 * 5, "seven worlds under five window algorithms"


def test_the_excerpt_is_what_a_reader_sees(folder, capsys):
    printed = " ".join(call("relaysim run receipts.toml", capsys)[1].split())
    assert [line for line in of("text")[0].splitlines() if line not in printed] == []


def test_what_check_says_is_what_a_reader_sees(folder, capsys):
    printed = call("relaysim check transport.json", capsys)[1]
    assert [line for line in of("text")[1].splitlines() if line not in printed] == []


def test_a_library_loses_what_the_prose_says(capsys):
    lost = [
        json.loads(call(f"{command} --json", capsys)[1])["messages"]["lost"]
        for command in STATUS
        if command.startswith("relaysim try nodemailer")
    ]
    assert lost == [400, 0]


def test_the_paced_scenario_passes(folder, capsys):
    assert call("relaysim run paced.toml", capsys)[0] == 0


def test_the_first_scenario_fails_for_the_limit_that_the_prose_names(folder, capsys):
    (result,) = json.loads(call("relaysim run receipts.toml --json", capsys)[1])
    assert (
        result["incidents"]["by_limit"]["logins_per_username"] == result["incidents"]["total"] > 0
    )


def test_one_connection_loses_what_the_prose_says(capsys):
    result = json.loads(call("relaysim try one-connection -n 1000 --json", capsys)[1])
    assert (result["messages"]["accepted"], result["messages"]["lost"]) == (5, 995)


def test_the_table_of_limits_is_the_policy():
    policy = tomllib.loads((ROOT / "sim/policies/mailersend.toml").read_text(encoding="utf-8"))
    counts = [
        policy[key]["count"]
        for key in (
            "transactions_per_connection",
            "connections_per_ip",
            "logins_per_username",
            "failed_logins_per_username_ip",
            "failed_logins_per_ip",
        )
    ]
    shown = [int(number) for number in re.findall(r"^\| [a-z][^|]*\| (\d+)", TEXT, re.MULTILINE)]
    assert shown == counts


def test_the_links_and_files_are_there():
    links = re.findall(r"\]\(([^)h][^)]*)\)", TEXT)
    assert len(links) >= 6
    assert [link for link in links if not (ROOT / link).exists()] == []
    named = re.findall(r"`(sim/[\w/.]+)`", TEXT)
    assert [path for path in named if not (ROOT / path).exists()] == []
