"""Nothing in the documentation is unexecuted: each page runs in a folder of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Page, blocks_of

PAGES = sorted(
    path
    for path in (ROOT / "docs").rglob("*.md")
    if "generated" not in path.parts  # written from the code
)
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_the_page_runs(path: Path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    text = path.read_text(encoding="utf-8")
    assert Page(path.name, capsys).run(text) == len(re.findall(r"^```+\w", text, re.M))


BAD = [
    ("```sh\nrelaysim try paced -n x\n```\n", "ended with 2"),
    ("```sh\nmake nothing-like-it\n```\n", "make has no"),
    ("```sh\ncurl example.org\n```\n", "no way to run curl"),
    ("```sh\n# only a comment\n```\n", "no command"),
    ("```sh\nrelaysim strategies\n```\n<!-- shows -->\n```text\nno such line\n```\n", "not in the"),
    ("```python\nraise SystemExit(3)\n```\n", "p.md:1"),
    ("<!-- not run: -->\n```sh\nls\n```\n", "write why"),
    ("```rust\nfn main() {}\n```\n", "no way to check"),
    ("```text\nfree text\n```\n", "needs <!-- shows -->"),
]


@pytest.mark.parametrize(("text", "complaint"), BAD)
def test_a_wrong_page_is_found(text, complaint, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((AssertionError, pytest.fail.Exception), match=re.escape(complaint)):
        Page("p.md", capsys).run(text)


def test_blocks_keep_their_note_and_line():
    [block] = blocks_of("Text.\n\n<!-- file: a.toml -->\n```toml\nx = 1\n```\n")
    assert (block.kind, block.body, block.note, block.value) == (
        "toml",
        "x = 1\n",
        "file",
        "a.toml",
    )
    assert block.line == 3
