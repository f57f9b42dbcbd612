"""Recorded workloads: seconds or dates, with or without a header, and what is told of a file that
is none.
"""

from __future__ import annotations

import pytest

from sim.errors import ScenarioError
from sim.scenario.trace import read_trace

S = 1_000_000


@pytest.mark.parametrize(
    ("text", "arrivals"),
    [
        ("0\n1.5\n3\n", (0, 1_500_000, 3 * S)),
        ("at,to\n5,x\n1,y\n", (S, 5 * S)),  # sorted; seconds stay as written
        ("\n\n2\n\n", (2 * S,)),
        ("\ufeffat\n2\n", (2 * S,)),
        ("sent\n2026-11-24T08:00:01\n2026-11-24T08:00:00.25\n", (0, 750_000)),
        ("2026-11-24T08:00:00Z\n2026-11-24T10:00:00+01:00\n", (0, 3_600 * S)),
        ("2026-11-24\n2026-11-25\n", (0, 86_400 * S)),
    ],
)
def test_a_trace(tmp_path, text, arrivals):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    assert read_trace(tmp_path / "a.csv", "x.toml") == arrivals


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "a.csv holds no arrival"),
        (b"at\n", "a.csv holds no arrival"),
        (b"-5\n1\n", 'a.csv line 1: "-5" is neither seconds of 0 or more nor a date'),
        (b"nan\n1\n", 'a.csv line 1: "nan" is neither'),
        (b"at\n1\nsoon\n", 'a.csv line 3: "soon" is neither'),
        (b"inf\n", 'a.csv line 1: "inf" is neither'),
        (b"1767225600\n", 'a.csv line 1: "1767225600" is more than 366 days; seconds count from'),
        (b"1\n2026-11-24\n", "a.csv mixes seconds and dates"),
        (b"2020-01-01\n2026-01-01\n", "a.csv spans more than 366 days"),
        (b"\xff\xfe\x00\n", "a.csv is not a CSV file in UTF-8"),
        (b'"' + b"x" * 200_000, "a.csv is not a CSV file in UTF-8"),
    ],
)
def test_a_file_that_is_no_trace(tmp_path, content, words):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ScenarioError) as caught:
        read_trace(tmp_path / "a.csv", "x.toml")
    assert str(caught.value).startswith(f"x.toml: workload.file: {words}")
    assert "\n" not in str(caught.value)
