"""The pytest plugin in a separate pytest, as a user of an installed relaysim runs it: the fixture,
the marker, and no cost for other tests.
"""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

HEAD = """
import os, smtplib, subprocess, sys
import pytest

def send(relay, number=1, recipient="b@example.com"):
    with smtplib.SMTP(relay.host, relay.port) as client:
        client.login(relay.username, relay.password)
        for _ in range(number):
            client.sendmail("a@example.com", [recipient], b"Subject: x\\r\\n\\r\\nhi\\r\\n")
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Runs tests in a child process with strict settings, without the settings of this repository."""
    for name in ("PYTEST_ADDOPTS", "RELAYSIM_NO_SKIPS", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(name, raising=False)

    def ran(text: str, *arguments: str, **files: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=HEAD + text)
        for name, body in files.items():
            (pytester.path / f"{name}.toml").write_text(body)
        return pytester.runpytest_subprocess(
            "--strict-markers", "-p", "no:cacheprovider", *arguments
        )

    return ran


def test_the_fixture_gives_a_relay_to_each_test(run):
    done = run(
        """
def test_well(relay):
    send(relay, 5)
    assert relay.result.incidents.total == 0
    assert relay.result.messages.duplicated == 4  # by the recipient, the same message
    assert relay.transcripts[0][:2] == ["GREETING 220", "EHLO 250"]

def test_another_has_counted_nothing_yet(relay):
    assert relay.result.connections.opened == 0

def test_badly(relay):
    with pytest.raises(smtplib.SMTPSenderRefused):
        send(relay, 6)
    assert relay.result.incidents.total == 0
"""
    )
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(
        [
            "*assert 1 == 0*",
            "*- relay -*",
            "transactions_per_connection",
            "  what Connection 1 tried*",
            "  fix  Reconnect*",
        ]
    )


def test_the_marker_sets_it_up_and_the_nearest_wins(run):
    done = run(
        """
pytestmark = pytest.mark.relay(policy="unlimited", tls="none")

def test_of_the_module(relay):
    assert relay.result.policy == "unlimited"
    assert relay.certificate is None

@pytest.mark.relay(policy={"use": "mailersend", "window": "sliding"}, set=["policy.transactions_per_connection=1"],
                   users={"me": "mine"}, network={"rtt": "1ms"})
def test_of_its_own(relay):
    assert (relay.username, relay.password) == ("me", "mine")
    send(relay)
    with pytest.raises(smtplib.SMTPSenderRefused):
        send(relay, 2)

class TestOfAFile:
    @pytest.mark.relay(policy=None)
    def test_none_is_nothing(self, relay):
        assert relay.result.policy == "mailersend"
"""
    )
    done.assert_outcomes(passed=3)


def test_a_scenario_and_its_expectations(run):
    done = run(
        """
@pytest.mark.relay(scenario="mine.toml", set="policy.logins_per_username=1")
def test_passes_but_for_its_relay(relay):
    send(relay)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(relay)
""",
        mine="""
[workload]
kind = "batch"
messages = 1
[sender]
strategy = "one-connection"
[network]
rtt = 0
[expect]
"logins.refused" = "== 0"
""",
    )
    done.assert_outcomes(passed=1, errors=1)
    done.stdout.fnmatch_lines(
        ["the relay's expectations do not hold", "expected logins.refused == 0: actual 1"]
    )


def test_it_changes_refuses_waits_and_tells_a_program(run):
    done = run(
        """
def test_refuses(relay):
    relay.refuse_next_login()
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(relay)
    relay.fail_next_login(2)  # smtplib tries two mechanisms
    with pytest.raises(smtplib.SMTPAuthenticationError):
        send(relay)
    send(relay)
    relay.refuse_next("connections_per_ip")
    with pytest.raises(smtplib.SMTPConnectError):
        send(relay)

def test_changes(relay):
    relay.change({"logins_per_username": 1})
    send(relay)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(relay)
    relay.forget()
    send(relay)
    relay.change({"logins_per_username": 9}, faults={"wrong_password": {"from": 0, "until": "1h"}})
    with pytest.raises(smtplib.SMTPAuthenticationError):
        send(relay)

PROGRAM = '''
import os, smtplib, ssl
with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"])) as client:
    client.starttls(context=ssl.create_default_context())
    client.login(os.environ["SMTP_USERNAME"], os.environ["SMTP_PASSWORD"])
    client.sendmail("a@example.com", ["b@example.com"], b"x")
'''

def test_a_program(relay):
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], env={**os.environ, **relay.env})
    relay.wait_for(messages=1, seconds=600)
    assert process.wait() == 0
    with pytest.raises(AssertionError, match="1 message accepted within 0.1 s, waited for 2"):
        relay.wait_for(messages=2, seconds=0.1)
"""
    )
    done.assert_outcomes(passed=3)


MISTAKES = {
    'polcy="unlimited"': 'polcy: unknown name; did you mean "policy"',
    '"unlimited"': "takes names alone; write policy='unlimited'",
    'policy="unlimted"': 'policy.use: "unlimted" is no shipped policy',
    'set=["policy.windw=fixed"]': 'did you mean "window"',
    "set=5": "set: 5 is not a list",
    'scenario="nowhere.toml"': "nowhere.toml: cannot be read",
    'scenario="mine.toml", faults={}': "faults: stands in the scenario",
    "scenario=5": "scenario: 5",
    'tls="ssl"': 'tls: "ssl" is not allowed; allowed: "none", "starttls" or "implicit"',
    "port=99999999": "port: 99999999 is too large; at most 65535",
    'login="no"': 'login: "no" is not true or false',
    'users=["me"]': "users: ['me'] is not a table",
    "network=5": "network: 5 is not a table",
    'messages="3"': 'messages: "3" is not a whole number',
}
"""The report for each marker."""


def test_a_mistake_in_the_marker_is_told_in_one_line(run):
    tests = [
        f"@pytest.mark.relay({marker})\ndef test_{at}(relay):\n    pass\n"
        for at, marker in enumerate(MISTAKES)
    ]
    done = run("\n".join(tests))
    done.assert_outcomes(errors=len(MISTAKES))
    lines = done.outlines
    for at, said in enumerate(MISTAKES.values()):
        heading = next(
            number for number, line in enumerate(lines) if f" ERROR at setup of test_{at} " in line
        )
        assert said in lines[heading + 1]
        assert lines[heading + 2].startswith(("___", "==="))  # and nothing more


def test_whoever_does_not_use_it_reads_nothing_of_the_package_and_may_have_a_fixture_and_a_folder_of_those_names(
    run, pytester
):
    (pytester.path / "sim").mkdir()
    (pytester.path / "sim" / "__init__.py").write_text("raise SystemExit('read')\n")
    done = run(
        """
@pytest.fixture
def relay():
    return "mine"

def test_own(relay):
    assert relay == "mine"
    assert "relaysim_pytest" in sys.modules
    assert "sim" not in sys.modules

def test_fails(relay):
    assert relay == "theirs"
"""
    )
    done.assert_outcomes(passed=1, failed=1)


def test_the_marker_is_listed(run):
    done = run("", "--markers")
    done.stdout.fnmatch_lines(["@pytest.mark.relay(policy, set, scenario, *"])
