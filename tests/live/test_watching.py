"""The output of ``relaysim serve`` while it runs: the log of events, and the screen on a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

import sim.live
from sim.cli import main
from sim.records import Incident
from sim.report.screen import Moment, screen
from tests.live.peer import EHLO, MESSAGE, PATIENCE, QUIT, Peer, until
from tests.live.served import served

WRONG = b"AUTH PLAIN AHVzZXIxAHdyb25n\r\n"


@pytest.mark.parametrize("where", ["a file", "stderr"])
def test_every_event_is_a_line_of_json_at_once(where: str, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with served(
        "--tls",
        "none",
        "--user",
        "user1:secret",
        "--json-log",
        "-" if where == "stderr" else str(path),
    ) as relay:

        def lines() -> list[str]:
            found = relay.lines if where == "stderr" else path.read_text().splitlines()
            return [line for line in found if line.startswith("{")]

        with Peer(relay.port) as peer:
            peer.ask(EHLO)
            assert peer.ask(WRONG) == [535]
            peer.logged_in()
            for _ in range(5):
                peer.ask(MESSAGE, 4)
            assert peer.ask(MESSAGE) == [421]
        until(lambda: len(lines()) == 10, "all ten events")  # while the relay runs
        status, result = relay.stopped()
    assert status == 0
    events = [json.loads(line) for line in lines()]
    assert [each["event"] for each in events] == [
        "opened",
        "login",
        "login",
        *["accepted"] * 5,
        "incident",
        "closed",
    ]
    assert [each["outcome"] for each in events[1:3]] == ["failed", "accepted"]
    assert events[-2]["limit"] == "transactions_per_connection"
    assert events[-2]["t"] == result["incidents"]["log"][0]["t"]
    assert {each["connection"] for each in events} == {1}


def test_a_block_is_an_event_too(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with served("--tls", "none", "--user", "user1:secret", "--json-log", str(path)) as relay:
        with Peer(relay.port) as peer:
            assert peer.ask(EHLO + WRONG * 11, 12)[-1] == 421
        result = relay.stopped()[1]
    (block,) = [
        each
        for line in path.read_text().splitlines()
        if (each := json.loads(line))["event"] == "block"
    ]
    assert (block["limit"], block["username"], block["ip"]) == (
        "failed_logins_per_username_ip",
        "user1",
        "127.0.0.1",
    )
    assert (block["t"], block["until_s"]) == (
        result["blocks"][0]["from_s"],
        result["blocks"][0]["until_s"],
    )


def test_a_log_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["serve", "--port", "0", "--json-log", str(tmp_path / "nowhere" / "x")])
    assert stopped.value.code == 2
    assert "--json-log: cannot be written: No such file or directory" in capsys.readouterr().err


def test_the_screen_shows_use_and_incidents_with_what_they_mean() -> None:
    with sim.live.running(tls="none") as relay:
        with Peer(relay.port) as peer:
            peer.logged_in()
            for _ in range(5):
                peer.ask(MESSAGE, 4)
        uses = relay.call(lambda: relay.live.tally.uses(relay.live.clock.now()))
        result = relay.result()
        policy = relay.live.relay.policy
        with Peer(relay.port) as peer:
            peer.logged_in()
            for _ in range(6):
                peer.ask(MESSAGE, 4)
        met = relay.result()
    assert (
        uses["connections_per_ip"],
        uses["logins_per_username"],
        uses["failed_logins_per_ip"],
    ) == (1, 1, 0)
    shown = text(Moment("127.0.0.1:2525", result, policy, rate=5, open=1, uses=uses, latest=[]))
    assert re.search(r"1 accepted, 5 of at most 600 in the last minute, 1 open, 1 login\b", shown)
    assert re.search(r"logins_per_username +1 +120", shown)
    row = met.incidents.log[0]
    latest = [
        Incident(
            round(row.t * 1e6),
            row.limit,
            row.code,
            row.text,
            row.ip,
            row.username,
            row.connection,
            row.message,
        )
    ]
    shown = text(Moment("127.0.0.1:2525", met, policy, rate=5, open=1, uses=uses, latest=latest))
    assert re.search(r"transactions_per_connection +421 +user1 at 127.0.0.1, connection 2", shown)
    assert "Reconnect after every fifth message" in " ".join(shown.split())


def text(moment: Moment) -> str:
    console = Console(width=120, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123 - as short as the test
    console.print(screen(moment))
    return console.export_text()


def test_on_a_terminal_the_screen_comes_up_and_the_result_stays_on_stdout(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "sim", "serve", "--port", "0", "--tls", "none", "--json"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower, env=environment)
    os.close(follower)
    seen = ""

    def has(pattern: str) -> re.Match[str] | None:
        nonlocal seen
        if select.select([leader], [], [], 0.01)[0]:
            with suppress(OSError):  # Linux raises it after the other end is closed
                seen += os.read(leader, 65_536).decode("utf-8", "replace")
        return re.search(pattern, seen)

    try:
        until(lambda: has(r"listening 127\.0\.0\.1:(\d+)"), "listening")
        found = has(r"listening 127\.0\.0\.1:(\d+)")
        assert found
        with Peer(int(found[1])) as peer:
            peer.logged_in().ask(MESSAGE, 4)
            until(lambda: has(r"1 accepted"), "the message on the screen")
            until(lambda: has(r"logins_per_username"), "the limits on the screen")
            peer.ask(QUIT)
        process.terminate()
        until(lambda: has("never") or process.poll() is not None, "its end")
        out, _ = process.communicate(timeout=PATIENCE)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(leader)
    assert json.loads(out)["messages"]["accepted"] == 1
