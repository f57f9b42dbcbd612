"""What strands of one process wait for, and messages that stay in a library's hands while it is
given more.
"""

from __future__ import annotations

from typing import Any

from tests.world.worlds import world


def ran(work: Any, **tables: Any) -> Any:
    _, result = world(work, **({"workload": {"kind": "batch", "messages": 3}} | tables))
    assert result.error is None, result.error
    return result


def test_all_that_wait_go_on_in_their_order():
    said: list[Any] = []

    def waits(sender, signal, name):
        said.append((name, signal.wait(), sender.now()))

    def work(sender):
        signal = sender.signal()
        for name in "abc":
            sender.spawn(waits, signal, name)
        sender.sleep(2)
        signal.set()
        sender.sleep(0)
        sender.spawn(waits, signal, "late")
        sender.sleep(1)

    ran(work)
    assert said == [("a", True, 2), ("b", True, 2), ("c", True, 2)]


def test_a_wait_has_its_end():
    said: list[Any] = []

    def sets(sender, signal, after):
        sender.sleep(after)
        signal.set()

    def work(sender):
        signal = sender.signal()
        sender.spawn(sets, signal, 5)
        said.append((signal.wait(1.5), sender.now()))
        said.append((signal.wait(10), sender.now()))
        signal.set()  # nobody waits, and it is not remembered
        said.append((signal.wait(1), sender.now()))

    ran(work)
    assert said == [(False, 1.5), (True, 5), (False, 6)]


def test_a_set_and_a_time_out_at_one_instant_wake_once():
    said: list[Any] = []

    def sets(sender, signal):
        sender.sleep(1)
        signal.set()

    def work(sender):
        signal = sender.signal()
        sender.spawn(sets, signal)
        said.append(signal.wait(1))
        sender.sleep(3)
        said.append(sender.now())

    ran(work)
    assert said[0] in (True, False)
    assert said[1] == 4


def test_messages_stay_in_hand_until_they_are_given_up():
    seen: list[Any] = []

    def work(sender):
        held = sender.take_more(2)
        held += sender.take_more(2)
        seen.extend(message.id for message in held)
        sender.sleep(1)
        sender.give_up(held[1])
        sender.give_up(held[1])
        sender.sleep(1)
        connection = sender.connect()
        connection.send(held[0])
        connection.send(held[2])
        seen.append(sender.take_more())

    result = ran(work)
    assert seen == ["1", "2", "3", []]
    assert (result.messages.accepted, result.messages.lost) == (2, 1)


def test_what_is_in_hand_at_the_horizon_waits():
    def work(sender):
        held = sender.take_more(3)
        sender.give_up(held[2])
        sender.sleep(100)

    result = ran(work, until="10s")
    assert (result.messages.waiting, result.messages.lost) == (2, 1)
