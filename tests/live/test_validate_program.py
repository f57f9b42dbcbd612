"""``relaysim validate -- CMD``: starts a program with the relay's address, waits for it, and judges
it.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.cli import main
from tests.live.peer import until

SENDS = """
import os, smtplib, ssl, sys
with smtplib.SMTP(os.environ["RELAY_HOST"], int(os.environ["RELAY_PORT"])) as relay:
    if os.environ["RELAY_TLS"] == "starttls":
        relay.starttls(context=ssl.create_default_context())
    relay.login(os.environ["SMTP_USER"], os.environ["SMTP_PASS"])
    for number in range(int(sys.argv[1])):
        relay.sendmail("a@example.com", [f"b{number}@example.com"], b"Subject: x\\r\\n\\r\\nhi\\r\\n")
print("sent", sys.argv[1])
sys.exit(int(sys.argv[2]))
"""


def call(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The status, stdout and stderr of one call, including those of the program that it runs."""
    with pytest.raises(SystemExit) as stopped:
        main(["validate", *arguments])
    captured = capfd.readouterr()
    return int(str(stopped.value.code)), captured.out, captured.err


@pytest.fixture
def sends(tmp_path: Path) -> list[str]:
    """A program that sends this many messages over one connection and ends with this status; both
    are its arguments.
    """
    path = tmp_path / "sends.py"
    path.write_text(SENDS, encoding="utf-8")
    return ["--", sys.executable, str(path)]


def test_a_program_that_sends_well_passes_over_tls_that_it_trusts(sends, capfd):
    status, out, err = call(capfd, "--json", *sends, "5", "0")
    result = json.loads(out)
    assert (status, result["passed"], result["error"]) == (0, True, None)
    assert (
        result["messages"]["submitted"],
        result["messages"]["accepted"],
        result["logins"]["accepted"],
    ) == (5, 5, 1)
    assert "sent 5" in err
    assert result["command"] == shlex.join(["relaysim", "validate", *sends, "5", "0"])


def test_one_that_meets_a_limit_fails_and_is_told_which(sends, capfd):
    status, out, _ = call(capfd, "--tls", "none", *sends, "6", "0")
    assert status == 1
    assert "transactions_per_connection" in out
    assert "Reconnect after every fifth message" in " ".join(out.split())


def test_one_that_sends_well_and_ends_badly_fails(sends, capfd):
    status, out, err = call(capfd, "--json", *sends, "2", "7")
    result = json.loads(out)
    assert (status, result["passed"], result["messages"]["lost"]) == (1, False, 0)
    assert result["error"] == "the program ended with status 7"
    assert "the program ended with status 7" in err


def test_one_that_never_connects_fails_and_is_told_so(capfd):
    status, out, _ = call(
        capfd, "--json", "--messages", "3", "--patience", "5m", "--", sys.executable, "-c", ""
    )
    result = json.loads(out)
    assert status == 1
    missed = [each["metric"] for each in result["expectations"] if not each["passed"]]
    assert missed == ["messages.lost", "messages.accepted"]
    assert [each["what"] for each in result["diagnosis"]] == [
        "The program never connected to the relay."
    ]
    assert result["command"].startswith("relaysim validate --messages 3 --patience 5m -- ")


HEEDS = """
import signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup a child process would ignore it
from sim.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_the_call_ends_the_program_too(number):
    script = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    call = ["validate", "--tls", "none", "--", sys.executable, "-c", script]
    with subprocess.Popen(
        [sys.executable, "-c", HEEDS, *call],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        program = int(process.stderr.readline())
        process.send_signal(number)
        assert process.wait(600) == 128 + number
    assert not _runs(program)


def test_a_signal_that_comes_while_the_program_starts_ends_it_too(monkeypatch, capfd):
    started = []

    class Signalled(subprocess.Popen):
        def __init__(self, *arguments, **more):
            super().__init__(*arguments, **more)
            started.append(self)
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(subprocess, "Popen", Signalled)
    status, _, _ = call(
        capfd, "--tls", "none", "--", sys.executable, "-c", "import time; time.sleep(600)"
    )
    monkeypatch.undo()
    (program,) = started
    ended = program.poll() is not None
    program.kill()
    program.wait()
    assert (status, ended) == (128 + signal.SIGTERM, True)


def test_the_expectations_of_a_scenario_decide_alone(sends, tmp_path, capfd):
    path = tmp_path / "six.toml"
    path.write_text(
        """
[policy]
transactions_per_connection = 2
[workload]
kind = "batch"
messages = 3
[sender]
strategy = "one-connection"
[network]
rtt = 0
[expect]
"messages.accepted" = "== 2"
"incidents.total" = "== 1"
"""
    )
    arguments = [
        "--json",
        "--scenario",
        str(path),
        "--set",
        "policy.window=sliding",
        *sends,
        "3",
        "0",
    ]
    status, out, _ = call(capfd, *arguments)
    result = json.loads(out)
    assert status == 0
    assert (result["error"], result["scenario"]) == ("the program ended with status 1", "six")
    assert result["command"].startswith(
        "relaysim validate --scenario six.toml --set policy.window=sliding -- "
    )
    assert call(capfd, *arguments[:-2], "2", "0")[0] == 1


def test_what_was_to_be_sent_and_was_not_is_lost(sends, capfd):
    status, out, _ = call(capfd, "--json", "--messages", "4", *sends, "3", "0")
    assert (status, json.loads(out)["messages"]["lost"]) == (1, 1)


def test_a_password_is_checked_where_one_is_given(sends, capfd):
    assert call(capfd, "--user", "me:mine", *sends, "1", "0")[0] == 0
    status, out, _ = call(
        capfd, "--json", "--user", "me:mine", "--", "env", "SMTP_PASS=other", *sends[1:], "1", "0"
    )
    result = json.loads(out)
    assert (status, result["logins"]["failed"]) == (
        1,
        2,
    )  # smtplib tries one mechanism after the other
    assert "mine" not in result["command"]


def test_patience_ends_the_program_and_what_it_has_started(tmp_path, capfd):
    child = tmp_path / "child"
    script = f"sleep 10000 & echo $! > {shlex.quote(str(child))}; sleep 10000"
    patience = 0.25
    while not (child.exists() and child.read_text()):  # a busy machine starts programs slowly
        patience *= 2
        status, out, _ = call(
            capfd, "--json", "--patience", f"{patience}s", "--", "sh", "-c", script
        )
        assert (status, json.loads(out)["ended"]) == (1, "aborted")
        assert (
            json.loads(out)["error"]
            == f"the program was still running after {patience:g} s and was ended"
        )
    until(lambda: not _runs(int(child.read_text())), "the child's end")


def _runs(process: int) -> bool:
    """Whether the process runs. A zombie does not."""
    try:
        os.kill(process, 0)
        stat = Path(f"/proc/{process}/stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_signal_that_ends_the_program_is_told(capfd):
    status, out, _ = call(capfd, "--json", "--", "sh", "-c", "kill -9 $$")
    assert (status, json.loads(out)["error"]) == (1, "the program was ended by signal 9 (Killed)")


def test_what_was_trusted_before_is_trusted_still(tmp_path, capfd, monkeypatch):
    names = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE")
    for name in names:
        (tmp_path / name).write_text(f"of {name}\n")
        monkeypatch.setenv(name, str(tmp_path / name))
    copies = " && ".join(f'cp "${name}" {tmp_path}/copy-{name}' for name in (*names, "RELAY_CA"))
    call(capfd, "--", "sh", "-c", copies)
    own = (tmp_path / "copy-RELAY_CA").read_text()
    assert own.startswith("-----BEGIN CERTIFICATE-----")
    assert [(tmp_path / f"copy-{name}").read_text() for name in names] == [
        f"of {name}\n\n{own}" for name in names
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--", "no-such-program-here"],
            "no-such-program-here: cannot be run: No such file or directory",
        ),
        (["--"], "Missing argument"),
        (["paced", "--", "true"], "paced stands before --"),
        (["env", "x.py"], "env: is a program and no strategy; write relaysim validate -- env x.py"),
        (["--patience", "soon", "--", "true"], "--patience"),
        (["--user", "me", "--", "true"], "--user: is not NAME:PASSWORD"),
        (["--scenario", "nowhere.toml", "--", "true"], "nowhere.toml: cannot be read"),
        (["--set", "policy.windw=fixed", "--", "true"], 'did you mean "window"'),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(arguments: list[str], said: str, capfd: Any) -> None:
    status, out, err = call(capfd, *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_the_help_tells_of_both_forms(capfd):
    status, out, _ = call(capfd, "--help")
    assert status == 0
    assert "FILE.py:NAME" in out
    assert "validate [OPTIONS] -- CMD..." in " ".join(
        out.split()
    )  # after the program's name, here pytest's
