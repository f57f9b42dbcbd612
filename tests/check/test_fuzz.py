"""Random configurations give an answer or one line for each mistake, and never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.check import KINDS, check
from sim.check.nodemailer import KNOWN
from sim.check.postfix import DEFAULTS
from sim.errors import ScenarioError

QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.integers(-5, 200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "5",
            "true",
            "false",
            "",
            "1e3",
            "PLAIN",
            "smtp://u:p@h:587/?pool=1&maxMessages=x",
            "smtps://h:99999",
        ]
    )
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)
NODEMAILER = st.dictionaries(
    st.sampled_from(sorted(KNOWN)) | st.text(max_size=8), VALUES, max_size=8
)
PYTHON = st.sampled_from(
    [
        "EMAIL_HOST",
        "EMAIL_PORT",
        "EMAIL_TIMEOUT",
        "EMAIL_USE_TLS",
        "EMAIL_USE_SSL",
        "EMAIL_BACKEND",
        "EMAIL_X",
    ]
)
MAIN_CF = st.sampled_from(sorted(DEFAULTS)) | st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
LINES = st.text(
    st.characters(blacklist_characters="\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=30
) | st.sampled_from(
    [
        "yes",
        "no",
        "5",
        "0",
        "1s",
        "5d",
        "$relayhost",
        "${a?b}",
        "$$",
        "[smtp.mailersend.net]:587",
        "999999999999",
    ]
)


def answered(folder: Path, name: str, text: str, kind: str | None = None) -> None:
    """Checks that ``text`` in a file of this name has an answer, or mistakes of one line each."""
    file = folder / name
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        found = check(file, kind=kind, messages=12)
    except ScenarioError as error:
        for line in str(error).splitlines():
            assert line.startswith(str(file)), line
        return
    json.dumps(found.to_dict(), allow_nan=False)
    assert all(
        0 < one.line <= max(1, len(text.splitlines()))
        for one in found.findings
        if one.line is not None
    )


@QUICK
@given(NODEMAILER)
def test_options_of_nodemailer(tmp_path, options):
    answered(tmp_path, "x.json", json.dumps({"host": "h"} | options, indent=1))


@QUICK
@given(st.lists(st.tuples(PYTHON, VALUES.map(repr) | LINES), max_size=6))
def test_settings_of_django(tmp_path, lines):
    answered(
        tmp_path,
        "x.py",
        "".join(f"{name} = {value}\n" for name, value in [("EMAIL_HOST", "'h'"), *lines]),
    )


@QUICK
@given(st.lists(st.tuples(MAIN_CF, LINES), max_size=6))
def test_a_main_cf(tmp_path, lines):
    answered(
        tmp_path,
        "main.cf",
        "".join(f"{name} = {value}\n" for name, value in [("relayhost", "h"), *lines]),
    )


@QUICK
@given(
    st.text(max_size=200),
    st.sampled_from(["x", "x.json", "x.py", "main.cf"]),
    st.sampled_from([None, *KINDS]),
)
def test_any_text(tmp_path, text, name, kind):
    answered(tmp_path, name, text, kind)


@pytest.mark.parametrize("name", ["x.json", "x.py", "main.cf", "x"])
@QUICK
@given(octets=st.binary(max_size=100))
def test_any_octets(tmp_path, name, octets):
    answered(
        tmp_path,
        name,
        octets.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode(),
    )
