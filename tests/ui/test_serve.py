"""How the dashboard is started: on loopback alone, without statistics, and with a mistake in one
line.
"""

from __future__ import annotations

import importlib.util
import socket
import tomllib
from typing import Any

import pytest

from sim.cli import main
from sim.ui import serve


def test_it_listens_on_loopback_and_tells_nobody():
    assert serve.OPTIONS["server.address"] == "127.0.0.1"
    assert serve.OPTIONS["browser.gatherUsageStats"] is False


def test_the_file_beside_app_py_says_the_same(repository):
    said: dict[str, Any] = {}

    def walk(table: dict[str, Any], at: str) -> None:
        for key, value in table.items():
            if isinstance(value, dict):
                walk(value, f"{at}{key}.")
            else:
                said[f"{at}{key}"] = value

    walk(tomllib.loads((repository / ".streamlit" / "config.toml").read_text(encoding="utf-8")), "")
    assert said == serve.OPTIONS


def test_without_streamlit_one_line_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        main(["ui"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert 'install the extra "ui"' in said


def test_a_port_that_is_taken_is_said(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SystemExit) as ended:
            main(["ui", "--port", str(taken.getsockname()[1])])
    assert ended.value.code == 2
    assert "is taken; name another" in capsys.readouterr().err
