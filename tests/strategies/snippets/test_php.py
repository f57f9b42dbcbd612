"""The snippets for PHP libraries, pasted into a program, send 200 messages to the live relay
without an incident.
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
SHARE = Path("/usr/share/php")
NEEDS = {
    "phpmailer": SHARE / "libphp-phpmailer/autoload.php",
    "symfony-mailer": SHARE / "Symfony/Component/Mailer/autoload.php",
}

BEFORE_PHPMAILER = """
$messages = array_map(
    fn ($n) => ['sender@example.com', "m$n@example.com", 'a subject', 'a body'],
    range(1, {messages})
);
"""

AFTER_SYMFONY = """
foreach (range(1, {messages}) as $n) {{
    $mailer->send((new Symfony\\Component\\Mime\\Email())
        ->from('sender@example.com')->to("m$n@example.com")->subject('a subject')->text('a body'));
}}
"""


def run(library: str, text: str, folder: Path) -> sim.live.Running:
    """Runs the program ``text`` against a live relay with STARTTLS. Returns the relay, stopped."""
    if not shutil.which("php") or not NEEDS[library].exists():
        pytest.skip(f"needs php and {NEEDS[library].name} of {library}")
    program = folder / "program.php"
    program.write_text(f"<?php\nrequire '{NEEDS[library]}';\n{text}")
    with sim.live.running(users={"user1": "secret"}) as relay:
        environment = {
            **os.environ,
            "RELAY_HOST": relay.host,
            "RELAY_PORT": str(relay.port),
            "RELAY_USERNAME": "user1",
            "RELAY_PASSWORD": "secret",
        }
        trust = f"openssl.cafile={relay.certificate}"
        done = subprocess.run(
            ["php", "-d", trust, str(program)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
    return relay


@pytest.mark.parametrize(
    "options",
    [
        {"SMTPKeepAlive": True, "per_connection": 5, "pause": "0.05s", "AuthType": "PLAIN"},
    ],
)
def test_phpmailer(options, tmp_path):
    text = BEFORE_PHPMAILER.format(messages=MESSAGES) + text_of("phpmailer", options)
    result = run("phpmailer", text, tmp_path).result()
    assert result.messages.accepted == MESSAGES
    assert result.incidents.total == 0
    assert result.connections.opened == MESSAGES / options["per_connection"]


def test_symfony_mailer(tmp_path):
    text = text_of("symfony-mailer", {"restart_threshold": 5, "max_per_second": 200.0})
    result = run(
        "symfony-mailer", text + AFTER_SYMFONY.format(messages=MESSAGES), tmp_path
    ).result()
    assert result.messages.accepted == MESSAGES
    assert result.incidents.total == 0
    assert result.connections.opened == MESSAGES / 5 + 1, "it also restarts after the last message"


def test_options_at_their_default_are_left_out():
    assert "restart_threshold" not in text_of("symfony-mailer", {})
    assert "setMaxPerSecond" not in text_of("symfony-mailer", {})
    assert "smtpClose(); //" not in text_of("phpmailer", {"SMTPKeepAlive": True})
    assert "usleep(650000); // 650ms" in text_of(
        "phpmailer", {"SMTPKeepAlive": True, "per_connection": 5, "pause": "0.65s"}
    )


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="per_connection = -1"):
        text_of("phpmailer", {"per_connection": -1})
    with pytest.raises(ValueError, match="restart_threshold = -1"):
        text_of("symfony-mailer", {"restart_threshold": -1})
