"""What comes over the network names no code and no path: refused before anything looks for a file."""

from __future__ import annotations

from typing import Any

import pytest

from sim.errors import ScenarioError
from sim.ui import input_limits
from sim.ui.setting import scenario_of

GOOD: dict[str, Any] = {
    "workload": {"kind": "batch", "messages": 5},
    "sender": {"strategy": "paced"},
}


@pytest.mark.parametrize(
    ("table", "values", "key", "says"),
    [
        (
            "sender",
            {"strategy": "evil.py:run"},
            "sender.strategy",
            "names code, which this page refuses",
        ),
        ("sender", {"strategy": "../../up.py:run"}, "sender.strategy", "names code"),
        ("sender", {"strategy": "/tmp"}, "sender.strategy", "names code"),
        ("sender", {"strategy": "padec"}, "sender.strategy", 'did you mean "paced"'),
        (
            "sender",
            {"code": "newsletter.py:send_all"},
            "sender.code",
            "names code on the machine that serves this page",
        ),
        ("sender", {"strategy": "paced", "workers": 10**9}, "sender.workers", "at most 2,000"),
        ("policy", {"use": "own.toml"}, "policy.use", "This page opens no file"),
        ("policy", {"use": "../policies/x"}, "policy.use", "This page opens no file"),
        (
            "workload",
            {"kind": "trace", "file": "sent.csv"},
            "workload.file",
            "names a file, and this page opens none",
        ),
        (
            "workload",
            {"kind": "batch", "messages": 5, "file": "x"},
            "workload.file",
            "names a file",
        ),
        (
            "workload",
            {"kind": "batch", "messages": 2_000_000},
            "workload.messages",
            "at most 1,000,000",
        ),
        (
            "workload",
            {"kind": "constant", "rate": "1000/s", "for": "1d"},
            "workload",
            "86,400,000 messages",
        ),
        (
            "workload",
            {"kind": "bursts", "size": 90_000, "every": 0.001, "for": "1d"},
            "workload",
            "too many",
        ),
        (
            "workload",
            {"kind": "daily", "profile": [10**6] * 24, "for": "2h"},
            "workload",
            "2,000,000 messages",
        ),
    ],
)
def test_refused_in_words(table, values, key, says):
    with pytest.raises(ScenarioError) as caught:
        scenario_of({**GOOD, table: values})
    assert caught.value.key == key
    assert says in caught.value.problem


def test_what_else_is_wrong_is_said_too():
    with pytest.raises(ScenarioError) as caught:
        scenario_of(
            {
                **GOOD,
                "sender": {"strategy": "evil.py:run"},
                "workload": {"kind": "batch", "mesages": 5},
            }
        )
    assert [one.key for one in (caught.value, *caught.value.others)] == [
        "sender.strategy",
        "workload.messages",
        "workload.mesages",
    ]


def test_nothing_is_opened_for_a_path_that_is_refused(tmp_path):
    file = tmp_path / "touch.py"
    file.write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\n\n\ndef run(sender):\n    pass\n", encoding="utf-8"
    )
    with pytest.raises(ScenarioError):
        scenario_of({**GOOD, "sender": {"strategy": f"{file}:run"}})
    assert not (tmp_path / "ran").exists()


def test_numbers_that_are_none_are_left_to_the_loader():
    assert input_limits.expected_messages({"rate": "x", "for": "1h"}) is None
    assert input_limits.expected_messages({"kind": "batch", "messages": "many"}) is None
    with pytest.raises(ScenarioError, match="is not a whole number"):
        scenario_of({**GOOD, "workload": {"kind": "batch", "messages": "many"}})
