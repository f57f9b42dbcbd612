"""Virtual time: greenlets that wait on SimPy's agenda, in integer microseconds.

A SimPy environment whose agenda also holds greenlets. A greenlet that waits costs no event object,
none at all when nobody else is due before it, and switches straight to the next one that is due.
SimPy's own events and processes run beside them. Knows nothing of relays or senders.
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
"""Calls at one virtual instant after which a run is taken to be stuck; a second or so of real time.
"""

PATIENT_EXITS = 1_000
"""How often a greenlet may swallow its own end before it is left where it is."""

OTHER_THREAD = "used its sender in a thread of its own; start further workers with sender.spawn()"

FIRST = 0
NORMAL = 1
LAST = 2


class Stop:
    """An entry of the agenda at which the run stops."""


END: Any = (1 << 62, LAST, 0, Stop)
"""The last entry of every agenda, at a time in microseconds that no run reaches, so that there
always is one.
"""


class Clock(simpy.Environment):
    """The agenda. Its time is integer microseconds from 0; only the hub, the greenlet that called
    ``run_to_end``, runs events.
    """

    moment = 0
    """The time, as an int; what SimPy calls ``now``."""

    def __init__(self) -> None:
        super().__init__(initial_time=0)
        self._queue.append(END)
        self._hub: greenlet = getcurrent()
        self._order = (
            self._eid
        )  # one count for events and greenlets, so that what is due at one instant keeps its order
        self._instant = -1
        self._calls = 0
        self._exits: dict[greenlet, int] = {}
        self.thread = get_ident()  # whose greenlets these are
        # The entry that is due next, kept out of the heap where that saves its moves: two workers
        # that take turns need none.
        self._next: Any = None
        self.over = False

    @property
    def _now(self) -> int:
        """SimPy's own field for the time; one that is written once instead of two."""
        return self.moment

    @_now.setter
    def _now(self, at: float) -> None:
        self.moment = int(at)

    def schedule(self, event: simpy.Event, priority: Any = NORMAL, delay: float = 0) -> None:
        """As in simpy.Environment."""
        self._complete()
        super().schedule(event, priority, delay)

    def wait_until(self, at: int) -> None:
        """Called by a greenlet: goes on when it is ``at``, after everything that was due by then
        before this call.
        """
        due = self._next
        if due is None:
            due = self._first()
        if (
            due[0] > at
        ):  # nobody is due before, so no event is needed; the agenda holds at least the run's Stop
            self.moment = at
            return
        if at == self.moment:
            self.tick()
        # In with this one and out with whoever is due next, in one step.
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
        """Called by a greenlet: waits until somebody wakes it."""
        if self.over:
            self._exit()
        self._pass_on()

    def check_thread(self) -> None:
        """StrategyError in a thread of the strategy's own: greenlets cannot switch to one of
        another thread.
        """
        if get_ident() != self.thread:
            raise StrategyError(OTHER_THREAD)

    def wake(self, sleeper: greenlet) -> None:
        """Lets a parked greenlet go on at this instant, after what is due now already."""
        self._complete()
        heappush(self._queue, (self.moment, NORMAL, next(self._order), sleeper))  # type: ignore[misc]

    def start(self, function: Callable[[], None]) -> None:
        """Starts a greenlet at this instant."""
        # From the hub, since a new greenlet inherits the recursion depth of whoever switches to it
        # first.
        self.at(self.moment, lambda: greenlet(function, self._hub).switch())

    def at(self, moment: int, call: Callable[[], object], *, priority: int = NORMAL) -> None:
        """Has the hub call ``call`` at ``moment``."""
        self._complete()
        heappush(self._queue, (moment, priority, next(self._order), call))  # type: ignore[misc]

    def stop_at(self, moment: int, *, first: bool) -> None:
        """Stops the run at ``moment``: before (``first``) or after everything that is due then."""
        self._complete()
        heappush(self._queue, (moment, FIRST if first else LAST, next(self._order), Stop))  # type: ignore[misc]

    def tick(self) -> None:
        """Counts a call that takes no time; StrategyError when there are too many at one instant."""
        if self.moment != self._instant:
            if self.over:
                self._exit()
            self._instant = self.moment
            self._calls = 0
        self._calls += 1
        if self._calls > MOST_CALLS:
            raise StrategyError(
                f"made {MOST_CALLS:,} calls at {self.moment / 1e6:g} s without time passing; a loop needs sender.sleep()"
            )

    def run_to_end(self) -> None:
        """Runs what is due, in order of time, until a Stop."""
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
        """Ends every greenlet that is still alive, so that its ``finally`` runs; one that will not
        end is left.
        """
        self.over = True
        self._instant = -1
        self._next, self._queue[:] = (-1, FIRST, -1, Stop), [END]
        for one in alive:
            if one and not one.dead:
                one.throw(GreenletExit)

    def _exit(self) -> None:
        me = getcurrent()
        self._exits[me] = self._exits.get(me, 0) + 1
        if self._exits[me] > PATIENT_EXITS:
            self._hub.switch()
        raise GreenletExit

    def _complete(self) -> None:
        """The heap alone holds the whole agenda again."""
        if self._next is not None:
            heappush(self._queue, self._next)
            self._next = None

    def _first(self) -> Any:
        """Takes the entry that is due next out of the heap, if the agenda is in the heap alone."""
        self._next = heappop(self._queue)
        return self._next

    def _leave_to_hub(self, due: Any) -> None:
        """Has the hub go on with ``due``; returns when it is this greenlet's turn again."""
        if self.over:
            self._next = due
            self._exit()
        heappush(self._queue, due)
        self._hub.switch()

    def _pass_on(self) -> None:
        """Switches to whoever is due next; returns when it is this greenlet's turn again."""
        self._complete()
        queue = self._queue
        thing: Any = queue[0][3]
        if type(thing) is greenlet:
            self.moment = heappop(queue)[0]  # type: ignore[assignment]
            if thing is not getcurrent():
                thing.switch()
        else:
            self._hub.switch()
