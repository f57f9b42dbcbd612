"""Real clients send through the live relay: in the clear, with STARTTLS and with implicit TLS, and
check the certificate.

Libraries run as the programs of ``tests/fidelity``, in their simplest mode. curl and swaks run with
their command lines.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

import sim.live
from tests.fidelity.harness import run_program, why_missing
from tests.fidelity.harness import scenario as scenario_of
from tests.fidelity.live import PASSWORD, USERNAME, Live
from tests.fidelity.row import Row

MESSAGES = 3
TEXT = "From: sender@example.com\r\nTo: m{0}@example.com\r\nSubject: x\r\nX-Relaysim-Id: {0}\r\n\r\nhello\r\n"
SECONDS = 600

Environment = Mapping[str, str]


def curl(told: Environment, folder: Path) -> list[list[str]]:
    """One call of curl per message."""
    scheme = "smtps" if told["RELAY_TLS"] == "implicit" else "smtp"
    trust = ["--ssl-reqd", "--cacert", told["RELAY_CA"]] if told["RELAY_TLS"] != "none" else []
    calls = []
    for number in range(1, MESSAGES + 1):
        message = folder / f"{number}.eml"
        message.write_bytes(TEXT.format(number).encode())
        calls.append(
            [
                "curl",
                "--silent",
                "--show-error",
                *trust,
                "--url",
                f"{scheme}://{told['RELAY_HOST']}:{told['RELAY_PORT']}",
                "--user",
                f"{told['RELAY_USERNAME']}:{told['RELAY_PASSWORD']}",
                "--mail-from",
                "sender@example.com",
                "--mail-rcpt",
                f"m{number}@example.com",
                "--upload-file",
                str(message),
            ]
        )
    return calls


def swaks(told: Environment, folder: Path) -> list[list[str]]:
    """One call of swaks per message."""
    tls = {"none": [], "starttls": ["--tls"], "implicit": ["--tls-on-connect"]}[told["RELAY_TLS"]]
    trust = ["--tls-verify", "--tls-ca-path", told["RELAY_CA"]] if tls else []
    return [
        [
            "swaks",
            "--silent",
            "2",
            *tls,
            *trust,
            "--server",
            told["RELAY_HOST"],
            "--port",
            told["RELAY_PORT"],
            "--auth",
            "LOGIN",
            "--auth-user",
            told["RELAY_USERNAME"],
            "--auth-password",
            told["RELAY_PASSWORD"],
            "--from",
            "sender@example.com",
            "--to",
            f"m{number}@example.com",
            "--ehlo",
            "sender.example.com",
            "--data",
            TEXT.format(number).replace("\r\n", "\n"),
        ]
        for number in range(1, MESSAGES + 1)
    ]


TOOLS: dict[str, Callable[[Environment, Path], list[list[str]]]] = {"curl": curl, "swaks": swaks}
LIBRARIES = {
    "smtplib": "with_smtplib.py",
    "aiosmtplib": "with_aiosmtplib.py",
    "nodemailer": "nodemailer.mjs",
    "phpmailer": "phpmailer.php",
    "jakarta-mail": "JakartaMail.java",
}
WITHOUT_GOOD_BYE = {"nodemailer"}
"""Clients that close without QUIT."""


def why_tool_missing(name: str, tls: str) -> str | None:
    """The requirement of a tool that this machine lacks, or None."""
    if not shutil.which(name):
        return f"needs {name}"
    if (
        name == "swaks"
        and tls != "none"
        and subprocess.run(
            ["perl", "-MNet::SSLeay", "-e", "1"], check=False, capture_output=True
        ).returncode
    ):
        return "needs libnet-ssleay-perl"
    return None


def run_tool(name: str, told: Environment, folder: Path) -> None:
    """Runs the tool's calls, one after the other."""
    for command in TOOLS[name](told, folder):
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
            env={**os.environ, "HOME": str(folder)},
        )
        assert done.returncode == 0, (
            f"{name} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        )


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
@pytest.mark.parametrize("name", [*LIBRARIES, *TOOLS])
def test_a_real_client_is_understood(name, tls, tmp_path):
    strategy = name if name in LIBRARIES else "one-connection"
    row = Row(
        name, tls, LIBRARIES.get(name, ""), strategy, MESSAGES, network={"tls": tls, "rtt": 0}
    )
    reason = why_missing(row) if name in LIBRARIES else why_tool_missing(name, tls)
    if reason:
        pytest.skip(reason)
    chosen = scenario_of(row)
    kept = tmp_path / "kept"
    with sim.live.running(
        scenario=chosen, users={USERNAME: PASSWORD}, transcripts=True, keep=kept
    ) as running:
        relay = Live(running, tls)
        if name in LIBRARIES:
            run_program(row, relay, chosen)
        else:
            run_tool(name, relay.environment(), tmp_path)
        relay.settle()
        talks = relay.transcripts()
        result = relay.result()
    assert result["messages"]["accepted"] == MESSAGES
    assert (
        result["incidents"]["total"],
        result["logins"]["failed"],
        result["messages"]["lost"],
    ) == (0, 0, 0)
    assert result["logins"]["accepted"] == len(talks)
    for talk in talks:
        check_talk(talk.lines, tls, end="EOF" if name in WITHOUT_GOOD_BYE else "QUIT 221")
    check_messages(kept)


def check_messages(kept: Path) -> None:
    """Each message arrived complete and unchanged."""
    messages = [message_from_bytes(path.read_bytes(), policy=default) for path in kept.iterdir()]
    assert sorted(message["X-Relaysim-Id"] for message in messages) == [
        str(number) for number in range(1, MESSAGES + 1)
    ]
    for message in messages:
        assert message["To"].addresses[0].addr_spec == f"m{message['X-Relaysim-Id']}@example.com"
        assert message.get_content().strip() in ("hello", "It is as short as it can be.")


def check_talk(lines: list[str], tls: str, end: str) -> None:
    """TLS was used as configured, the login was accepted, messages were accepted, and the
    connection ended as this client ends it.
    """
    assert lines.count("STARTTLS 220") == (tls == "starttls")
    assert sum(line.startswith("AUTH") and line.endswith(" 235") for line in lines) == 1
    assert "BODY 250" in lines
    assert lines[-1] == end
    assert not [line for line in lines if line.rpartition(" ")[2][0] in "45"]
