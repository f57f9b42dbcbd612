"""What `relaysim check` finds in each kind of file, on which line, and what it says to write instead; and that this holds when run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sim.check import check
from sim.cli import main
from sim.errors import ScenarioError
from sim.strategies import catalogue

NODEMAILER = {"host": "smtp.mailersend.net", "port": 587, "secure": False, "auth": {"user": "u", "pass": "p"}}
DJANGO = "EMAIL_HOST = 'smtp.mailersend.net'\nEMAIL_PORT = 587\nEMAIL_USE_TLS = True\nEMAIL_TIMEOUT = 30\n"
POSTFIX = "relayhost = [smtp.mailersend.net]:587\nsmtp_sasl_auth_enable = yes\nsmtp_tls_security_level = encrypt\n"


def checked(folder: Path, name: str, text: str, **more: Any) -> Any:
    file = folder / name
    file.write_text(text)
    return check(file, **more)


def nodemailer(folder: Path, more: dict[str, Any] | None = None, /, **options: Any) -> Any:
    return checked(folder, "mail.json", json.dumps(NODEMAILER | options, indent=1), **(more or {}))


def whats(found: Any) -> list[str]:
    return [one.what for one in found.findings]


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
    found = nodemailer(tmp_path, {"overrides": ["policy.transactions_per_connection=20"]}, pool=True)
    assert "fails at message 21: maxMessages is 100 by default, this relay allows 20" in whats(found)
    assert found.better["maxMessages"] == 20
    found = nodemailer(tmp_path, {"overrides": ["policy.transactions_per_connection=1"]}, pool=True)
    assert nodemailer(tmp_path, {"overrides": ["policy.transactions_per_connection=1", "sender.options.pause=0.53s"]}).passed
    assert found.better == {"pause": "0.520s"}


@pytest.mark.parametrize(
    ("options", "said", "refused"),
    [
        ({"secure": True}, "sends nothing: secure is true, and port 587 speaks plain SMTP first", True),
        ({"port": 465}, "sends nothing: secure is false, and port 465 begins with TLS", True),
        (
            {"maxConnections": "many", "pool": True},
            'maxConnections is "many", which is no number: no connection is ever opened',
            True,
        ),
        ({"maxConnections": -1, "pool": True}, "maxConnections is -1: no connection is ever opened", True),
        ({"pool": "false"}, 'pool is on: "false" is a string, and that is true in JavaScript', False),
        ({"maxMessage": 5}, 'maxMessage is no option of Nodemailer\'s; did you mean "maxMessages"?', False),
        ({"maxMessages": 5}, "maxMessages does nothing without pool", False),
        ({"maxMessages": "x", "pool": True}, 'maxMessages is "x", which is no number', False),
        ({"maxRequeues": "5", "pool": True}, 'maxRequeues is "5", which is no number; its default is taken', False),
        ({"authMethod": "XOAUTH2"}, 'authMethod is "XOAUTH2"; it is judged as PLAIN', False),
        ({"host": "smtp.example.com"}, 'host is "smtp.example.com"; it is judged as if it were this relay', False),
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
    found = nodemailer(tmp_path, {"messages": 30}, pool=1, maxMessages="5", maxConnections=0, rateLimit=2.5, rateDelta="700")
    assert found.trials[0].way.options == {
        "pool": True, "maxMessages": 5, "maxConnections": 0, "rateLimit": 3, "rateDelta": 700
    }  # fmt: skip


def test_options_in_a_url_and_below_a_key(tmp_path):
    text = json.dumps(
        {"mail": {"from": "x", "smtp": {"url": "smtp://u:p@smtp.mailersend.net:587/?pool=true&maxMessages=7"}}}, indent=1
    )
    found = checked(tmp_path, "settings.json", text)
    assert "fails at message 6: maxMessages is 7, this relay allows 5" in whats(found)
    assert {one.line for one in found.findings if one.refused and one.setting == "maxMessages"} == {5}


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ('"smtps://u:p@smtp.mailersend.net:465/?pool=true"', {"pool": True}),
        (
            '{"mail": {"transport": "smtp://u:p@smtp.mailersend.net:587?pool=true&maxMessages=5"}}',
            {"pool": True, "maxMessages": 5},
        ),
        ('[{"host": "smtp.mailersend.net", "pool": true}]', {"pool": True}),
        ('{"host": "smtp.mailersend.net", "pool": true, "maxMessages": "${MAX}", "rateLimit": "{{ rate }}"}', {"pool": True}),
    ],
)
def test_where_options_may_stand(text, options, tmp_path):
    assert checked(tmp_path, "mail.json", text, messages=5).trials[0].way.options == options


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"host": "${HOST}", "pool": true}',
            'host is "${HOST}", which something else puts a value in; it is judged as if it were not there',
        ),
        ('{"host": "smtp.mailersend.net"}', "auth is not here; it is judged as if a login were put in elsewhere"),
        ('{"auth": {"type": "OAuth2", "user": "u"}}', 'auth.type is "OAuth2"; it is judged as PLAIN'),
        ('{"pool": true, "maxMessages": "many"}', "fails at message 6: maxMessages is no number, this relay allows 5"),
    ],
)
def test_what_the_options_leave_open(text, said, tmp_path):
    assert said in whats(checked(tmp_path, "mail.json", text, messages=30))


def test_what_stands_on_a_line_is_told_before_what_stands_on_none(tmp_path):
    found = nodemailer(tmp_path, pool=True, maxMessages=100)
    refused = [one.line for one in found.findings if one.refused]
    assert refused[0] is not None
    assert refused[-1] is None


def test_the_common_main_cf_has_no_slip_of_the_pen(tmp_path):
    text = (
        POSTFIX
        + "smtpd_tls_security_level=may\nsmtpd_use_tls=yes\nlmtp_tls_security_level=may\nrelay_destination_concurrency_limit=1\n"
    )
    assert not [one for one in whats(checked(tmp_path, "main.cf", text, messages=5)) if "did you mean" in one]


def test_both_majors_are_run(tmp_path):
    found = nodemailer(tmp_path, {"messages": 6}, pool=True, maxConnections=1)
    assert [trial.result.messages.lost for trial in found.trials] == [0, 1]


def test_django_settings(tmp_path):
    found = checked(tmp_path, "settings.py", DJANGO)
    assert found.passed
    assert [one.refused for one in found.findings] == [False, False]
    assert "fails at message 6: all messages share a connection, this relay allows 5" in found.findings[0].what
    said = "it holds by the 40ms that each round trip is taken to last; over 1 ms, user1 asked for its 121st login within 60 s"
    assert found.findings[1].what.startswith(said)


def test_how_far_the_relay_is_may_be_said(tmp_path):
    found = checked(tmp_path, "settings.py", DJANGO, overrides=["network.rtt=40ms"])
    assert [one.what for one in found.findings if "it holds by" in one.what] == []
    assert found.to_dict()["rtt_s"] == 0.04


@pytest.mark.parametrize(
    ("text", "tls"),
    [
        (DJANGO, "starttls"),
        (DJANGO + "EMAIL_USE_TLS = False\n", "none"),
        (DJANGO.replace("USE_TLS", "USE_SSL").replace("587", "465"), "implicit"),
        (DJANGO + "EMAIL_USE_TLS = ask()\n", "starttls"),
        ("from .base import *\nEMAIL_TIMEOUT = 3\n", "starttls"),
    ],
)
def test_how_a_connection_begins_is_told_by_the_settings(text, tls, tmp_path):
    duration = {"none": 11, "starttls": 14, "implicit": 12}  # round trips of a message, half of one for the last
    found = checked(
        tmp_path, "settings.py", text, messages=1, overrides=["network.rtt=1s", "network.jitter=0", "network.relay_time=0"]
    )
    assert found.trials[0].result.duration_s == pytest.approx(duration[tls] - 3.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from .base import *\nEMAIL_HOST = 'smtp.mailersend.net'\n", "from .base import * may bring in further settings"),
        ("if x:\n    EMAIL_BACKEND = 'django.core.mail.backends.console.EmailBackend'\n" + DJANGO,
         "EMAIL_BACKEND is 'django.core.mail.backends.console.EmailBackend' (line 2) or not there; it is judged as Django's own"),
        ("if x:\n    EMAIL_PORT, EMAIL_USE_SSL = 465, True\nelse:\n    EMAIL_PORT, EMAIL_USE_TLS = 587, True\n",
         "EMAIL_PORT is 465 (line 2) or 587 (line 4); it is judged as if it were not there"),
        ("EMAIL_PORT = int(os.environ.get('PORT', 587))\nEMAIL_USE_TLS = True\n", "EMAIL_PORT is looked up outside this file"),
        ("EMAIL_CONFIG = env.email_url('EMAIL_URL')\nvars().update(EMAIL_CONFIG)\n", "vars().update(EMAIL_CONFIG) may bring in"),
    ],
)  # fmt: skip
def test_nothing_is_claimed_that_only_running_the_file_would_tell(text, said, tmp_path):
    found = checked(tmp_path, "settings.py", text, messages=10)
    assert [one for one in whats(found) if said in one], whats(found)
    assert found.passed
    assert not [one for one in whats(found) if "in the clear" in one or "did you mean" in one]


def test_a_django_backend_of_others_is_not_judged(capsys, tmp_path):
    (tmp_path / "settings.py").write_text(DJANGO + "EMAIL_BACKEND = 'djcelery_email.backends.CeleryEmailBackend'\n")
    status, out, _ = call(capsys, "check", str(tmp_path / "settings.py"))
    assert status == 0
    assert "how it sends is not known, and nothing of this is judged" in out
    assert out.endswith("passed: nothing of this was run\n")


def test_django_beside_the_relay_is_refused(tmp_path):
    found = checked(tmp_path, "settings.py", DJANGO, overrides=["network.rtt=1ms", "network.relay_time=0"])
    assert not found.passed
    assert found.better == {"EMAIL_TIMEOUT": 30.0, "per_connection": 5, "pause": "0.520s"}
    (one,) = [one for one in found.findings if one.limit == "logins_per_username"]
    assert one.instead == "close the connection behind every 5 messages, sleep 0.520s behind each connection"


@pytest.mark.parametrize(
    ("line", "said", "refused"),
    [
        ("EMAIL_USE_SSL = True", "sends nothing: EMAIL_USE_TLS and EMAIL_USE_SSL are both on, and Django takes only one", True),
        ("EMAIL_PORT = 465", "sends nothing: port 465 begins with TLS, and EMAIL_USE_SSL is off", True),
        ("EMAIL_USE_TLS, EMAIL_USE_SSL = 1, 1\nEMAIL_USE_TLS = False\nEMAIL_USE_SSL = True",
         "sends nothing: EMAIL_USE_SSL is on, and port 587 speaks plain SMTP first", True),
        ("EMAIL_TIMEOUT = 0", "EMAIL_TIMEOUT is 0, which is no number of seconds above 0", True),
        ("EMAIL_TIMEOUT = None", "a relay that stops answering holds a worker for ever", False),
        ("EMAIL_USE_TLS = False", "the login goes over the network in the clear, where the relay takes it at all", False),
        ("EMAIL_PORT = '465'", "sends nothing: port 465 begins with TLS, and EMAIL_USE_SSL is off", True),
        ("EMAIL_PORT = port()", "EMAIL_PORT is not known without running the file; it is judged as if it were not there", False),
        ("EMAIL_HOSTS = 'x'", 'EMAIL_HOSTS is no setting of Django\'s; did you mean "EMAIL_HOST"?', False),
        ("EMAIL_HOST = 'localhost'", "EMAIL_HOST is localhost; it is judged as if it were this relay", False),
    ],
)  # fmt: skip
def test_what_can_be_told_of_django_by_reading(line, said, refused, tmp_path):
    found = checked(tmp_path, "settings.py", DJANGO + line + "\n", messages=10)
    (one,) = [one for one in found.findings if one.what == said]
    assert one.refused is refused
    assert one.line == len((DJANGO + line).splitlines())


def test_a_django_backend_that_is_for_no_relay(tmp_path):
    found = checked(tmp_path, "settings.py", DJANGO + "EMAIL_BACKEND = 'django.core.mail.backends.console.EmailBackend'\n")
    assert found.passed
    assert whats(found) == [
        "nothing of this is for a relay: django.core.mail.backends.console.EmailBackend prints its messages"
    ]


def test_a_settings_file_is_never_executed(tmp_path):
    (tmp_path / "settings.py").write_text(DJANGO + f"open({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit(3)\n")
    check(tmp_path / "settings.py", messages=5)
    assert not (tmp_path / "ran").exists()


def test_a_main_cf(tmp_path):
    reuse = "smtp_tls_connection_reuse = yes\nmany = 100\nsmtp_connection_reuse_count_limit =\n  $many\n"
    found = checked(tmp_path, "main.cf", POSTFIX + reuse)
    assert not found.passed
    said = "fails at message 6: smtp_connection_reuse_count_limit is 100, so a connection carries 101, this relay allows 5"
    (one,) = [one for one in found.findings if one.what == said]
    assert (one.line, one.instead) == (6, "smtp_connection_reuse_count_limit = 4")
    assert (found.unmodelled is None) == ("postfix" in catalogue.SHIPPED)


@pytest.mark.parametrize(
    ("text", "said", "refused"),
    [
        ("relayhost = [smtp.mailersend.net]:587\n", "smtp_sasl_auth_enable is not yes, and the relay wants a login", True),
        (POSTFIX + "relayhost = [smtp.mailersend.net]:465\n", "port 465 begins with TLS, and smtp_tls_wrappermode is not yes", True),
        (POSTFIX + "smtp_tls_security_level = none\n", "the login goes over the network in the clear", False),
        ("myhostname = x\n", "nothing of this goes through a relay: relayhost is not set", False),
        (POSTFIX + "relayhost = mx.example.com\n", "relayhost is mx.example.com; it is judged as if it were this relay", False),
        (POSTFIX + "relayhost = smtp.mailersend.net:587\n", "without [ ] around the name Postfix asks for its MX records", False),
        (POSTFIX + "transport_maps = hash:/etc/postfix/transport\n", "transport_maps may send mail elsewhere, and is not", False),
        ("transport_maps = hash:x\nsmtp_sasl_auth_enable = yes\n", "where mail goes is for transport_maps to say; it is judged", False),
        ("default_transport = smtp:[smtp.mailersend.net]:587\n", "where mail goes is for default_transport to say", False),
        (POSTFIX + "default_transport = slow\n", "default_transport is slow, whose own parameters", False),
        (POSTFIX + "default_destination_recipient_limit = 1\n", "the concurrency limits count by recipient", False),
        (POSTFIX + "smtp_connection_cache_destinations = x\n", "keeps connections in a way of its own", False),
        (POSTFIX, "master.cf may overrule any of these for a service with -o, and is not read", False),
        (POSTFIX + "smtp_conection_reuse_count_limit = 4\n",
         'smtp_conection_reuse_count_limit is not read here; did you mean "smtp_connection_reuse_count_limit"?', False),
    ],
)  # fmt: skip
def test_what_can_be_told_of_a_main_cf_by_reading(text, said, refused, tmp_path):
    found = checked(tmp_path, "main.cf", text, messages=5)
    assert [one.refused for one in found.findings if said in one.what] == [refused]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{}", "has no options of Nodemailer in it; allowed: an object with auth, host, "),
        ("a.json", "[1]", "has no options of Nodemailer in it"),
        ("a.json", '{"a": {"host": "x"}, "b": {"host": "y"}}', "has the options of several transports, a and b"),
        ("a.json", '{"url": "smtp://[x"}', "is no URL"),
        ("a.json", '{"a": [{"host": "x"}, "smtp://y"]}', "has the options of several transports, a[0] and a[1]"),
        ("a.js", "module.exports = {}", "is JavaScript, which is not read; write the object that createTransport() takes"),
        ("mail", "let t = nodemailer.createTransport({pool: true})", "is JavaScript, which is not read"),
        ("a.py", "x = 1", "has no setting of Django's for e-mail"),
        ("a.py", "\nfrom .mail import *", "a.py:2: takes its settings from elsewhere (from .mail import *), which is not read"),
        ("a.py", "class Base(Configuration):\n    EMAIL_PORT = 587", "in classes, of which one is chosen when it runs: Base (line 1)"),
        ("main.cf", POSTFIX + "smtp_connection_reuse_count_limit = 4 # five\n", "nine digits; a comment needs a line of its own"),
        ("master.cf", "smtp unix - - y - - smtp\n  -o smtp_x=1\n", "is a master.cf, whose services are not read"),
        ("main.cf", "# nothing", "has no parameter in it"),
        ("main.cf", POSTFIX + "smtp_connection_reuse_count_limit = five\n",
         'main.cf:4: smtp_connection_reuse_count_limit: "five" is not a whole number'),
        ("a.txt", "hello", "cannot be told for any kind of configuration; say --kind with one of nodemailer, JSON"),
        ("a.txt", "", "cannot be told for any kind of configuration"),
    ],
)  # fmt: skip
def test_a_file_that_is_none(name, text, said, tmp_path):
    with pytest.raises(ScenarioError) as caught:
        checked(tmp_path, name, text)
    assert said in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)


def test_the_kind_is_told_by_the_text_where_the_name_says_nothing(tmp_path):
    assert checked(tmp_path, "mail", json.dumps(NODEMAILER), messages=5).kind == "nodemailer"
    assert checked(tmp_path, "production", DJANGO, messages=5).kind == "django"
    assert checked(tmp_path, "postfix.txt", POSTFIX, messages=5).kind == "postfix"


def call(capsys: Any, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


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
