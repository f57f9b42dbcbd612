"""Nodemailer's snippet, pasted into a program, sends 200 messages to the live relay without an
incident, in both major versions.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import sim.live
from tests.strategies.snippets.text import text_of

MESSAGES = 200
INSTALLED = Path(__file__).parents[2] / "agreement" / "node_modules"

BEFORE = """
const messages = Array.from({{ length: {messages} }}, (_, n) => ({{
    from: 'sender@example.com',
    to: `m${{n}}@example.com`,
    subject: 'a subject',
    text: 'a body',
}}));
"""


def run(text: str, version: int, folder: Path) -> sim.live.Running:
    """Runs the program ``text`` against a live relay with STARTTLS. Returns the relay, stopped."""
    if not shutil.which("node") or not (INSTALLED / "nodemailer").is_dir():
        pytest.skip("needs node and nodemailer of tests/agreement")
    program = folder / "program.mjs"
    modules = folder / "node_modules"
    modules.mkdir()
    (modules / "nodemailer").symlink_to(
        INSTALLED / ("nodemailer6" if version == 6 else "nodemailer")
    )
    transport, comment, rest = text.partition("\n// messages:")
    program.write_text(transport + BEFORE.format(messages=MESSAGES) + comment + rest)
    with sim.live.running(users={"user1": "secret"}) as relay:
        environment = {
            **os.environ,
            "RELAY_HOST": relay.host,
            "RELAY_PORT": str(relay.port),
            "RELAY_USERNAME": "user1",
            "RELAY_PASSWORD": "secret",
            "NODE_EXTRA_CA_CERTS": str(relay.certificate),
        }
        done = subprocess.run(
            ["node", str(program)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout == ""
        assert done.stderr == ""
    return relay


@pytest.mark.parametrize("version", [10, 6])
@pytest.mark.parametrize(
    "options",
    [
        {"pool": True, "maxMessages": 5, "maxConnections": 4, "rateLimit": 16, "rateDelta": 210},
        {"pool": True, "maxMessages": 5, "concurrent": 2, "pause": "10ms"},
    ],
)
def test_it_sends(options, version, tmp_path):
    result = run(text_of("nodemailer", {**options, "version": version}), version, tmp_path).result()
    assert result.messages.accepted == MESSAGES
    assert result.incidents.total == 0
    assert MESSAGES / 5 <= result.connections.opened <= MESSAGES / 5 + 4


def test_options_at_their_default_are_left_out():
    said = text_of("nodemailer", {"pool": True, "maxMessages": 5})
    assert "    pool: true,\n    maxMessages: 5, // a connection ends behind so many\n});" in said
    assert "rateLimit" not in said
    assert "sleep" not in said
    assert "process.exit" not in said


def test_the_loop_around_nodemailer_has_the_options_that_nodemailer_does_not():
    said = text_of("nodemailer", {"pause": "0.6s", "concurrent": 3, "version": 6})
    assert "await sleep(600);" in said
    assert "length: 3" in said
    assert "concurrent" not in said


def test_version_6_with_a_rate_limit_exits_the_process():
    assert "process.exit" in text_of("nodemailer", {"version": 6, "pool": True, "rateLimit": 5})


def test_tls_is_required_unless_an_option_turns_it_off():
    assert "requireTLS: true" in text_of("nodemailer", {})
    assert "requireTLS" not in text_of("nodemailer", {"ignoreTLS": True})
    assert text_of("nodemailer", {"requireTLS": True}).count("requireTLS") == 1


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="version = 9"):
        text_of("nodemailer", {"version": 9})
