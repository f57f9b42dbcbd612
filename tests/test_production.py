"""The same strategy through virtual time and through production: the same messages in the same batches, and nothing lost.

Production talks to a small receiver made of the standard library, which says what it is told to say at each stage.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sim.production import Outcome, send
from sim.production_connection import Account
from sim.scenario import build
from sim.strategies import catalogue
from sim.strategies.paced import Paced
from sim.world import World

FILE = Path(__file__).parent / "strategies_for_tests" / "fives.py"


class Receiver(socketserver.ThreadingTCPServer):
    """Takes messages on loopback. ``says`` maps (verb, how often it was heard over all connections) to an answer or "drop"."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, says: dict[tuple[str, int], str]) -> None:
        self.says = says
        self.heard: dict[str, int] = {}
        self.batches: list[list[str]] = []
        self.verbs: list[list[str]] = []
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Talk)

    def answer(self, verb: str, usual: str) -> str:
        """The scripted answer, or the usual one."""
        with self.lock:
            self.heard[verb] = self.heard.get(verb, 0) + 1
            return self.says.get((verb, self.heard[verb]), usual)


class Talk(socketserver.StreamRequestHandler):
    """One connection."""

    server: Receiver

    def say(self, verb: str, usual: str) -> bool:
        text = self.server.answer(verb, usual)
        if text == "drop":
            return False
        self.wfile.write(text.encode() + b"\r\n")
        return not text.startswith(("421", "221"))

    def handle(self) -> None:
        batch: list[str] = []
        verbs: list[str] = []
        with self.server.lock:
            self.server.batches.append(batch)
            self.server.verbs.append(verbs)
        usual = {"EHLO": "250-receiver\r\n250 AUTH PLAIN LOGIN", "AUTH": "235 in", "DATA": "354 go on", "QUIT": "221 bye"}
        going = self.say("CONNECT", "220 receiver")
        while going and (line := self.rfile.readline()):
            verb = line.split()[0].decode().upper()
            verbs.append(verb)
            going = self.say(verb, usual.get(verb, "250 fine"))
            if verb == "DATA" and going and self.server.says.get(("DATA", self.server.heard["DATA"]), "354")[0] == "3":
                going = self.body(batch)

    def body(self, batch: list[str]) -> bool:
        lines = list(iter(lambda: self.rfile.readline(), b".\r\n"))
        found = [line for line in lines if line.startswith(b"X-Relaysim-Id:")]
        going = self.say("BODY", "250 taken")
        batch.extend(line.split()[1].decode() for line in found[:1])
        return going


@contextmanager
def receiver(says: dict[tuple[str, int], str] | None = None) -> Iterator[tuple[Receiver, Account]]:
    """A receiver that runs, and how to reach it."""
    with Receiver(says or {}) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            port = int(server.server_address[1])
            credentials = [("user1", "secret"), ("user2", "secret")]
            yield server, Account("127.0.0.1", port, credentials, "me@example.com", tls="none", timeout=20)
        finally:
            server.shutdown()
            thread.join()


def workload(number: int) -> list[tuple[str, bytes]]:
    """So many small messages."""
    return [(f"m{index}@example.com", b"Subject: x\r\n\r\nhello\r\n") for index in range(1, number + 1)]


def found(name: str) -> Any:
    return catalogue.load(FILE, name)


def sent(name: str, messages: int, says: dict[tuple[str, int], str] | None = None, **more: Any) -> tuple[Outcome, Receiver]:
    before = threading.active_count()
    with receiver(says) as (server, account):
        outcome = send(found(name), workload(messages), account, **more)
    own = [thread.name for thread in threading.enumerate() if "worker" in thread.name]
    assert own == []
    assert threading.active_count() <= before + len(server.batches)
    return outcome, server


def test_the_same_file_sends_the_same_batches_in_virtual_time_and_in_production() -> None:
    outcome, server = sent("batches_of_five", 23)
    tables = {
        "workload": {"kind": "batch", "messages": 23},
        "sender": {"strategy": f"{FILE.name}:batches_of_five"},
        "network": {"tls": "none"},
    }
    world = World(build(tables, "x.toml", "x", FILE.parent), found("batches_of_five"))
    result = world.run()
    batches: dict[int, list[str]] = {}
    for connection, message in zip(world.recorder.accepted_on, world.recorder.accepted_ids, strict=True):
        batches.setdefault(connection, []).append(str(message))
    assert server.batches == list(batches.values())
    assert [len(batch) for batch in server.batches] == [5, 5, 5, 5, 3]
    assert outcome.accepted == [str(number) for number in range(1, 24)]
    assert (outcome.submitted, outcome.lost, outcome.duplicated) == (result.messages.submitted, [], result.messages.duplicated)


def test_two_workers_log_in_with_their_own_usernames_and_lose_nothing() -> None:
    outcome, server = sent("batches_of_five", 40, workers=2)
    assert sorted(map(int, outcome.accepted)) == list(range(1, 41))
    assert sorted(message for batch in server.batches for message in batch) == sorted(outcome.accepted)
    assert all(len(batch) <= 5 for batch in server.batches)


def test_a_spawned_worker_holds_what_it_was_given() -> None:
    outcome, _ = sent("shares_work", 10)
    assert sorted(map(int, outcome.accepted)) == list(range(1, 11))
    assert outcome.lost == []


def test_what_a_strategy_gives_up_is_lost_and_listed() -> None:
    outcome, _ = sent("gives_up", 8)
    assert outcome.accepted == ["1", "5"]
    assert outcome.lost == ["2", "3", "4", "6", "7", "8"]
    assert [message.id for message in outcome.unsent] == outcome.lost


def test_a_strategy_that_throws_aborts_and_nothing_is_forgotten() -> None:
    outcome, _ = sent("throws", 12)
    assert outcome.ended == "aborted"
    assert "KeyError" in str(outcome.error)
    assert outcome.accepted == [str(number) for number in range(1, 8)]
    assert [message.id for message in outcome.unsent] == ["8", "9", "10", "11", "12"]


@pytest.mark.parametrize(
    ("stage", "text", "code"),
    [("CONNECT", "421 too many", 421), ("AUTH", "535 wrong", 535), ("MAIL", "421 over", 421), ("RCPT", "550 nobody", 550),
     ("DATA", "451 later", 451), ("BODY", "552 large", 552)],
)  # fmt: skip
def test_a_refusal_at_each_stage_reaches_the_strategy_and_paced_sends_it_again(
    stage: str, text: str, code: int, monkeypatch: Any
) -> None:
    monkeypatch.setattr("sim.strategies.paced.PASSWORD_REST_S", 0.05)
    monkeypatch.setattr("sim.strategies.paced.FIRST_REST_S", 0.05)
    with receiver({(stage, 2): text}) as (server, account):
        outcome = send(Paced, workload(7), account, options={"size": 5, "spacing": "0.01s"})
    assert [refusal[1] for refusal in outcome.refusals] == [code]
    assert sorted(map(int, outcome.accepted)) == list(range(1, 8))
    assert (outcome.lost, outcome.ended) == ([], "settled")
    if stage in ("RCPT", "DATA"):
        assert any("RSET" in verbs for verbs in server.verbs)


@pytest.mark.parametrize("stage", ["CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "BODY"])
def test_a_connection_that_dies_at_any_stage_loses_nothing(stage: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("sim.strategies.paced.FIRST_REST_S", 0.05)
    with receiver({(stage, 2): "drop"}) as (_, account):
        outcome = send(Paced, workload(7), account, options={"size": 5, "spacing": "0.01s"})
    assert sorted(map(int, outcome.accepted)) == list(range(1, 8))
    assert outcome.refusals == []


def test_one_wrong_password_costs_one_login() -> None:
    with receiver({("AUTH", 1): "535 wrong"}) as (server, account):
        outcome = send(found("batches_of_five"), workload(3), account)
    assert [verbs.count("AUTH") for verbs in server.verbs] == [1]
    assert outcome.lost == ["1", "2", "3"]


def test_nobody_there_is_a_disconnection() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    account = Account("127.0.0.1", port, [("u", "p")], "me@example.com", tls="none")
    outcome = send(found("batches_of_five"), workload(2), account)
    assert (outcome.accepted, outcome.lost) == ([], ["1", "2"])


def test_a_workload_that_throws_is_told() -> None:
    def broken() -> Iterator[tuple[str, bytes]]:
        yield from workload(2)
        raise OSError("the database went away")

    with receiver() as (_, account):
        outcome = send(found("batches_of_five"), broken(), account)
    assert outcome.ended == "aborted"
    assert "the database went away" in str(outcome.error)
    assert outcome.submitted == 2
