"""Virtual time: greenlets that wait on SimPy's agenda, in integer microseconds.

:class:`Clock` is a SimPy environment whose agenda also holds greenlets. SimPy's own events and
processes run next to them. Knows nothing of relays or senders.

Why greenlets: a strategy is an ordinary function that calls ``sender.sleep()`` in the middle of a
loop. A greenlet can stop there, without generators or ``async`` in the user's code.

Why not only SimPy: its cost is its event objects. A ``timeout`` makes an Event with a list of
callbacks, goes through the heap and resumes a generator, although most waits of a run only move the
time of one worker. So here

- a wait makes no event. Its entry on the agenda is a tuple that ends in the greenlet.
- a wait needs no entry at all if no other entry is due before it: then only the time changes.
- a greenlet switches straight to the next one that is due, not by way of a loop.

Why integer microseconds: a limit's window ends at an exact instant, and a sum of float seconds
lands before or after it (0.1 + 0.2 > 0.3). Integers also compare and add faster.

How an entry looks: (time, priority, order, thing). ``order`` counts up, so entries of one instant
run in the order in which they were made, and a comparison never reaches the thing. A thing is a
greenlet, a function, a SimPy event or :class:`Stop`.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush, heapreplace
from threading import get_ident
from typing import Any

import simpy
from greenlet import GreenletExit, getcurrent, greenlet

from ..errors import StrategyError

MOST_CALLS = 1_000_000
"""After this many calls at one virtual instant a run counts as stuck: about 1 s of real time."""

PATIENT_EXITS = 1_000
"""How often a greenlet may swallow GreenletExit before it is left where it is."""

OTHER_THREAD = "used its sender in a thread of its own; start further workers with sender.spawn()"

FIRST = 0
NORMAL = 1
LAST = 2


class Stop:
    """The thing of an entry at which the run stops."""


END: Any = (1 << 62, LAST, 0, Stop)
"""The last entry of every agenda, at a time that no run reaches. With it the agenda is never empty,
so no look at its first entry needs a check.
"""


class Clock(simpy.Environment):
    """The agenda. Its time starts at 0. Only the hub, the greenlet that called ``run_to_end``, runs
    SimPy's events and functions.
    """

    moment = 0
    """The time, as an int; the same as SimPy's ``now``."""

    def __init__(self) -> None:
        super().__init__(initial_time=0)
        self._queue.append(END)
        self._hub: greenlet = getcurrent()
        # SimPy's own count of entries, so that its events and greenlets share one order.
        self._order = self._eid
        self._instant = -1
        self._calls = 0
        self._exits: dict[greenlet, int] = {}
        self.thread = get_ident()  # greenlets cannot switch to those of another thread
        # The first entry of the agenda, where it is kept out of the heap. A wait has to know the
        # entry that is due next. If that is later than the wait, it stays here for the following
        # wait, and a busy worker never touches the heap. If it is earlier, its greenlet runs next
        # and the waiting one takes its place: in this field if it comes first, so that two workers
        # that take turns never touch the heap either; else in the heap by one heapreplace, which
        # costs half of a pop and a push. All other methods call _complete() first, which puts the
        # entry back into the heap.
        self._next: Any = None
        self.over = False

    @property
    def _now(self) -> int:
        """SimPy's own field for the time. A property, so that a wait writes one field, not two."""
        return self.moment

    @_now.setter
    def _now(self, at: float) -> None:
        self.moment = int(at)

    def schedule(self, event: simpy.Event, priority: Any = NORMAL, delay: float = 0) -> None:
        self._complete()
        super().schedule(event, priority, delay)

    def wait_until(self, at: int) -> None:
        """Called by a greenlet: returns at the time ``at``, after all entries up to then that were
        on the agenda before this call.
        """
        due = self._next
        if due is None:
            due = self._first()
        if due[0] > at:
            # No other code runs before that, so none can see the time in between. The run's own
            # Stop is on the agenda, so a wait beyond the horizon does not get here.
            self.moment = at
            return
        if at == self.moment:
            self.tick()  # a loop of such waits would never end
        queue = self._queue
        mine: Any = (at, NORMAL, next(self._order), getcurrent())
        self._next = mine if at < queue[0][0] else heapreplace(queue, mine)
        sleeper = due[3]
        if type(sleeper) is greenlet:
            self.moment = due[0]
            sleeper.switch()
        else:
            self._leave_to_hub(due)

    def park(self) -> None:
        """Called by a greenlet: waits for ``wake``."""
        if self.over:
            self._exit()
        self._pass_on()

    def check_thread(self) -> None:
        """StrategyError in a thread that the strategy started."""
        if get_ident() != self.thread:
            raise StrategyError(OTHER_THREAD)

    def wake(self, sleeper: greenlet) -> None:
        """Continues a parked greenlet at this instant, after all entries that are due now."""
        self._push(self.moment, NORMAL, sleeper)

    def start(self, function: Callable[[], None]) -> None:
        """Starts a greenlet at this instant."""
        # From the hub, because a new greenlet inherits the recursion depth of the one that first
        # switches to it: a chain of workers that each spawn the next would overflow.
        self.at(self.moment, lambda: greenlet(function, self._hub).switch())

    def at(self, moment: int, call: Callable[[], object], *, priority: int = NORMAL) -> None:
        """Makes the hub call ``call`` at ``moment``."""
        self._push(moment, priority, call)

    def stop_at(self, moment: int, *, first: bool) -> None:
        """Stops the run at ``moment``, before (``first``) or after all other entries of then."""
        self._push(moment, FIRST if first else LAST, Stop)

    def tick(self) -> None:
        """Counts a call that takes no time. StrategyError if there are too many at one instant."""
        if self.moment != self._instant:
            if self.over:
                self._exit()
            self._instant = self.moment
            self._calls = 0
        self._calls += 1
        if self._calls > MOST_CALLS:
            raise StrategyError(
                f"made {MOST_CALLS:,} calls at {self.moment / 1e6:g} s without time passing; "
                "a loop needs sender.sleep()"
            )

    def run_to_end(self) -> None:
        """Runs the entries of the agenda in order, up to a Stop."""
        queue = self._queue
        while True:
            self._complete()
            thing: Any = queue[0][3]
            if isinstance(thing, simpy.Event):
                self.step()
                continue
            self.moment = heappop(queue)[0]  # type: ignore[assignment]
            if thing is Stop:
                return
            if isinstance(thing, greenlet):
                thing.switch()
            else:
                thing()

    def finish(self, alive: list[greenlet]) -> None:
        """Ends each greenlet that is still alive, so that its ``finally`` runs and it is not
        leaked. One that swallows GreenletExit again and again is left.
        """
        self.over = True
        self._instant = -1
        # A first entry in the past, so that each further wait ends in _leave_to_hub, which raises.
        self._next = (-1, FIRST, -1, Stop)
        self._queue[:] = [END]
        for one in alive:
            if one and not one.dead:
                one.throw(GreenletExit)

    def _exit(self) -> None:
        me = getcurrent()
        self._exits[me] = self._exits.get(me, 0) + 1
        if self._exits[me] > PATIENT_EXITS:
            self._hub.switch()
        raise GreenletExit

    def _push(self, moment: int, priority: int, thing: object) -> None:
        self._complete()
        entry: Any = (moment, priority, next(self._order), thing)  # SimPy expects an Event
        heappush(self._queue, entry)

    def _complete(self) -> None:
        """Puts ``_next`` back into the heap, which then holds the whole agenda."""
        if self._next is not None:
            heappush(self._queue, self._next)
            self._next = None

    def _first(self) -> Any:
        """Takes the first entry out of the heap, which holds the whole agenda."""
        self._next = heappop(self._queue)
        return self._next

    def _leave_to_hub(self, due: Any) -> None:
        """Makes the hub continue with ``due``; returns when this greenlet is due."""
        if self.over:
            self._next = due
            self._exit()
        heappush(self._queue, due)
        self._hub.switch()

    def _pass_on(self) -> None:
        """Switches to the thing that is due next; returns when this greenlet is woken."""
        self._complete()
        queue = self._queue
        thing: Any = queue[0][3]
        if type(thing) is greenlet:
            self.moment = heappop(queue)[0]  # type: ignore[assignment]
            if thing is not getcurrent():
                thing.switch()
        else:
            self._hub.switch()
