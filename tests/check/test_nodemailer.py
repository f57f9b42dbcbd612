"""Findings about Nodemailer's options: refusals, their lines, and replacements that pass."""

from __future__ import annotations

import json

import pytest

from tests.check.texts import checked, nodemailer, whats


def test_a_pool_left_at_its_default(tmp_path):
    found = nodemailer(tmp_path, pool=True, maxMessages=100)
    assert not found.passed
    (one,) = [one for one in found.findings if one.limit == "transactions_per_connection"]
    assert one.what == "fails at message 6: maxMessages is 100, this relay allows 5"
    assert (tmp_path / "mail.json").read_text().splitlines()[one.line - 1] == ' "maxMessages": 100'
    assert one.instead == "maxMessages: 5"
    assert "maxMessages: 5," in found.snippet


def test_a_default_has_no_line(tmp_path):
    found = nodemailer(tmp_path, pool=True)
    (one,) = [one for one in found.findings if one.limit == "transactions_per_connection"]
    assert one.what == "fails at message 6: maxMessages is 100 by default, this relay allows 5"
    assert (one.setting, one.line) == ("maxMessages", None)


def test_what_is_said_to_be_better_is_refused_nowhere(tmp_path):
    for options in ({"pool": True}, {"pool": True, "maxMessages": 5}, {}):
        found = nodemailer(tmp_path, **options)
        assert not found.passed
        assert nodemailer(tmp_path, **found.better).passed


def test_other_policies(tmp_path):
    assert nodemailer(tmp_path, {"overrides": ["policy.use=unlimited"]}, pool=True).passed
    found = nodemailer(
        tmp_path, {"overrides": ["policy.transactions_per_connection=20"]}, pool=True
    )
    assert "fails at message 21: maxMessages is 100 by default, this relay allows 20" in whats(
        found
    )
    assert found.better["maxMessages"] == 20
    found = nodemailer(tmp_path, {"overrides": ["policy.transactions_per_connection=1"]}, pool=True)
    assert nodemailer(
        tmp_path,
        {"overrides": ["policy.transactions_per_connection=1", "sender.options.pause=0.53s"]},
    ).passed
    assert found.better == {"pause": "0.520s"}


@pytest.mark.parametrize(
    ("options", "said", "refused"),
    [
        (
            {"secure": True},
            "sends nothing: secure is true, and port 587 speaks plain SMTP first",
            True,
        ),
        ({"port": 465}, "sends nothing: secure is false, and port 465 begins with TLS", True),
        (
            {"maxConnections": "many", "pool": True},
            'maxConnections is "many", which is no number: no connection is ever opened',
            True,
        ),
        (
            {"maxConnections": -1, "pool": True},
            "maxConnections is -1: no connection is ever opened",
            True,
        ),
        (
            {"pool": "false"},
            'pool is on: "false" is a string, and that is true in JavaScript',
            False,
        ),
        (
            {"maxMessage": 5},
            'maxMessage is no option of Nodemailer\'s; did you mean "maxMessages"?',
            False,
        ),
        ({"maxMessages": 5}, "maxMessages does nothing without pool", False),
        ({"maxMessages": "x", "pool": True}, 'maxMessages is "x", which is no number', False),
        (
            {"maxRequeues": "5", "pool": True},
            'maxRequeues is "5", which is no number; its default is taken',
            False,
        ),
        ({"authMethod": "XOAUTH2"}, 'authMethod is "XOAUTH2"; it is judged as PLAIN', False),
        (
            {"host": "smtp.example.com"},
            'host is "smtp.example.com"; it is judged as if it were this relay',
            False,
        ),
        ({"service": "SES"}, 'service is "SES"; it is judged as if it were this relay', False),
    ],
)
def test_what_can_be_told_by_reading(options, said, refused, tmp_path):
    found = nodemailer(tmp_path, {"overrides": ["policy.use=unlimited"], "messages": 10}, **options)
    (one,) = [one for one in found.findings if one.what == said]
    assert one.refused is refused
    assert one.line is not None
    assert found.passed is not refused


def test_numbers_as_javascript_reads_them(tmp_path):
    found = nodemailer(
        tmp_path,
        {"messages": 30},
        pool=1,
        maxMessages="5",
        maxConnections=0,
        rateLimit=2.5,
        rateDelta="700",
    )
    assert found.runs[0].usage.options == {
        "pool": True,
        "maxMessages": 5,
        "maxConnections": 0,
        "rateLimit": 3,
        "rateDelta": 700,
    }


def test_options_in_a_url_and_below_a_key(tmp_path):
    text = json.dumps(
        {
            "mail": {
                "from": "x",
                "smtp": {"url": "smtp://u:p@smtp.mailersend.net:587/?pool=true&maxMessages=7"},
            }
        },
        indent=1,
    )
    found = checked(tmp_path, "settings.json", text)
    assert "fails at message 6: maxMessages is 7, this relay allows 5" in whats(found)
    assert {one.line for one in found.findings if one.refused and one.setting == "maxMessages"} == {
        5
    }


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ('"smtps://u:p@smtp.mailersend.net:465/?pool=true"', {"pool": True}),
        (
            '{"mail": {"transport": "smtp://u:p@smtp.mailersend.net:587?pool=true&maxMessages=5"}}',
            {"pool": True, "maxMessages": 5},
        ),
        ('[{"host": "smtp.mailersend.net", "pool": true}]', {"pool": True}),
        (
            (
                '{"host": "smtp.mailersend.net", "pool": true, "maxMessages": '
                '"${MAX}", "rateLimit": "{{ rate }}"}'
            ),
            {"pool": True},
        ),
    ],
)
def test_where_options_may_stand(text, options, tmp_path):
    assert checked(tmp_path, "mail.json", text, messages=5).runs[0].usage.options == options


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"host": "${HOST}", "pool": true}',
            (
                'host is "${HOST}", which something else puts a value in; '
                "it is judged as if it were not there"
            ),
        ),
        (
            '{"host": "smtp.mailersend.net"}',
            "auth is not here; it is judged as if a login were put in elsewhere",
        ),
        (
            '{"auth": {"type": "OAuth2", "user": "u"}}',
            'auth.type is "OAuth2"; it is judged as PLAIN',
        ),
        (
            '{"pool": true, "maxMessages": "many"}',
            "fails at message 6: maxMessages is no number, this relay allows 5",
        ),
    ],
)
def test_what_the_options_leave_open(text, said, tmp_path):
    assert said in whats(checked(tmp_path, "mail.json", text, messages=30))


def test_what_stands_on_a_line_is_told_before_what_stands_on_none(tmp_path):
    found = nodemailer(tmp_path, pool=True, maxMessages=100)
    refused = [one.line for one in found.findings if one.refused]
    assert refused[0] is not None
    assert refused[-1] is None


def test_both_majors_are_run(tmp_path):
    found = nodemailer(tmp_path, {"messages": 6}, pool=True, maxConnections=1)
    assert [run.result.messages.lost for run in found.runs] == [0, 1]
