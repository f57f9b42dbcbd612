"""The clock's agenda compared with a sorted list, over waits, wake-ups and SimPy's own events that
hypothesis draws.
"""

from __future__ import annotations

from bisect import insort
from functools import partial
from itertools import count

import greenlet
import pytest
from hypothesis import given
from hypothesis import strategies as some

from sim.world.clock import Clock

WAKE = -1
waits = some.lists(some.one_of(some.integers(0, 6), some.just(WAKE)), max_size=12)
END = 1_000


def ours(workers, events):
    """The steps in the order in which they ran: (time, who, step)."""
    clock = Clock()
    log: list[tuple] = []
    asleep: list[greenlet.greenlet] = []

    def worker(who, steps):
        for step, wait in enumerate(steps):
            if wait == WAKE:
                if asleep:
                    clock.wake(asleep.pop())
            else:
                clock.wait_until(clock.moment + wait)
                log.append((clock.moment, who, step))

    def sleeper():
        for step in count():
            asleep.append(greenlet.getcurrent())
            clock.park()
            log.append((clock.moment, "sleeper", step))

    def process():
        for step, delay in enumerate(events):
            yield clock.timeout(delay)
            log.append((clock.now, "event", step))

    alive = []

    def started(work):
        alive.append(greenlet.getcurrent())
        work()

    clock.start(lambda: started(sleeper))
    for who, steps in enumerate(workers):
        clock.start(partial(started, partial(worker, who, steps)))
    clock.at(0, lambda: clock.process(process()))
    clock.stop_at(END, first=True)
    clock.run_to_end()
    clock.finish(alive)
    return log


def plain(workers, events):
    """The same by definition: entries run in order of time, those of one instant in the order in
    which they were made.
    """
    agenda: list[tuple] = []
    asleep: list[str] = []
    log: list[tuple] = []
    order = count()
    state = {who: list(enumerate(steps)) for who, steps in enumerate(workers)}
    naps = count()

    def put(at, who, step=None):
        insort(agenda, (at, next(order), who, step), key=lambda entry: entry[:2])

    def run(who, now):
        while state[who]:
            step, wait = state[who].pop(0)
            if wait != WAKE:
                put(now + wait, who, step)
                break
            if asleep:
                asleep.pop()
                put(now, "sleeper", next(naps))

    put(0, "sleeper")
    for who in state:
        put(0, who)
    put(0, "event")
    while agenda:
        now, _, who, step = agenda.pop(0)
        if step is not None:
            log.append((now, who, step))
        if who == "sleeper":
            asleep.append(who)
        elif who == "event":
            following = 0 if step is None else step + 1
            if following < len(events):
                put(now + events[following], who, following)
        else:
            run(who, now)
    return log


@given(some.lists(waits, max_size=5), some.lists(some.integers(1, 6), max_size=8))
def test_entries_run_in_order(workers, events):
    assert ours(workers, events) == plain(workers, events)


def test_events_of_simpy_share_an_instant_with_greenlets():
    assert ours([[5, 5], [5, 5]], [5, 5]) == plain([[5, 5], [5, 5]], [5, 5])


@pytest.mark.parametrize("others", [0, 1, 3])
def test_no_wait_returns_once_the_run_is_over(others):
    clock = Clock()
    alive = []
    after = []

    def stubborn():
        alive.append(greenlet.getcurrent())
        try:
            clock.wait_until(END + 1)
        finally:
            for later in (0, 1, END):
                try:
                    clock.wait_until(clock.moment + later)
                    after.append(later)
                except greenlet.GreenletExit:
                    pass

    for _ in range(1 + others):
        clock.start(stubborn)
    clock.stop_at(END, first=True)
    clock.run_to_end()
    clock.finish(alive)
    assert after == []
    assert all(one.dead for one in alive)
