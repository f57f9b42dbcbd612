"""Findings about Django's settings. Nothing is reported that depends on running them."""

from __future__ import annotations

import pytest

from sim.check import check
from tests.check.texts import DJANGO, call, checked, whats


def test_django_settings(tmp_path):
    found = checked(tmp_path, "settings.py", DJANGO)
    assert found.passed
    assert [one.refused for one in found.findings] == [False, False]
    assert (
        "fails at message 6: all messages share a connection, this relay allows 5"
        in found.findings[0].what
    )
    said = (
        "it holds by the 40ms that each round trip is taken to last; "
        "over 1 ms, user1 asked for its 121st login within 60 s"
    )
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
    duration = {
        "none": 11,
        "starttls": 14,
        "implicit": 12,
    }  # round trips of a message, half of one for the last
    found = checked(
        tmp_path,
        "settings.py",
        text,
        messages=1,
        overrides=["network.rtt=1s", "network.jitter=0", "network.relay_time=0"],
    )
    assert found.runs[0].result.duration_s == pytest.approx(duration[tls] - 3.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "from .base import *\nEMAIL_HOST = 'smtp.mailersend.net'\n",
            "from .base import * may bring in further settings",
        ),
        (
            "if x:\n    EMAIL_BACKEND = 'django.core.mail.backends.console.EmailBackend'\n"
            + DJANGO,
            (
                "EMAIL_BACKEND is 'django.core.mail.backends.console.EmailBackend' (line 2) or "
                "not there; it is judged as Django's own"
            ),
        ),
        (
            (
                "if x:\n    EMAIL_PORT, EMAIL_USE_SSL = 465, True\nelse:\n"
                "    EMAIL_PORT, EMAIL_USE_TLS = 587, True\n"
            ),
            "EMAIL_PORT is 465 (line 2) or 587 (line 4); it is judged as if it were not there",
        ),
        (
            "EMAIL_PORT = int(os.environ.get('PORT', 587))\nEMAIL_USE_TLS = True\n",
            "EMAIL_PORT is looked up outside this file",
        ),
        (
            "EMAIL_CONFIG = env.email_url('EMAIL_URL')\nvars().update(EMAIL_CONFIG)\n",
            "vars().update(EMAIL_CONFIG) may bring in",
        ),
    ],
)
def test_nothing_is_claimed_that_only_running_the_file_would_tell(text, said, tmp_path):
    found = checked(tmp_path, "settings.py", text, messages=10)
    assert [one for one in whats(found) if said in one], whats(found)
    assert found.passed
    assert not [one for one in whats(found) if "in the clear" in one or "did you mean" in one]


def test_a_django_backend_of_others_is_not_judged(capsys, tmp_path):
    (tmp_path / "settings.py").write_text(
        DJANGO + "EMAIL_BACKEND = 'djcelery_email.backends.CeleryEmailBackend'\n"
    )
    status, out, _ = call(capsys, "check", str(tmp_path / "settings.py"))
    assert status == 0
    assert "how it sends is not known, and nothing of this is judged" in out
    assert out.endswith("passed: nothing of this was run\n")


def test_django_beside_the_relay_is_refused(tmp_path):
    found = checked(
        tmp_path, "settings.py", DJANGO, overrides=["network.rtt=1ms", "network.relay_time=0"]
    )
    assert not found.passed
    assert found.better == {"EMAIL_TIMEOUT": 30.0, "per_connection": 5, "pause": "0.520s"}
    (one,) = [one for one in found.findings if one.limit == "logins_per_username"]
    assert (
        one.instead
        == "close the connection behind every 5 messages, sleep 0.520s behind each connection"
    )


@pytest.mark.parametrize(
    ("line", "said", "refused"),
    [
        (
            "EMAIL_USE_SSL = True",
            "sends nothing: EMAIL_USE_TLS and EMAIL_USE_SSL are both on, and Django takes only one",
            True,
        ),
        (
            "EMAIL_PORT = 465",
            "sends nothing: port 465 begins with TLS, and EMAIL_USE_SSL is off",
            True,
        ),
        (
            "EMAIL_USE_TLS, EMAIL_USE_SSL = 1, 1\nEMAIL_USE_TLS = False\nEMAIL_USE_SSL = True",
            "sends nothing: EMAIL_USE_SSL is on, and port 587 speaks plain SMTP first",
            True,
        ),
        ("EMAIL_TIMEOUT = 0", "EMAIL_TIMEOUT is 0, which is no number of seconds above 0", True),
        ("EMAIL_TIMEOUT = None", "a relay that stops answering holds a worker for ever", False),
        (
            "EMAIL_USE_TLS = False",
            "the login goes over the network in the clear, where the relay takes it at all",
            False,
        ),
        (
            "EMAIL_PORT = '465'",
            "sends nothing: port 465 begins with TLS, and EMAIL_USE_SSL is off",
            True,
        ),
        (
            "EMAIL_PORT = port()",
            (
                "EMAIL_PORT is not known without running the file; "
                "it is judged as if it were not there"
            ),
            False,
        ),
        (
            "EMAIL_HOSTS = 'x'",
            'EMAIL_HOSTS is no setting of Django\'s; did you mean "EMAIL_HOST"?',
            False,
        ),
        (
            "EMAIL_HOST = 'localhost'",
            "EMAIL_HOST is localhost; it is judged as if it were this relay",
            False,
        ),
    ],
)
def test_what_can_be_told_of_django_by_reading(line, said, refused, tmp_path):
    found = checked(tmp_path, "settings.py", DJANGO + line + "\n", messages=10)
    (one,) = [one for one in found.findings if one.what == said]
    assert one.refused is refused
    assert one.line == len((DJANGO + line).splitlines())


def test_a_django_backend_that_is_for_no_relay(tmp_path):
    found = checked(
        tmp_path,
        "settings.py",
        DJANGO + "EMAIL_BACKEND = 'django.core.mail.backends.console.EmailBackend'\n",
    )
    assert found.passed
    assert whats(found) == [
        (
            "nothing of this is for a relay: django.core.mail.backends.console.EmailBackend "
            "prints its messages"
        )
    ]


def test_a_settings_file_is_never_executed(tmp_path):
    (tmp_path / "settings.py").write_text(
        DJANGO + f"open({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit(3)\n"
    )
    check(tmp_path / "settings.py", messages=5)
    assert not (tmp_path / "ran").exists()
