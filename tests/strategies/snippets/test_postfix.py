"""The snippet for Postfix, run on a separate instance, sends 200 messages to the live relay without
an incident.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

import sim.live
from tests.fidelity.programs.postfix import instance, send
from tests.strategies.snippets.text import text_of

MESSAGES = 200

BEST = {
    "smtp_tls_connection_reuse": True,
    "smtp_connection_reuse_count_limit": 4,
    "smtp_destination_concurrency_limit": 1,
}


def test_it_sends():
    if not shutil.which("postfix", path="/usr/sbin"):
        pytest.skip("needs postfix")
    if os.geteuid():
        pytest.skip("needs root, to run a separate Postfix")
    with sim.live.running(users={"user1": "secret"}) as relay, instance("") as folder:
        login = {
            "RELAY_HOST": relay.host,
            "RELAY_PORT": str(relay.port),
            "RELAY_USERNAME": "user1",
            "RELAY_PASSWORD": "secret",
        }
        environment = {
            **os.environ,
            **login,
            "MAIL_CONFIG": str(folder),
            "PATH": f"{os.environ['PATH']}:/usr/sbin",
        }
        done = subprocess.run(
            ["sh", "-e", "-c", text_of("postfix", BEST)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        log = send(folder, MESSAGES, 300)
        result = relay.result()
    assert result.messages.accepted == MESSAGES, log[-4000:]
    assert result.incidents.total == 0, log[-4000:]
    assert result.connections.opened == 41, (
        "one message on the first, five on the others, four on the last"
    )


def test_options_at_their_default_are_left_out():
    text = text_of(
        "postfix", {"smtp_connection_reuse_count_limit": 4, "initial_destination_concurrency": 5}
    )
    assert '"smtp_connection_reuse_count_limit = 4"' in text
    assert "initial_destination_concurrency" not in text
    assert "tlsproxy" not in text


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="queue_run_delay"):
        text_of("postfix", {"queue_run_delay": "0s"})
