"""For tests that compare real time: they go before other programs, and know what the machine held
up all the same.

A busy machine makes everything late, and a row that came late says nothing of a model. ``first``
has the system run a thread, and all threads and programs that it starts, before anybody else's
where that is allowed, as it is to root on Linux; what was late nevertheless is known from
``watched``, a thread with nothing to do but to wake in time. Knows nothing of what is compared.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

STALLED_S = 0.02
"""A machine that wakes somebody so late has had other things to do."""

PACE_S = 0.01
PASSES = 6

Alone = Callable[[], AbstractContextManager[None]]
"""Makes a block in which no other test of this run runs."""


@contextmanager
def first() -> Iterator[bool]:
    """This thread, and what it starts meanwhile, goes before other programs; False where the system
    does not allow it.
    """
    try:
        before = os.sched_getscheduler(0), os.sched_getparam(0)
        os.sched_setscheduler(
            0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR))
        )
    except (AttributeError, OSError):  # not Linux, or not root
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setscheduler(0, *before)


@contextmanager
def watched() -> Iterator[list[float]]:
    """Seconds by which a thread woke too late, each time that it woke: the machine's own share in
    whatever comes late.
    """
    late = [0.0]
    over = threading.Event()  # something, if all is over at once

    def watch() -> None:
        due = time.monotonic() + PACE_S
        while not over.wait(max(0.0, due - time.monotonic())):
            now = time.monotonic()
            late.append(max(0.0, now - due))
            due = now + PACE_S

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield late
    finally:
        over.set()
        thread.join()


def takes_less_than(seconds: float, measure: Callable[[], float], alone: Alone) -> None:
    """``measure()`` says how long something took; what took too long while the machine stood still
    is done again, alone.
    """
    for turn in range(PASSES):
        with alone() if turn else nullcontext(), first() as undisturbed, watched() as late:
            took = measure()
        if took < seconds:
            return
        print(
            f"pass {turn + 1} took {took:.3f} s; the machine stood still for up to {max(late):.3f} s"
        )
        assert max(late) >= STALLED_S or not (undisturbed or turn), (
            f"{took:.3f} s, on a machine that had nothing else to do"
        )
    raise AssertionError(f"not once in less than {seconds:g} s")
