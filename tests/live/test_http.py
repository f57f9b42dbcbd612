"""The HTTP endpoint: reports, changes and refusals, and the same changes as Python calls."""

from __future__ import annotations

import json
import smtplib
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

import sim.live
from sim.errors import ScenarioError
from tests.live.peer import PATIENCE


@pytest.fixture
def relay() -> Iterator[sim.live.Running]:
    """A running relay with HTTP."""
    with sim.live.running(tls="none", http=0) as running:
        yield running


def ask(
    relay: sim.live.Running, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any, str]:
    """The status, the body (parsed if it is JSON) and the content type."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(
        f"http://127.0.0.1:{relay.http_port}{path}", data, named, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            status = answer.status
            text = answer.read().decode()
            kind = answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        status = error.code
        text = error.read().decode()
        kind = error.headers["Content-Type"]
    return status, json.loads(text) if kind.startswith("application/json") else text, kind


def login(relay: sim.live.Running) -> int:
    """The code of the reply to a login on a new connection."""
    with smtplib.SMTP(relay.host, relay.port, timeout=PATIENCE) as client:
        client.ehlo("me.example")
        return client.docmd("AUTH", "PLAIN AHUAcA==")[0]


def send(relay: sim.live.Running, messages: int) -> list[int]:
    """The codes of MAIL on one connection, up to the first refusal."""
    codes = []
    with smtplib.SMTP(relay.host, relay.port, timeout=PATIENCE) as client:
        client.ehlo("me.example")
        client.docmd("AUTH", "PLAIN AHUAcA==")
        for number in range(messages):
            codes.append(client.docmd("MAIL", "FROM:<a@example.com>")[0])
            if codes[-1] != 250:
                break
            client.docmd("RCPT", f"TO:<b{number}@example.com>")
            client.data(b"Subject: x\r\n\r\nhi\r\n")
    return codes


def test_it_lists_what_it_has_and_says_that_it_runs(relay):
    status, routes, _ = ask(relay, "GET", "/")
    assert (status, "PATCH /policy" in routes) == (200, True)
    status, health, _ = ask(relay, "GET", "/health")
    assert (status, health["status"], health["port"], health["tls_port"]) == (
        200,
        "ok",
        relay.port,
        None,
    )


def test_the_result_is_the_one_that_comes_at_the_end(relay):
    assert send(relay, 6) == [250] * 5 + [421]
    status, result, _ = ask(relay, "GET", "/result")
    assert (
        status,
        result["schema"],
        result["messages"]["accepted"],
        result["incidents"]["total"],
    ) == (200, 1, 5, 1)
    assert result["incidents"] == relay.result().to_dict()["incidents"]


def test_prometheus_reads_the_numbers(relay):
    send(relay, 6)
    relay.fail_next_login()
    login(relay)
    status, text, kind = ask(relay, "GET", "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["relaysim_messages_accepted_total",] == 5
    assert found["relaysim_connections_opened_total",] == 2
    assert [
        found["relaysim_logins_total", outcome] for outcome in ("accepted", "failed", "refused")
    ] == [1, 1, 0]
    assert found["relaysim_incidents_total", "transactions_per_connection"] == 1
    assert found["relaysim_incidents_total", "logins_per_username"] == 0
    assert found["relaysim_limit_count", "logins_per_username"] == 120
    assert found["relaysim_blocks_running", "failed_logins_per_ip"] == 0


def test_the_policy_changes_while_it_runs(relay):
    assert login(relay) == 235
    status, state, _ = ask(
        relay, "PATCH", "/policy", {"logins_per_username": 2, "transactions_per_connection": False}
    )
    assert (status, state["policy"]["logins_per_username"]["count"]) == (200, 2)
    assert "transactions_per_connection" not in state["policy"]
    assert send(relay, 7) == [250] * 7
    assert [login(relay), login(relay)] == [235, 421]
    assert ask(relay, "DELETE", "/counts")[0] == 200
    assert login(relay) == 235
    relay.change({"use": "unlimited"})
    assert [login(relay) for _ in range(4)] == [235] * 4
    result = relay.result()
    assert (result.policy, result.incidents.total) == ("unlimited", 1)


def test_the_next_login_is_refused_so_often_as_was_asked(relay):
    assert ask(relay, "PUT", "/next/logins_per_username")[1]["next"] == {"logins_per_username": 1}
    assert [login(relay), login(relay)] == [421, 235]
    ask(relay, "PUT", "/next/password", {"times": 2})
    assert [login(relay) for _ in range(3)] == [535, 535, 235]
    ask(relay, "PUT", "/next/password", {"times": 2})
    assert ask(relay, "DELETE", "/next/password")[1]["next"] == {}
    relay.refuse_next_login(2)
    assert [login(relay) for _ in range(3)] == [421, 421, 235]
    relay.refuse_next("transactions_per_connection")
    assert send(relay, 1) == [421]
    relay.fail_next_login()
    relay.forget()
    assert login(relay) == 235


def test_faults_count_from_now_and_can_be_taken_back(relay):
    status, state, _ = ask(relay, "PUT", "/faults", {"wrong_password": {"from": 0, "until": "1h"}})
    wrong = state["faults"]["wrong_password"]
    assert (status, round(wrong["until"] - wrong["from"])) == (200, 3600)
    assert login(relay) == 535
    assert ask(relay, "DELETE", "/faults")[0] == 200
    assert login(relay) == 235
    relay.change(faults={"relay_down": [{"at": 0, "for": "1h"}]})
    with pytest.raises(OSError):
        login(relay)
    relay.change(faults={})
    assert login(relay) == 235


def test_the_network_changes_for_connections_to_come(relay):
    status, state, _ = ask(relay, "PATCH", "/network", {"rtt": "10ms"})
    assert (status, state["network"]["rtt"]) == (200, 0.01)
    assert login(relay) == 235


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("PATCH", "/policy", {"logins_per_usernam": 3}, 'did you mean "logins_per_username"'),
        (
            "PATCH",
            "/policy",
            {"use": "sim/policies/unlimited.toml"},
            "is not a shipped policy; allowed: mailersend, unlimited",
        ),
        ("PATCH", "/policy", [1], "is not a table"),
        ("PATCH", "/policy", b"nonsense", "the body is not JSON"),
        ("PATCH", "/policy", b"\xff", "the body is not JSON"),
        ("PATCH", "/policy", b"[" * 60_000, "the body is not JSON"),
        ("PATCH", "/network", {"tls": "none"}, "network.tls: cannot change while the relay runs"),
        ("PATCH", "/network", {"rtt": "40 ms"}, 'write "40ms"'),
        ("PUT", "/faults", {"slow": {"at": 0}}, "faults.slow.for: is required"),
        ("PUT", "/next/loginz", None, "cannot be refused; allowed: transactions_per_connection"),
        ("PUT", "/next/password", {"time": 2}, '"time" is not allowed; write {"times": 2}'),
        ("PUT", "/next/password", {"times": "2"}, 'times: "2" is no number of times'),
        ("PUT", "/next/password", 7, "7 is not allowed"),
    ],
)
def test_a_mistake_is_status_400_in_words_and_changes_nothing(relay, method, path, body, said):
    before = ask(relay, "GET", "/state")[1]
    status, answer, _ = ask(relay, method, path, body)
    assert status == 400
    assert said in answer["errors"][0]
    assert {**ask(relay, "GET", "/state")[1], "now": 0} == {**before, "now": 0}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("POST", "/policy", 405), ("DELETE", "/result", 405)],
)
def test_what_is_not_there_is_told_in_words(relay, method, path, status):
    found, answer, _ = ask(relay, method, path)
    assert found == status
    assert answer["errors"][0].startswith(f"{method} {path}: ")


def test_a_body_without_end_is_not_read(relay):
    assert ask(relay, "PATCH", "/policy", b" " * 100_000)[0] == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "relay.attacker.example"}, 400),
        ({"Host": "[::1"}, 400),
        ({"Origin": "https://attacker.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "none"}, 200),
        ({"Host": "localhost"}, 200),
        ({"Host": "127.0.0.1:80", "Origin": "http://127.0.0.1:80"}, 200),
        ({"Host": "[::1]:80"}, 200),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/result"), ("DELETE", "/counts")])
def test_no_page_of_a_browser_gets_in(relay, method, path, headers, status):
    assert ask(relay, method, path, **headers)[0] == status


def test_a_change_by_a_call_is_read_as_strictly(relay):
    with pytest.raises(ScenarioError, match="did you mean"):
        relay.change({"logins_per_usernam": 3})


def test_a_port_that_is_taken_is_told(relay):
    with (
        pytest.raises(ScenarioError, match="--http: cannot listen on"),
        sim.live.running(http=relay.http_port),
    ):
        pass
    assert login(relay) == 235
