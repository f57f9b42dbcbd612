"""The recorder's rows that happened before a run's end, in order of time, as what is counted from them needs them.

Columns of numbers where there are many rows, the rows themselves for whoever asks. Knows nothing of results or of the door.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from operator import itemgetter
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..records import Incident, Login
from . import statistics as st
from .recorder import Recorder
from .submitted import came_at, first_times

Row = TypeVar("Row", bound=tuple[object, ...])


class Rows:
    """The rows of ``recorder`` up to ``last``, a time in microseconds; ``submitted`` as in Facts, ``given_up`` too.

    ``acceptances`` has the times and the connections of every acceptance, ``first_at`` the time of each message's first, in
    order of time, and ``waits`` how long each accepted message took from its submission, the shortest first.
    """

    def __init__(self, recorder: Recorder, last: int, submitted: Mapping[str, int], given_up: frozenset[str]) -> None:
        self._opened, self.opened_at = _in_order(recorder.raw_opened, last)
        self._logins, self.logins_at = _in_order(recorder.raw_logins, last)
        self.incidents: list[Incident] = sorted((row for row in recorder.incidents if row.at <= last), key=itemgetter(0))
        self.acceptances, first = _acceptances(recorder, last, submitted)
        came = came_at(submitted)
        accepted = first >= 0
        self.first_came = int(came.min(initial=st.NEVER))
        """The first submission, in microseconds."""
        self.first_at, self.waits = np.sort(first[accepted]), np.sort((first - came)[accepted])
        self.lost = _without(given_up, submitted, accepted)
        """The ids of the messages that the sender gave up and the relay never accepted."""
        self._closed_at = recorder.closed_at

    @cached_property
    def logins(self) -> list[Login]:
        """Every AUTH that was judged."""
        return list(map(Login._make, self._logins))

    @cached_property
    def outcomes(self) -> Counter[str]:
        """How many logins came to each outcome."""
        return Counter([row[4] for row in self._logins])

    @cached_property
    def refused(self) -> int:
        """How many connections were answered by a limit in place of the greeting."""
        return sum([row[3] is not None for row in self._opened])

    @cached_property
    def opened_by_ip(self) -> dict[str, st.Times]:
        """The times at which TCP accepted a connection of each IP."""
        return _by_key([row[2] for row in self._opened], self.opened_at)

    @cached_property
    def logins_by_username(self) -> dict[str, st.Times]:
        """The times of the logins of each username."""
        return _by_key([row[3] for row in self._logins], self.logins_at)

    def open_steps(self, never: int) -> tuple[st.Times, NDArray[np.int64]]:
        """How many connections are open, as a step function; one that was not closed ends at ``never``."""
        find = self._closed_at.get
        ends = np.array([find(row[1], never) for row in self._opened], dtype=np.int64)
        return st.steps(self.opened_at, np.sort(np.minimum(ends, never)))


def _in_order(rows: list[Row], last: int) -> tuple[list[Row], st.Times]:
    """The rows up to ``last`` in order of time, which stands in front of each, and the times."""
    at = np.array([row[0] for row in rows], dtype=np.int64)
    if not len(at) or (at[-1] <= last and (at[1:] >= at[:-1]).all()):
        return rows, at
    places = np.argsort(at, kind="stable")
    places = places[: np.searchsorted(at[places], last, side="right")]
    return [rows[place] for place in places.tolist()], at[places]


def _acceptances(recorder: Recorder, last: int, submitted: Mapping[str, int]) -> tuple[tuple[st.Times, st.Times], st.Times]:
    """Every acceptance in order of time, and the first of each message by its place."""
    at, on = np.array(recorder.accepted_at, dtype=np.int64), np.array(recorder.accepted_on, dtype=np.int64)
    order = np.argsort(at, kind="stable")
    order = order[: np.searchsorted(at[order], last, side="right")]
    return (at[order], on[order]), first_times(submitted, recorder.accepted_ids, at, order)


def _without(given_up: frozenset[str], submitted: Mapping[str, int], accepted: NDArray[np.bool_]) -> frozenset[str]:
    if not given_up:
        return given_up
    return frozenset(
        message for message, one in zip(submitted, accepted.tolist(), strict=True) if not one and message in given_up
    )


def _by_key(keys: list[str], at: st.Times) -> dict[str, st.Times]:
    names = dict.fromkeys(keys)
    if len(names) < 2:
        return dict.fromkeys(names, at)
    moments: dict[str, list[int]] = {name: [] for name in names}
    for key, moment in zip(keys, at.tolist(), strict=True):
        moments[key].append(moment)
    return {name: np.array(times, dtype=np.int64) for name, times in moments.items()}
