"""The same strategy through virtual time and through production: the same messages in the same
batches, and nothing lost.

What goes over one connection is in ``test_connection.py``.
"""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sim.errors import ScenarioError
from sim.production import Account, Outcome, send
from sim.scenario import build
from sim.strategies import catalogue
from sim.strategies.api import Disconnected, Message, Sender, StrategyError
from sim.world import World
from tests.production.receiver import PATIENCE, Receiver, receiver, workload

FILE = Path(__file__).parents[1] / "strategies_for_tests" / "fives.py"


def found(name: str) -> Any:
    """A strategy of the tests' own file."""
    return catalogue.load(FILE, name)


def own_threads() -> list[str]:
    """The threads of a run that are there."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("relaysim")]


def sent(
    strategy: Any, messages: Any, says: dict[tuple[str, int], str] | None = None, **more: Any
) -> tuple[Outcome, Receiver]:
    """The outcome for ``messages``, or for that many messages. In every case no thread is left and
    the sum is right.
    """
    seen: set[str] = set()
    usernames = [(f"user{index + 1}", "secret") for index in range(more.get("workers", 1))]
    with receiver(says, usernames=usernames) as (server, account):
        strategy = found(strategy) if isinstance(strategy, str) else strategy
        outcome = send(
            strategy, workload(messages) if isinstance(messages, int) else messages, account, **more
        )
        seen.update(own_threads())
    assert seen == set()
    assert outcome.submitted == len(outcome.accepted) + len(outcome.lost) + len(outcome.waiting)
    assert sorted(message.id for message in outcome.unsent) == sorted(
        outcome.lost + outcome.waiting
    )
    return outcome, server


def test_the_same_file_sends_the_same_batches_in_virtual_time_and_in_production():
    outcome, server = sent("batches_of_five", 23)
    tables = {
        "workload": {"kind": "batch", "messages": 23},
        "sender": {"strategy": f"{FILE.name}:batches_of_five"},
        "network": {"tls": "none"},
    }
    world = World(build(tables, "x.toml", "x", FILE.parent), found("batches_of_five"))
    result = world.run()
    batches: dict[int, list[str]] = {}
    for connection, message in zip(
        world.recorder.accepted_on, world.recorder.accepted_ids, strict=True
    ):
        batches.setdefault(connection, []).append(str(message))
    assert server.batches == outcome.connections == list(batches.values())
    assert [len(batch) for batch in server.batches] == [5, 5, 5, 5, 3]
    assert outcome.accepted == [str(number) for number in range(1, 24)]
    assert (outcome.submitted, outcome.lost, outcome.duplicated) == (
        result.messages.submitted,
        [],
        result.messages.duplicated,
    )


def test_two_workers_log_in_with_their_own_usernames_and_lose_nothing():
    names: set[tuple[str, str]] = set()

    def fives(sender):
        names.add((threading.current_thread().name, sender.username))
        catalogue.load(FILE, "batches_of_five").found(sender)

    outcome, server = sent(fives, 40, workers=2)
    assert names == {("relaysim w0", "user1"), ("relaysim w1", "user2")}
    assert sorted(map(int, outcome.accepted)) == list(range(1, 41))
    assert sorted(message for batch in server.batches for message in batch) == sorted(
        outcome.accepted
    )
    assert all(len(batch) <= 5 for batch in server.batches)


def test_a_spawned_worker_holds_what_it_was_given():
    def starts(sender: Sender) -> None:
        sender.spawn(child, {"of": "no use"}, [sender.take(2)])
        with sender.connect() as connection:
            connection.send(sender.take()[0])  # which waits, since they may be put back

    def child(sender: Sender, words: dict[str, str], batches: list[list[Message]]) -> None:
        sender.sleep(0.1)
        sender.put_back(batches[0][0])

    assert sorted(map(int, sent("shares_work", 10)[0].accepted)) == list(range(1, 11))
    outcome, _ = sent(starts, 2)
    assert (outcome.accepted, outcome.lost, outcome.error) == (["1"], ["2"], None)


def test_what_a_strategy_gives_up_is_lost_and_listed():
    outcome, _ = sent("gives_up", 8)
    assert outcome.accepted == ["1", "5"]
    assert outcome.lost == ["2", "3", "4", "6", "7", "8"]


def test_a_strategy_that_throws_aborts_and_nothing_is_forgotten():
    outcome, _ = sent("throws", 12)
    assert outcome.ended == "aborted"
    assert "KeyError: 'seven'" in str(outcome.error)
    assert outcome.accepted == [str(number) for number in range(1, 8)]
    assert outcome.waiting == ["8", "9", "10", "11", "12"]


def test_an_abort_reaches_workers_that_sleep_wait_and_swallow_exceptions():
    sleeping = threading.Barrier(3)
    ended = []
    taken = []

    def strategy(sender: Sender) -> None:
        try:
            worker(sender, sender.take())  # of four, one waits here
        finally:
            ended.append(sender.username)

    def worker(sender: Sender, batch: list[Message]) -> None:
        taken.append(len(batch))
        sleeping.wait(PATIENCE)
        if batch[0].id == "1":
            raise RuntimeError("no such luck")
        while True:
            try:
                sender.sleep(600) if batch[0].id == "2" else sender.now()
            except Exception:
                continue

    outcome, _ = sent(strategy, 3, workers=4)
    assert (outcome.ended, outcome.waiting) == ("aborted", ["1", "2", "3"])
    assert "no such luck" in str(outcome.error)
    assert (sorted(ended), taken) == (["user1", "user2", "user3", "user4"], [1, 1, 1])


def test_a_refusal_that_nobody_catches_ends_that_worker_alone():
    outcome, _ = sent("batches_of_five", 20, {("AUTH", 1): "535 wrong"}, workers=2)
    assert (len(outcome.accepted), len(outcome.lost), outcome.ended) == (15, 5, "settled")
    assert [row[1:] for row in outcome.refusals] == [(535, "wrong", None)]


def test_when_all_workers_have_ended_the_rest_is_lost_also_what_comes_later():
    gone = threading.Event()

    def slowly() -> Iterator[tuple[str, bytes]]:
        yield from workload(2)
        gone.wait(PATIENCE)
        yield from workload(3)

    def ends(sender: Sender) -> None:
        threading.Timer(0.05, gone.set).start()
        raise Disconnected("of its own")

    outcome, _ = sent(ends, slowly())
    assert (outcome.ended, outcome.lost) == ("settled", ["1", "2", "3", "4", "5"])


def test_a_workload_may_come_slowly_and_a_worker_waits_for_it_and_for_what_another_holds():
    source: queue.Queue[Any] = queue.Queue()
    taken = threading.Event()

    def strategy(sender: Sender) -> None:
        while batch := sender.take():
            with sender.connect() as connection:
                connection.send(batch[0])
            source.put(("m2@example.com", b"\r\n") if batch[0].id == "1" else None)

    def holds(sender: Sender) -> None:
        if sender.username == "user1":
            (message,) = sender.take()
            taken.set()
            sender.sleep(0.1)
            sender.put_back(message)
            return
        taken.wait(PATIENCE)
        strategy(sender)

    source.put(("m1@example.com", b"\r\n"))
    assert sent(strategy, iter(source.get, None))[0].accepted == ["1", "2"]
    assert sent(holds, 1, workers=2)[0].accepted == ["1"]


def test_what_is_put_back_comes_first_and_what_is_not_there_is_refused():
    order: list[str] = []

    def strategy(sender: Sender) -> None:
        first, second = sender.take(2)
        sender.put_back(second)
        sender.put_back(first)
        for wrong in (
            first,
            Message("99", "x@example.com", b""),
            Message("3", "m3@example.com", b""),
        ):
            with pytest.raises(StrategyError):
                sender.put_back(wrong)
        with sender.connect() as connection:
            with pytest.raises(StrategyError):
                connection.send(Message("99", "x@example.com", b""))
            while batch := sender.take():
                order.append(batch[0].id)
                connection.send(batch[0])
                if batch[0].id == "2":
                    connection.send(batch[0])

    outcome, _ = sent(strategy, 3)
    assert order == outcome.accepted == ["1", "2", "3"]
    assert outcome.duplicated == 1


def test_clock_and_luck_are_a_workers_own():
    drawn: dict[str, list[float]] = {}

    def strategy(sender: Sender) -> None:
        begun = sender.now()
        sender.sleep(0.03)
        assert sender.now() - begun >= 0.03
        drawn[sender.username] = [sender.random() for _ in range(3)]

    def again(**more: Any) -> dict[str, list[float]]:
        assert sent(strategy, 0, **more)[0].error is None
        return dict(drawn)

    two = again(workers=2, seed=7)
    assert two["user1"] != two["user2"]
    assert again(workers=1, seed=7)["user1"] == two["user1"]
    assert again()["user1"] != again()["user1"]


def test_time_that_is_up_stops_the_run_and_keeps_what_is_in_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late = threading.Event()
    monkeypatch.setattr(
        "sim.production.stage.Stage.elapsed", lambda stage: 100.0 if late.is_set() else 0.0
    )

    def strategy(sender: Sender) -> None:
        given_up = sender.take(2)
        held = sender.take(2)
        sender.put_back(given_up[1])
        with sender.connect() as connection:
            late.set()
            while True:
                connection.send(held[0])

    outcome, server = sent(strategy, 5, until=100)
    assert (outcome.ended, outcome.error, outcome.lost) == ("until", None, ["1"])
    assert sorted(outcome.accepted + outcome.waiting) == ["2", "3", "4", "5"]
    assert server.verbs[0][-1] == "QUIT"


def test_a_worker_that_never_ends_is_stopped_a_while_after_all_is_settled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sim.production.run.WIND_DOWN", 0.05)

    def strategy(sender: Sender) -> None:
        while sender.now() >= 0:
            sender.take()
            sender.sleep(0.01)

    outcome, _ = sent(strategy, 2)
    assert (outcome.ended, outcome.error, outcome.lost) == ("settled", None, ["1", "2"])


def test_ctrl_c_ends_in_order_and_tells_what_was_sent():
    def strategy(sender: Sender) -> None:
        with sender.connect() as connection:
            connection.send(sender.take(2)[0])
            signal.raise_signal(signal.SIGINT)  # which Python hands to the main thread
            sender.sleep(600)

    outcome, server = sent(strategy, 3)
    assert (outcome.ended, outcome.error) == ("aborted", "KeyboardInterrupt")
    assert (outcome.accepted, outcome.waiting) == (["1"], ["2", "3"])
    assert server.verbs[0][-1] == "QUIT"


def test_a_workload_that_throws_is_told():
    def broken() -> Iterator[tuple[str, bytes]]:
        yield from workload(2)
        raise OSError("the database went away")

    outcome, _ = sent("batches_of_five", broken())
    assert outcome.ended == "aborted"
    assert "the database went away" in str(outcome.error)
    assert outcome.submitted == 2


def test_what_a_generator_hands_over_after_the_stop_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sim.production.FEED_GRACE", PATIENCE)
    stopped = threading.Event()

    def slowly() -> Iterator[tuple[str, bytes]]:
        yield from workload(1)
        stopped.wait(PATIENCE)
        time.sleep(0.1)
        yield from workload(2)

    def strategy(sender: Sender) -> None:
        sender.take()
        stopped.set()
        raise RuntimeError("broken")

    outcome, _ = sent(strategy, slowly())
    assert (outcome.ended, outcome.waiting) == ("aborted", ["1", "2"])


class Model:
    """A model of the tests' own."""

    library = "Some Mailer"

    def run(self, sender):
        raise AssertionError("it must not be run")


def test_a_model_is_refused_before_anything_is_sent():
    account = Account("127.0.0.1", 1, [("user1", "secret")], "a@example.com", tls="none")
    with pytest.raises(ScenarioError, match="run Some Mailer itself"):
        send(Model, [], account)


STUBBORN = """
from contextlib import suppress
from sim.production import send
from tests.production.receiver import receiver, workload

def strategy(sender):
    if sender.username == "user1":
        raise RuntimeError("broken")
    while True:
        with suppress(BaseException):
            sender.take()

with receiver(usernames=[("user1", "secret"), ("user2", "secret")]) as (_, account):
    outcome = send(strategy, workload(1), account, workers=2)
print(outcome.ended, outcome.submitted, str(outcome.error).splitlines()[-1])
"""


def test_a_worker_that_swallows_its_own_end_is_left_behind() -> None:
    """In its own process, because the worker's thread lives until the process ends."""
    command = [sys.executable, "-c", STUBBORN]
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stderr, ended.stdout) == (
        0,
        "",
        "aborted 1 RuntimeError: broken\n",
    )
