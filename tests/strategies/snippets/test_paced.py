"""The plan's snippet for smtplib, run unchanged against the live relay: no incident, with any kind
of window.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import sim.live
from sim.strategies.snippets import known, snippet_for

SETTINGS = {
    "strategy": "paced",
    "workers": 3,
    "usernames": 2,
    "ips": 1,
    "options": {"size": 5, "spacing": "100ms"},
}
PROGRAM = """
import queue
from email.message import EmailMessage

outbox = queue.SimpleQueue()
for number in range({messages}):
    message = EmailMessage()
    message["From"] = "sender@example.com"
    message["To"] = f"m{{number}}@example.com"
    message["Message-ID"] = f"<{{number}}@example.com>"
    message.set_content("a body")
    outbox.put(message)
for _ in range(WORKERS):
    outbox.put(None)
send_all(outbox)
"""


def run(
    relay: sim.live.Running, text: str, messages: int, folder: Path
) -> subprocess.CompletedProcess[str]:
    """Runs the snippet against ``relay`` with this number of messages waiting."""
    (folder / "program.py").write_text(text + PROGRAM.format(messages=messages), encoding="utf-8")
    login = {
        "RELAY_HOST": relay.host,
        "RELAY_PORT": str(relay.port),
        "RELAY_USERNAME": "user1",
        "RELAY_PASSWORD": "secret",
        "RELAY_USERNAME_2": "user2",
        "RELAY_PASSWORD_2": "secret",
    }
    command = [sys.executable, str(folder / "program.py")]
    return subprocess.run(
        command,
        env={**os.environ, **login},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("window", ["fixed", "gcra"])
def test_it_sends_everything_five_a_connection_and_spaced(window, tmp_path):
    text = snippet_for("smtplib", SETTINGS)
    assert text is not None
    policy = {"use": "mailersend", "window": window}
    with sim.live.running(policy=policy, users={"user1": "secret", "user2": "secret"}) as relay:
        done = run(relay, text, 52, tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        result = relay.result()
    assert result.messages.accepted == 52
    assert result.messages.duplicated == 0
    assert result.incidents.total == 0
    # Ten full connections, and one or two with the rest of a worker's last batch.
    assert 11 <= result.logins.accepted <= 12


def test_a_relay_that_refuses_for_a_while_still_gets_every_message(tmp_path):
    text = snippet_for(
        "smtplib", {**SETTINGS, "usernames": 1, "options": {"size": 5, "spacing": "10ms"}}
    )
    assert text is not None
    with sim.live.running() as relay:
        relay.refuse_next_login(5)
        done = run(relay, text.replace("time.sleep(30)", "time.sleep(0.1)"), 40, tmp_path)
        result = relay.result()
    assert done.returncode == 0
    assert result.messages.accepted == 40
    assert result.incidents.total == 5


def test_known_lists_every_snippet():
    assert {"smtplib", "paced", "phpmailer", "symfony-mailer"} <= set(known())
    assert snippet_for("batches", SETTINGS) is None


def test_the_text_contains_the_settings():
    text = snippet_for("paced", SETTINGS) or ""
    assert "WORKERS = 3" in text
    assert "MESSAGES_A_CONNECTION = 5" in text
    assert "BETWEEN_LOGINS_S = 0.1 " in text
    assert 'os.environ["RELAY_PASSWORD_2"]' in text
    compile(text, "snippet", "exec")
