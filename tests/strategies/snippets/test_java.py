"""The snippet in Java, pasted into a program, sends 200 messages to the live relay without an
incident.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import sim.live
from tests.fidelity.harness import JARS
from tests.strategies.snippets.text import text_of

MESSAGES = 200

BEFORE = """
import jakarta.mail.*;
import jakarta.mail.internet.*;
import java.util.*;

public class Program {
    public static void main(String[] arguments) throws Exception {
        List<MimeMessage> messages = new ArrayList<>();
        for (int number = 0; number < COUNT; number++) {
            MimeMessage made = new MimeMessage((Session) null);
            made.setFrom(new InternetAddress("sender@example.com"));
            made.setRecipients(Message.RecipientType.TO, "m" + number + "@example.com");
            made.setSubject("a subject");
            made.setText("a body");
            messages.add(made);
        }
"""


def run(folder: Path, text: str) -> sim.live.Running:
    """Runs a program that contains ``text`` against a live relay with STARTTLS. Returns the relay,
    stopped.
    """
    if not shutil.which("javac") or not all(Path(jar).exists() for jar in JARS.split(":")):
        pytest.skip("needs a JDK and Debian's libjakarta-mail-java")
    program = folder / "Program.java"
    store = folder / "trusted.p12"
    program.write_text(BEFORE.replace("COUNT", str(MESSAGES)) + text + "    }\n}\n")
    with sim.live.running(users={"user1": "secret"}) as relay:
        trust = [
            "-importcert",
            "-noprompt",
            "-alias",
            "relay",
            "-file",
            str(relay.certificate),
            "-keystore",
            str(store),
            "-storetype",
            "PKCS12",
            "-storepass",
            "changeit",
        ]
        subprocess.run(["keytool", *trust], check=True, capture_output=True, timeout=600)
        environment = {
            **os.environ,
            "RELAY_HOST": relay.host,
            "RELAY_PORT": str(relay.port),
            "RELAY_USERNAME": "user1",
            "RELAY_PASSWORD": "secret",
        }
        trusting = [
            f"-Djavax.net.ssl.trustStore={store}",
            "-Djavax.net.ssl.trustStorePassword=changeit",
        ]
        done = subprocess.run(
            ["java", *trusting, "-cp", JARS, str(program)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
    return relay


def test_jakarta_mail(tmp_path):
    options = {
        "per_connection": 5,
        "pause": "0.01s",
        "mail.smtp.auth.mechanisms": "PLAIN LOGIN",
        "mail.smtp.timeout": 30_000,
    }
    relay = run(tmp_path, text_of("jakarta-mail", options))
    result = relay.result()
    assert result.messages.accepted == MESSAGES
    assert result.incidents.total == 0
    assert result.connections.opened == MESSAGES // 5


def test_only_what_differs_from_the_default_is_said():
    assert "quitwait" not in text_of("jakarta-mail", {"mail.smtp.quitwait": True})
    assert 'properties.put("mail.smtp.quitwait", "false");' in text_of(
        "jakarta-mail", {"mail.smtp.quitwait": False}
    )
    assert "sleep" not in text_of("jakarta-mail", {"per_connection": 5})
    assert "number % messages.size() == 0" in text_of("jakarta-mail", {"per_connection": 0})


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="neither LOGIN nor PLAIN"):
        text_of("jakarta-mail", {"mail.smtp.auth.mechanisms": "NTLM"})
