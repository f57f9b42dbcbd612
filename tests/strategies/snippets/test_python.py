"""The snippets in Python, pasted into a program, send 200 messages to the live relay without an
incident.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import sim.live
from tests.strategies.snippets.text import text_of

MESSAGES = 200

MAKE = """\
from email.message import EmailMessage

messages = []
for number in range({messages}):
    message = EmailMessage()
    message["From"] = "sender@example.com"
    message["To"] = f"m{{number}}@example.com"
    message["Subject"] = "a subject"
    message.set_content("a body")
    messages.append(message)
"""

MAKE_DJANGO = """\
from django.core.mail import EmailMessage

messages = [
    EmailMessage("a subject", "a body", "sender@example.com", [f"m{{number}}@example.com"])
    for number in range({messages})
]
"""


def run(folder: Path, program: str) -> sim.live.Running:
    """Runs ``program`` against a live relay with STARTTLS. Returns the relay, stopped."""
    (folder / "program.py").write_text(program)
    with sim.live.running(users={"user1": "secret"}) as relay:
        environment = {
            **os.environ,
            "RELAY_HOST": relay.host,
            "RELAY_PORT": str(relay.port),
            "RELAY_USERNAME": "user1",
            "RELAY_PASSWORD": "secret",
            "SSL_CERT_FILE": str(relay.certificate),
            "DJANGO_SETTINGS_MODULE": "settings",
        }
        done = subprocess.run(
            [sys.executable, "program.py"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
    return relay


def all_through(relay: sim.live.Running, connections: int) -> None:
    result = relay.result()
    assert result.messages.accepted == MESSAGES
    assert result.incidents.total == 0
    assert result.connections.opened == connections


@pytest.mark.parametrize("option", ["per_connection", "send_mass_mail"])
def test_django(option, tmp_path):
    settings, head, rest = text_of(
        "django", {option: 5, "pause": "0.01s", "EMAIL_TIMEOUT": 30.0}
    ).partition("\n# Where the")
    (tmp_path / "settings.py").write_text(settings)
    all_through(run(tmp_path, MAKE_DJANGO.format(messages=MESSAGES) + head + rest), 40)


def test_aiosmtplib(tmp_path):
    text = text_of("aiosmtplib", {"per_connection": 5, "pause": "0.01s", "gather": 4})
    all_through(run(tmp_path, MAKE.format(messages=MESSAGES) + text), 40)


def test_a_loop_and_a_sleep_are_written_only_where_the_options_need_them():
    assert "range(" not in text_of("django", {"per_connection": 0})
    assert "sleep" not in text_of("django", {"per_connection": 0})
    assert "send_messages([message])" in text_of("django", {"per_connection": 1})
    assert "fail_silently=True" in text_of("django", {"fail_silently": True})
    assert "min(len(outbox), len(outbox))" in text_of("aiosmtplib", {"per_connection": 0})


@pytest.mark.parametrize("library", ["django", "aiosmtplib"])
def test_impossible_options_are_refused(library):
    with pytest.raises(ValueError, match="per_connection = -1"):
        text_of(library, {"per_connection": -1})
