"""The kinds of files that `relaysim check` accepts and refuses, and its output."""

from __future__ import annotations

import json

import pytest

from sim.errors import ScenarioError
from tests.check.texts import DJANGO, NODEMAILER, POSTFIX, call, checked


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "a.json",
            "{}",
            "has no options of Nodemailer in it; allowed: an object with auth, host, ",
        ),
        ("a.json", "[1]", "has no options of Nodemailer in it"),
        (
            "a.json",
            '{"a": {"host": "x"}, "b": {"host": "y"}}',
            "has the options of several transports, a and b",
        ),
        ("a.json", '{"url": "smtp://[x"}', "is no URL"),
        (
            "a.json",
            '{"a": [{"host": "x"}, "smtp://y"]}',
            "has the options of several transports, a[0] and a[1]",
        ),
        (
            "a.js",
            "module.exports = {}",
            "is JavaScript, which is not read; write the object that createTransport() takes",
        ),
        (
            "mail",
            "let t = nodemailer.createTransport({pool: true})",
            "is JavaScript, which is not read",
        ),
        ("a.py", "x = 1", "has no setting of Django's for e-mail"),
        (
            "a.py",
            "\nfrom .mail import *",
            "a.py:2: takes its settings from elsewhere (from .mail import *), which is not read",
        ),
        (
            "a.py",
            "class Base(Configuration):\n    EMAIL_PORT = 587",
            "in classes, of which one is chosen when it runs: Base (line 1)",
        ),
        (
            "main.cf",
            POSTFIX + "smtp_connection_reuse_count_limit = 4 # five\n",
            "nine digits; a comment needs a line of its own",
        ),
        (
            "master.cf",
            "smtp unix - - y - - smtp\n  -o smtp_x=1\n",
            "is a master.cf, whose services are not read",
        ),
        ("main.cf", "# nothing", "has no parameter in it"),
        (
            "main.cf",
            POSTFIX + "smtp_connection_reuse_count_limit = five\n",
            'main.cf:4: smtp_connection_reuse_count_limit: "five" is not a whole number',
        ),
        (
            "a.txt",
            "hello",
            "cannot be told for any kind of configuration; say --kind with one of nodemailer, JSON",
        ),
        ("a.txt", "", "cannot be told for any kind of configuration"),
    ],
)
def test_a_file_that_is_none(name, text, said, tmp_path):
    with pytest.raises(ScenarioError) as caught:
        checked(tmp_path, name, text)
    assert said in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)


def test_the_kind_is_told_by_the_text_where_the_name_says_nothing(tmp_path):
    assert checked(tmp_path, "mail", json.dumps(NODEMAILER), messages=5).kind == "nodemailer"
    assert checked(tmp_path, "production", DJANGO, messages=5).kind == "django"
    assert checked(tmp_path, "postfix.txt", POSTFIX, messages=5).kind == "postfix"


def test_the_command(capsys, tmp_path):
    file = tmp_path / "mail.json"
    file.write_text(json.dumps(NODEMAILER | {"pool": True, "maxMessages": 100}, indent=1))
    status, out, _ = call(capsys, "check", str(file))
    assert status == 1
    assert f"{file}:10: fails at message 6: maxMessages is 100, this relay allows 5" in out
    assert "nodemailer.createTransport({" in out
    status, out, _ = call(capsys, "check", str(file), "--json")
    found = json.loads(out)
    assert (status, found["passed"], found["kind"]) == (1, False, "nodemailer")
    assert found["ways"][0]["lost"] == 400
    status, out, _ = call(capsys, "check", str(file), "--policy", "unlimited", "-n", "50")
    assert status == 0
    assert "passed: nothing of this is refused" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.json"], "cannot be read"),
        (["."], "is a folder"),
        (["mail.json", "--kind", "sendmail"], "is not one of"),
        (["mail.json", "--policy", "mailersent"], "is no shipped policy"),
        (["mail.json", "--set", "nonsense"], "nonsense"),
    ],
)
def test_a_call_that_is_wrong(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mail.json").write_text(json.dumps(NODEMAILER))
    status, out, err = call(capsys, "check", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_octets_that_are_no_text(capsys, tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xff\xfe{")
    assert call(capsys, "check", str(tmp_path / "a.json"))[0] == 2
    (tmp_path / "b.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(NODEMAILER).encode())
    assert call(capsys, "check", str(tmp_path / "b.json"), "-n", "5")[0] == 0
    (tmp_path / "c.json").write_bytes(b" " * 2_000_001)
    assert "no configuration is" in call(capsys, "check", str(tmp_path / "c.json"))[2]
