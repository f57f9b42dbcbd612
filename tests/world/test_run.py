"""How a run ends, whatever the strategy does: deep chains of workers, ends at the horizon, stubborn
greenlets, long silences.
"""

from __future__ import annotations

from threading import Thread

import pytest

from sim.errors import StrategyError
from sim.strategies.catalogue import Strategy
from sim.world import World
from tests.world.worlds import scenario, world

DAY = 86_400


def test_a_chain_of_ten_thousand_spawned_workers():
    """Each is started from the hub, so none inherits the depth of the one before."""
    deepest = 0

    def link(sender, depth):
        nonlocal deepest
        deepest = depth
        if depth < 10_000:
            sender.spawn(link, depth + 1)

    _, result = world(lambda sender: link(sender, 0))
    assert (deepest, result.ended, result.error) == (10_000, "settled", None)


def test_a_chain_in_which_every_worker_waits_for_the_next():
    alive = 0

    def link(sender, depth):
        nonlocal alive
        alive += 1
        if depth:
            sender.spawn(link, depth - 1)
        sender.sleep(1_000)

    _, result = world(lambda sender: link(sender, 3_000), until=500)
    assert (alive, result.ended) == (3_001, "until")


def test_what_is_alive_at_the_horizon_is_ended_and_its_finally_runs():
    ended = []

    def work(sender):
        try:
            with sender.connect() as connection:
                connection.send(sender.take()[0])
                sender.sleep(10 * DAY)
        finally:
            ended.append(sender.ip)

    made, result = world(
        work,
        workload={"kind": "batch", "messages": 9},
        sender={"strategy": "one-connection", "workers": 3, "ips": 3},
        until=60,
    )
    assert sorted(ended) == ["198.18.0.1", "198.18.0.2", "198.18.0.3"]
    assert made.recorder.closed_at == {}  # the run was over: there was no time left for a QUIT
    assert (result.messages.accepted, result.connections.peak_open) == (3, 3)


@pytest.mark.parametrize("call", ["sleep", "take", "now", "connect", "random"])
def test_a_worker_that_swallows_its_end_does_not_hold_up_the_run(call):
    swallowed = 0

    def work(sender):
        nonlocal swallowed
        calls = {
            "sleep": lambda: sender.sleep(1),
            "take": sender.take,
            "now": sender.now,
            "random": sender.random,
            "connect": lambda: sender.connect().close(),
        }
        sender.take()
        while True:
            try:
                sender.sleep(1)
                calls[call]()
            except BaseException:
                swallowed += 1

    _, result = world(work, until=50)
    assert result.ended == (
        "settled" if call == "take" else "until"
    )  # a second take gives the message up
    assert swallowed > 100


def test_a_finally_that_goes_on_working_changes_nothing_any_more():
    def work(sender):
        batch = sender.take()
        try:
            sender.sleep(DAY)
        finally:
            sender.sleep(1)
            with sender.connect() as connection:
                connection.send(batch[0])

    _, result = world(work, until=50)
    assert (result.ended, result.messages.accepted, result.messages.waiting) == ("until", 0, 1)


def test_an_exception_of_a_worker_ends_the_run_and_is_told():
    def work(sender):
        sender.sleep(7)
        raise RuntimeError("out of\nstamps")

    _, result = world(work, workload={"kind": "constant", "rate": "1/s", "for": 60})
    assert (result.ended, result.passed, result.duration_s) == ("aborted", False, 7)
    assert r"RuntimeError: out of\nstamps (test_run.py line" in str(result.error)
    assert (result.messages.submitted, result.messages.waiting) == (8, 8)


def test_an_exception_that_cannot_be_told_is_named():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    def work(sender):
        raise Mute

    assert str(world(work)[1].error).startswith("the strategy raised Mute (test_run.py line ")


@pytest.mark.parametrize(
    ("call", "ended"),
    [
        (lambda one: one.connect(), "aborted"),
        (lambda one: one.spawn(print), "aborted"),
        (lambda one: one.take(), "settled"),  # it gave up what was taken before, and waits for more
    ],
)
def test_a_sender_is_for_no_thread_of_the_strategys(call, ended):
    """What such a thread does depends on the machine's speed, so it is refused, also where it keeps
    that to itself.
    """
    told = []

    def work(sender):
        def alone():
            try:
                call(sender)
            except StrategyError as error:
                told.append(str(error))

        sender.take()
        thread = Thread(target=alone)
        thread.start()
        thread.join()
        sender.sleep(5)

    _, result = world(work, until=5)
    assert (result.ended, told) == (
        ended,
        ["used its sender in a thread of its own; start further workers with sender.spawn()"],
    )
    assert ended == "settled" or told[0] in str(result.error)


def test_a_refusal_that_nobody_catches_ends_that_worker_alone():
    def work(sender):
        if sender.ip == "198.18.0.1":
            sender.take()
        sender.sleep(1 if sender.ip == "198.18.0.1" else 30)
        with sender.connect() as connection:
            while batch := sender.take():
                connection.send(batch[0])

    sender = {"strategy": "one-connection", "workers": 2, "ips": 2}
    faults = {"wrong_password": {"from": 0, "until": 10}}
    _, result = world(work, workload={"kind": "batch", "messages": 3}, sender=sender, faults=faults)
    assert (result.ended, result.messages.accepted, result.messages.lost) == ("settled", 2, 1)


def test_a_loop_without_time_passing_is_stopped():
    def work(sender):
        while True:
            sender.now()

    _, result = world(work)
    assert result.ended == "aborted"
    assert "needs sender.sleep()" in str(result.error)


def test_ninety_days_with_ten_messages_cost_no_more_events_than_ninety_seconds():
    """An event-free stretch costs nothing: what the agenda ever held is counted, not the seconds it
    took.
    """

    def events(days_long):
        chosen = {
            "workload": {"kind": "bursts", "size": 1, "every": days_long / 10, "for": days_long},
            "until": 2 * days_long,
            "sender": {"strategy": "connection-per-message"},
        }
        made, result = world(**chosen)
        assert (result.messages.accepted, result.ended) == (10, "settled")
        return next(made.clock._order)

    assert events(90 * DAY) == events(90) < 200


def test_a_worker_that_sleeps_alone_costs_no_event():
    def work(sender):
        sender.take()
        for _ in range(5_000):
            sender.sleep(60)

    made, result = world(work)
    assert result.messages.lost == 1
    assert next(made.clock._order) < 20


def test_a_run_without_arrivals_is_settled_at_once():
    _, result = world(workload={"kind": "poisson", "rate": "1/d", "for": 0.001})
    assert (result.messages.submitted, result.ended, result.duration_s) == (0, "settled", 0)


def test_a_run_without_until_stops_after_seven_days():
    def work(sender):
        sender.sleep(30 * DAY)

    _, result = world(work)
    assert (result.ended, result.duration_s, result.messages.waiting) == ("until", 7 * DAY, 1)


def test_workers_share_usernames_and_addresses_round_robin():
    seen = []
    sender = {"strategy": "one-connection", "workers": 5, "usernames": 2, "ips": 3}
    world(lambda sender: seen.append((sender.username, sender.ip[-1])), sender=sender)
    assert seen == [("user1", "1"), ("user2", "2"), ("user1", "3"), ("user2", "1"), ("user1", "2")]


def test_a_result_can_be_asked_for_in_the_middle():
    """As the watchdog does of a run that is stuck."""
    chosen = scenario(workload={"kind": "batch", "messages": 4})
    made: list[World] = []
    partial = []

    def work(sender):
        with sender.connect() as connection:
            connection.send(sender.take()[0])
            partial.append(made[0].result("stuck"))

    made.append(World(chosen, Strategy("work", work, {}, "")))
    made[0].run()
    assert (partial[0].ended, partial[0].error, partial[0].passed) == ("aborted", "stuck", False)
    assert (partial[0].messages.accepted, partial[0].messages.waiting) == (1, 3)


def test_a_sender_that_has_ended_loses_what_arrives_below_the_horizon_alone():
    _, result = world(
        lambda sender: None, workload={"kind": "constant", "rate": "1/s", "for": 10}, until=3
    )
    assert (result.messages.submitted, result.messages.lost, result.ended, result.duration_s) == (
        3,
        3,
        "until",
        3,
    )
