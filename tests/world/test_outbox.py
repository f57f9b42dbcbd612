"""Taking, putting back, giving up and handing over in a run. Wrong calls are a StrategyError, not a
wrong result.

``tests/test_outbox.py`` compares the outbox with a plain model.
"""

from __future__ import annotations

import re

import pytest

from sim.strategies.api import Message
from tests.world.worlds import world

BATCH = {"kind": "batch", "messages": 6}


def numbers(messages):
    return [message.id for message in messages]


def test_messages_come_in_order_of_arrival_and_no_more_than_asked_for():
    seen = []

    def work(sender):
        while batch := sender.take(4):
            seen.append((sender.now(), numbers(batch)))

    world(work, workload={"kind": "bursts", "size": 6, "every": 10, "for": 20})
    assert seen == [
        (0, ["1", "2", "3", "4"]),
        (0, ["5", "6"]),
        (10, ["7", "8", "9", "10"]),
        (10, ["11", "12"]),
    ]


def test_what_is_put_back_is_first_again_the_last_put_back_before_all():
    seen = []

    def work(sender):
        batch = sender.take(3)
        for message in batch:
            sender.put_back(message)
        seen.append(numbers(sender.take(5)))

    world(work, workload=BATCH)
    assert seen == [["3", "2", "1", "4", "5"]]


def test_what_was_taken_and_neither_accepted_nor_put_back_is_lost_at_the_next_take():
    def work(sender):
        sender.take(2)
        sender.sleep(3)
        for message in sender.take(3)[1:]:
            sender.put_back(message)
        sender.sleep(1_000)

    _, result = world(work, workload=BATCH, until=100)
    assert (result.messages.lost, result.messages.waiting) == (
        2,
        4,
    )  # the one in the hands of a live worker waits


def test_what_a_worker_holds_when_it_ends_is_lost_and_what_it_got_accepted_is_not():
    def work(sender):
        batch = sender.take(3)
        with sender.connect() as connection:
            connection.send(batch[1])

    _, result = world(work, workload=BATCH)
    assert (result.messages.accepted, result.messages.lost, result.ended) == (1, 5, "settled")


def test_a_lost_message_that_is_put_back_is_lost_no_more():
    def work(sender):
        first = sender.take()
        sender.take()
        sender.put_back(first[0])
        with sender.connect() as connection:
            connection.send(sender.take()[0])

    _, result = world(work, workload={"kind": "batch", "messages": 2})
    assert (result.messages.accepted, result.messages.lost) == (1, 1)


def test_take_waits_while_another_worker_may_still_put_back():
    seen = []

    def work(sender):
        if sender.ip == "198.18.0.1":
            batch = sender.take(1)
            sender.sleep(30)
            sender.put_back(batch[0])
            sender.sleep(30)
        else:
            sender.sleep(1)
            batch = sender.take(5)
            seen.append((sender.now(), numbers(batch)))
            with sender.connect() as connection:
                connection.send(batch[0])
            seen.append((sender.now(), numbers(sender.take())))

    _, result = world(work, sender={"strategy": "one-connection", "workers": 2, "ips": 2})
    assert seen == [(30, ["1"]), (30.36, [])]  # four trips to log in, four to send, one to quit
    assert (result.messages.accepted, result.messages.lost, result.ended) == (1, 0, "settled")


def test_take_is_empty_for_all_who_wait_once_everything_is_settled():
    ends = []

    def work(sender):
        with sender.connect() as connection:
            while batch := sender.take():
                connection.send(batch[0])
        ends.append(sender.now())

    _, result = world(
        work,
        workload={"kind": "batch", "messages": 2},
        sender={"strategy": "one-connection", "workers": 5},
    )
    assert (len(ends), result.messages.accepted) == (5, 2)


def test_workers_that_wait_are_served_first_come_first_served():
    served = []

    def work(sender):
        sender.sleep(int(sender.ip[-1]) / 10)
        while sender.take():
            served.append((sender.now(), sender.ip[-1]))

    workload = {"kind": "constant", "rate": "1/s", "for": 6}
    world(work, workload=workload, sender={"strategy": "one-connection", "workers": 3, "ips": 3})
    assert served == [(0.1, "1"), (1, "1"), (2, "2"), (3, "3"), (4, "1"), (5, "2")]


def test_spawn_hands_messages_over_also_those_in_a_list():
    def rest(sender, pair, single):
        with sender.connect() as connection:
            for message in (*pair, single):
                connection.send(message)

    def work(sender):
        batch = sender.take(4)
        sender.spawn(rest, [batch[0], batch[1]], batch[2])
        assert (sender.username, sender.ip) == ("user1", "198.18.0.1")

    made, result = world(work, workload=BATCH)
    assert (result.messages.accepted, result.messages.lost) == (
        3,
        3,
    )  # the fourth stayed in the hands that ended
    assert made.recorder.logins[0].username == "user1"


@pytest.mark.parametrize(
    ("nonsense", "words"),
    [
        (
            lambda sender, message: [sender.put_back(message), sender.put_back(message)],
            "put back message 1, .* already",
        ),
        (lambda sender, message: sender.put_back(Message("6", "", b"")), "put back message 6"),
        (
            lambda sender, message: sender.put_back(Message("7", "", b"")),
            "no message of the outbox",
        ),
        (
            lambda sender, message: sender.put_back(Message("0", "", b"")),
            "no message of the outbox",
        ),
        (lambda sender, message: sender.put_back("hello"), "no message of the outbox"),
        (lambda sender, message: sender.put_back(None), "no message of the outbox"),
        (lambda sender, message: sender.put_back(5), "no message of the outbox"),
        (lambda sender, message: sender.connect().send([]), "no message of the outbox"),
        (
            lambda sender, message: sender.connect().send(Message("x", "", b"")),
            "no message of the outbox",
        ),
        (lambda sender, message: sender.take(0), r"take\(0\)"),
        (lambda sender, message: sender.take(-1), r"take\(-1\)"),
        (lambda sender, message: sender.take(1.5), r"take\(1.5\)"),
        (lambda sender, message: sender.take(True), r"take\(True\)"),
        (lambda sender, message: sender.sleep(float("nan")), r"sleep\(nan\)"),
        (lambda sender, message: sender.sleep(float("inf")), r"sleep\(inf\)"),
        (lambda sender, message: sender.sleep(-0.1), r"sleep\(-0.1\)"),
        (lambda sender, message: sender.sleep("1s"), r"sleep\('1s'\)"),
    ],
)
def test_nonsense_ends_the_run_and_says_where(nonsense, words):
    def work(sender):
        nonsense(sender, sender.take()[0])

    _, result = world(work, workload=BATCH)
    assert (result.ended, result.passed) == ("aborted", False)
    assert re.fullmatch(
        rf"the strategy raised StrategyError: .*{words}.* \(test_outbox\.py line \d+\)",
        str(result.error),
    )


def test_a_message_that_two_workers_hold_counts_once():
    """Two workers with the same message count it once in every sum."""

    def thief(sender, number):
        sender.put_back(Message(number, "", b""))

    def work(sender):
        batch = sender.take()
        sender.spawn(thief, batch[0].id)
        sender.sleep(1)
        with sender.connect() as connection:
            connection.send(batch[0])
            for message in sender.take(1):
                connection.send(message)

    _, result = world(work)
    counts = result.messages
    assert counts.submitted == counts.accepted + counts.lost + counts.waiting == 1
    assert counts.accepted == 1
