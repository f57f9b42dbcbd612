"""Runs a page of documentation: its files are written, its commands called, its output compared.

A fenced block is what its language says. A comment on the line before it adds to that:

- ``<!-- file: mine.py -->``: write the block to that file, in the page's folder
- ``<!-- status: 1 -->``: the command of the block ends with this exit status (0 without it)
- ``<!-- shows -->``: every line of the block is in the output of the last command
- ``<!-- not run: reason -->``: leave the block alone

``sh`` blocks hold one command per line; ``relaysim`` is called in this process, ``python`` in a
child, and for ``make`` the target must exist. ``python`` blocks without a file are executed,
``toml`` and ``json`` blocks must parse.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BLOCK = re.compile(
    r"^(?:<!-- (?P<note>[^\n]*?) -->\n)?"
    r"(?P<fence>```+)(?P<kind>[\w-]+)[^\n]*\n(?P<body>.*?)^(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)
KINDS = {"sh", "text", "toml", "json", "python", "js", "php", "java", "ini", "yaml", "console"}
SHOWN_ONLY = {"js", "php", "java", "ini", "yaml", "console"}
"""Languages that a page shows and other tests run (the snippets of the planner)."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page, with the comment before it split into its name and value."""

    kind: str
    body: str
    note: str
    value: str
    line: int


def blocks_of(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = []
    for match in BLOCK.finditer(text):
        note, _, value = (match["note"] or "").partition(":")
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(match["kind"], match["body"], note.strip(), value.strip(), line))
    return found


def relaysim(command: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit status of a command of relaysim, called in this process, and what it printed."""
    from sim.cli import main

    with pytest.raises(SystemExit) as ended:
        main(shlex.split(command)[1:])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out + printed.err


def python(command: str) -> tuple[int, str]:
    """The exit status of a Python child and what it printed."""
    arguments = [sys.executable, *shlex.split(command)[1:]]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=600)
    return done.returncode, done.stdout + done.stderr


class Page:
    """A page that is run block by block in the current folder."""

    def __init__(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.name = name
        self.capsys = capsys
        self.printed = ""

    def run(self, text: str) -> int:
        """Runs every block; returns how many there were."""
        blocks = blocks_of(text)
        for block in blocks:
            self._block(block)
        return len(blocks)

    def _block(self, block: Block) -> None:
        place = f"{self.name}:{block.line}"
        assert block.kind in KINDS, f"{place}: no way to check a block of {block.kind}"
        if block.note == "not run":
            assert block.value, f"{place}: write why the block is not run"
        elif block.note == "file":
            Path(block.value).write_text(block.body, encoding="utf-8")
        elif block.note == "shows":
            self._shows(block, place)
        elif block.kind == "sh":
            self._commands(block, place)
        elif block.kind == "toml":
            tomllib.loads(block.body)
        elif block.kind == "json":
            json.loads(block.body)
        elif block.kind == "python":
            status, printed = python(shlex.join(["python", "-c", block.body]))
            assert status == 0, f"{place}:\n{printed}"
            self.printed = printed
        else:
            assert block.kind in SHOWN_ONLY, f"{place}: a {block.kind} block needs <!-- shows -->"

    def _commands(self, block: Block, place: str) -> None:
        wanted = int(block.value) if block.note == "status" else 0
        lines = [line.partition(" #")[0].strip() for line in block.body.splitlines()]
        commands = [line for line in lines if line and not line.startswith("#")]
        assert commands, f"{place}: no command in the block"
        for command in commands:
            status = self._command(command, place)
            assert status == wanted, f"{place}: {command} ended with {status}\n{self.printed}"

    def _command(self, command: str, place: str) -> int:
        program = command.split()[0]
        if program == "relaysim":
            status, self.printed = relaysim(command, self.capsys)
        elif program in ("python", "python3"):
            status, self.printed = python(command)
        elif program == "make":
            target = command.split()[1]
            makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
            assert re.search(rf"^{target}:", makefile, re.M), f"{place}: make has no {target}"
            status = 0
        else:
            pytest.fail(f"{place}: no way to run {program}; write <!-- not run: why --> before it")
        return status

    def _shows(self, block: Block, place: str) -> None:
        printed = " ".join(self.printed.split())
        for line in block.body.splitlines():
            text = " ".join(line.split())
            if text and text != "...":
                assert text in printed, f"{place}: not in the output: {line}\n{self.printed}"
