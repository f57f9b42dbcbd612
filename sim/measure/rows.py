"""The recorder's rows that happened before a run's end, in order of time, as what is counted from
them needs them.

Columns of numbers where there are many rows, the rows themselves for whoever asks. Knows nothing of
results or of the door.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import KeysView, Mapping
from functools import cached_property
from itertools import repeat
from operator import itemgetter
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..records import Incident, Login
from . import statistics as st
from .recorder import Recorder
from .submitted import came_at, first_times

Value = TypeVar("Value")


class Rows:
    """The rows of ``recorder`` up to ``last``, a time in microseconds; ``submitted`` as in Facts,
    ``given_up`` too.

    ``acceptances`` has the times and the connections of every acceptance, ``first_at`` the time of
    each message's first, in order of time, and ``waits`` how long each accepted message took from
    its submission, the shortest first.
    """

    def __init__(
        self, recorder: Recorder, last: int, submitted: Mapping[str, int], given_up: frozenset[str]
    ) -> None:
        self._recorder = recorder
        self.opened_at, self._opened_order = _in_order(recorder.opened_at, last)
        self.logins_at, self._logins_order = _in_order(recorder.login_at, last)
        self.incidents: list[Incident] = sorted(
            (row for row in recorder.incidents if row.at <= last), key=itemgetter(0)
        )
        self.acceptances, first = _acceptances(recorder, last, submitted)
        came = came_at(submitted)
        accepted = first >= 0
        self.first_came = int(came.min(initial=st.NEVER))
        """The first submission, in microseconds."""
        self.first_at = np.sort(first[accepted])
        self.waits = np.sort((first - came)[accepted])
        self.lost = _without(given_up, submitted, accepted)
        """The ids of the messages that the sender gave up and the relay never accepted, in the
        order in which they came.
        """

    @cached_property
    def logins(self) -> list[Login]:
        """Every AUTH that was judged."""
        rows = self._recorder.logins
        return [rows[place] for place in self._logins_order.tolist()]

    @cached_property
    def outcomes(self) -> Counter[str]:
        """How many logins came to each outcome."""
        return Counter(_taken(self._recorder.login_outcomes, self._logins_order))

    @cached_property
    def refused(self) -> int:
        """How many connections were answered by a limit in place of the greeting."""
        answers = _taken(self._recorder.opened_refused, self._opened_order)
        return len(answers) - answers.count(None)

    @cached_property
    def opened_by_ip(self) -> dict[str, st.Times]:
        """The times at which TCP accepted a connection of each IP."""
        return _by_key(_taken(self._recorder.opened_ips, self._opened_order), self.opened_at)

    @cached_property
    def logins_by_username(self) -> dict[str, st.Times]:
        """The times of the logins of each username."""
        return _by_key(_taken(self._recorder.login_usernames, self._logins_order), self.logins_at)

    def open_steps(self, never: int) -> tuple[st.Times, NDArray[np.int64]]:
        """How many connections are open, as a step function; one that was not closed ends at
        ``never``.
        """
        find = self._recorder.closed_at.get
        numbers = _taken(self._recorder.opened_on, self._opened_order)
        ends = np.array(list(map(find, numbers, repeat(never))), dtype=np.int64)
        return st.steps(self.opened_at, np.sort(np.minimum(ends, never)))


def _in_order(moments: list[int], last: int) -> tuple[st.Times, st.Times]:
    """Those up to ``last`` in order of time, and where each stands in ``moments``."""
    at = np.array(moments, dtype=np.int64)
    order = np.argsort(at, kind="stable")
    order = order[: np.searchsorted(at, last, side="right", sorter=order)]
    return at[order], order


def _taken(column: list[Value], order: st.Times) -> list[Value]:
    """The values of ``column`` in that order."""
    count = len(order)
    if (order == np.arange(count)).all():
        return column[:count]
    return [column[place] for place in order.tolist()]


def _acceptances(
    recorder: Recorder, last: int, submitted: Mapping[str, int]
) -> tuple[tuple[st.Times, st.Times], st.Times]:
    """Every acceptance in order of time, and the first of each message by its place."""
    at, order = _in_order(recorder.accepted_at, last)
    on = np.array(recorder.accepted_on, dtype=np.int64)[order]
    return (at, on), first_times(submitted, recorder.accepted_ids, at, order)


def _without(
    given_up: frozenset[str], submitted: Mapping[str, int], accepted: NDArray[np.bool_]
) -> KeysView[str]:
    judged = zip(submitted, accepted.tolist(), strict=True) if given_up else ()
    return dict.fromkeys(
        message for message, one in judged if not one and message in given_up
    ).keys()


def _by_key(keys: list[str], at: st.Times) -> dict[str, st.Times]:
    names = dict.fromkeys(keys)
    if len(names) < 2:
        return dict.fromkeys(names, at)
    moments: dict[str, list[int]] = {name: [] for name in names}
    for key, moment in zip(keys, at.tolist(), strict=True):
        moments[key].append(moment)
    return {name: np.array(times, dtype=np.int64) for name, times in moments.items()}
