"""Strategies that do what no strategy should: each must end in one honest result."""

import os
from contextlib import suppress


def throws_late(sender):
    """Breaks after a hundred messages."""
    sent = 0
    while batch := sender.take(1):
        with sender.connect() as connection:
            connection.send(batch[0])
        sent += 1
        if sent == 100:
            raise KeyError("oops")
        sender.sleep(0.6)


def loops(sender):
    """For ever, without a call."""
    sender.take(1)
    while True:
        pass


def swallows(sender):
    """For ever, and will not be interrupted."""
    sender.take(1)
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


def asks_the_time(sender):
    """Waits by looking at the clock."""
    while sender.now() < 5:
        pass


def never_takes(sender):
    """Sleeps and ends."""
    sender.sleep(100)


def takes_memory(sender):
    """Until there is no more."""
    held = []
    while True:
        held.append(bytearray(50_000_000))


def ends_the_process(sender):
    """Does not even raise."""
    os._exit(3)


def exits(sender):
    """As a script would."""
    raise SystemExit(4)


def will_not_end(sender):
    """Swallows its own end at the horizon."""
    while True:
        with suppress(BaseException):
            sender.sleep(1)


def lies(sender):
    """Sends what was never in the outbox."""
    batch = sender.take(1)
    with sender.connect() as connection:
        connection.send(batch[0]._replace(id="4711"))


def puts_back_twice(sender):
    """Has one message and returns two."""
    batch = sender.take(1)
    sender.put_back(batch[0])
    sender.put_back(batch[0])


def puts_back_a_string(sender):
    """Returns the id in place of the message."""
    batch = sender.take(1)
    sender.put_back(batch[0].id)


def prints(sender):
    """Talks on stdout, and sends."""
    print("hello from the strategy")
    while batch := sender.take(5):
        with sender.connect() as connection:
            for message in batch:
                connection.send(message)
        sender.sleep(0.6)


def other(recipient):
    """Production code, not a strategy."""
