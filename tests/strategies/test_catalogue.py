"""Strategies are found by name or in a user's file, and every error is reported in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.errors import ScenarioError
from sim.strategies import catalogue

NOT_ONE = (
    "mine.py:go is no strategy: its one parameter is not named sender. "
    "Any other callable is production code, which is not yet in this version"
)


def file(folder, text, name="mine.py"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_misspelt_shipped_strategy():
    with pytest.raises(ValueError) as caught:
        catalogue.shipped("pased")
    assert str(caught.value) == (
        f'"pased" is no shipped strategy; allowed: {", ".join(catalogue.SHIPPED)}, '
        'or path/to/file.py:name; did you mean "paced"?'
    )


@pytest.mark.parametrize(
    ("name", "is_path"),
    [
        ("paced", False),
        ("mine.py:go", True),
        ("a/mine.py:go", True),
        ("mine.py", True),
        ("a/b", True),
    ],
)
def test_what_is_a_path(name, is_path):
    assert catalogue.is_path(name) is is_path


@pytest.mark.parametrize("name", ["mine.py", "mine.py:", "mine.py:a-b", "mine.py:1"])
def test_a_path_that_names_no_strategy(name, tmp_path):
    with pytest.raises(ValueError) as caught:
        catalogue.split(name, tmp_path)
    assert (
        str(caught.value) == f'"{name}" names no strategy in the file; write path/to/file.py:name'
    )


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError) as caught:
        catalogue.split("mine.py:go", tmp_path)
    assert str(caught.value) == '"mine.py" is not a file; a path is relative to the scenario file'


def test_a_path_is_relative_to_its_folder(tmp_path):
    path = file(tmp_path, "")
    assert catalogue.split("mine.py:go", tmp_path) == (path, "go")


def test_a_function_from_a_file(tmp_path):
    path = file(tmp_path, 'def go(sender):\n    """Sends.\n\n    And more."""\n    return sender\n')
    found = catalogue.load(path, "go")
    assert (found.name, found.options, found.about) == ("mine.py:go", {}, "Sends.")
    assert found.made({})("it") == "it"  # type: ignore[arg-type]


def test_a_class_is_made_once_with_its_options(tmp_path):
    text = """
class Go:
    options = {"size": 5, "pause": "1s"}

    def __init__(self, size, pause):
        self.given, self.calls = (size, pause), 0

    def run(self, sender):
        self.calls += 1
        return self.given, self.calls
"""
    found = catalogue.load(file(tmp_path, text), "Go")
    work = found.made({"size": 7})
    assert [work(None), work(None)] == [((7, "1s"), 1), ((7, "1s"), 2)]  # type: ignore[arg-type]


def test_every_load_executes_the_file_again(tmp_path):
    path = file(tmp_path, "seen = []\ndef go(sender):\n    seen.append(1)\n    return len(seen)\n")
    for _ in range(2):
        assert catalogue.load(path, "go").made({})(None) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "wanted", "says"),
    [
        (
            "def send(sender): ...",
            "sent",
            'mine.py has no sent; did you mean "send"?; strategies in it: send',
        ),
        ("x = 1", "go", "mine.py has no go; strategies in it: none"),
        ("go = 1", "go", "mine.py:go is not a function or a class"),
        ("class go: ...", "go", "mine.py:go is a class without run(self, sender)"),
        (
            "class go:\n    options = 5\n    def run(self, sender): ...",
            "go",
            "mine.py:go has options that are no dict of name: default",
        ),
        (
            "def go(addresses): ...",
            "go",
            NOT_ONE,
        ),
        (
            "def go(sender, more): ...",
            "go",
            NOT_ONE,
        ),
        (
            "async def go(sender): ...",
            "go",
            "mine.py:go is async; a strategy is a plain function: write def, and without await",
        ),
        (
            "class go:\n    async def run(self, sender): ...",
            "go",
            "mine.py:go is async; a strategy is a plain function: write def, and without await",
        ),
        (
            "def go(sender): yield",
            "go",
            (
                "mine.py:go yields; a strategy is a plain function that does its work when it "
                "is called"
            ),
        ),
        (
            "\n1 / 0",
            "go",
            "mine.py cannot be loaded at line 2: ZeroDivisionError: division by zero",
        ),
        ("import sys\nsys.exit(3)", "go", "mine.py cannot be loaded at line 2: SystemExit: 3"),
        (
            "raise BaseException('no')",
            "go",
            "mine.py cannot be loaded at line 1: BaseException: no",
        ),
        (
            "raise ValueError('two\\nlines')",
            "go",
            r"mine.py cannot be loaded at line 1: ValueError: two\nlines",
        ),
        (
            "class Mute(Exception):\n    def __str__(self): 1 / 0\nraise Mute",
            "go",
            "mine.py cannot be loaded at line 3: Mute",
        ),
        (
            "raise ValueError('x' * 9_999)",
            "go",
            f"mine.py cannot be loaded at line 1: ValueError: {'x' * 297}...",
        ),
        (
            "import no_such",
            "go",
            "mine.py cannot be loaded at line 1: ModuleNotFoundError: No module named 'no_such'",
        ),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path, text, wanted, says):
    with pytest.raises(ValueError) as caught:
        catalogue.load(file(tmp_path, text), wanted)
    assert str(caught.value) == says


def test_a_syntax_error_names_its_line(tmp_path):
    with pytest.raises(ValueError, match=r"^mine\.py cannot be loaded at line 2: SyntaxError: "):
        catalogue.load(file(tmp_path, "x = 1\ndef go(:\n"), "go")


def test_a_file_of_other_octets_than_text(tmp_path):
    path = tmp_path / "mine.py"
    path.write_bytes(b"\xff\x00")
    with pytest.raises(ValueError, match=r"^mine\.py cannot be loaded"):
        catalogue.load(path, "go")


def test_options_of_a_persons_class_are_checked_by_their_defaults(tmp_path):
    text = (
        'class Go:\n    options = {"share": 0.5, "word": "x", "on": False}\n'
        "    def run(self, sender): ...\n"
    )
    found = catalogue.load(file(tmp_path, text), "Go")
    catalogue.check_options(found, {"share": 1, "word": "y", "on": True}, "x.toml")
    with pytest.raises(ScenarioError) as caught:
        catalogue.check_options(found, {"share": float("inf"), "word": 1, "on": 1}, "x.toml")
    assert str(caught.value).splitlines() == [
        "x.toml: sender.options.share: inf is not a finite number",
        "x.toml: sender.options.word: 1 is not a string",
        "x.toml: sender.options.on: 1 is not true or false",
    ]


@pytest.mark.parametrize("name", ["mine.py", "random.py", "sim.py"])
def test_a_file_with_a_dataclass_and_a_name_that_others_have(name, tmp_path):
    """A dataclass looks its module up, and with annotations that are text it needs to find it."""
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\nimport pickle\n"
    text += (
        "@dataclass\nclass State:\n    sent: int = 0\npickle.dumps(State())\ndef go(sender): ...\n"
    )
    assert catalogue.load(file(tmp_path, text, name), "go").name == f"{name}:go"


def test_a_strategy_with_a_name_in_a_folder(tmp_path):
    below = tmp_path / "below"
    below.mkdir()
    file(below, "def go(sender): ...")
    assert catalogue.split("below/mine.py:go", tmp_path) == (
        Path(tmp_path, "below", "mine.py"),
        "go",
    )
