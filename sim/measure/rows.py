"""Counts of a run in virtual time, from the rows that its ``Recorder`` kept: ``Rows.counts``.

Rows can be out of order and can lie after the run's end; ``Rows`` sorts them and leaves those out.
Wherever there can be a row for each message, columns of numbers are used instead of objects:
building the result is about a quarter of the time of a large run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, KeysView, Mapping, Sequence
from functools import cached_property
from itertools import islice, repeat
from operator import itemgetter
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..limits import Key
from ..records import BlockRow, Incident, Login
from ..relay.kinds import (
    CONNECTION,
    IP,
    KINDS,
    LOGINS_PER_USERNAME,
    USERNAME,
    ForEach,
    Kind,
    WindowSpec,
)
from . import statistics as st
from .counts import Counts, PerBin, RunInfo, counts_messages, was_counted
from .diagnosis import RefusalStats
from .recorder import Recorder
from .result import LOG_CUT, NAMED

Value = TypeVar("Value")


class SequentialIds(Mapping[str, int]):
    """Messages with the ids "1", "2" and so on, and the time at which each was submitted:
    ``arrived``, ascending microseconds.

    A dict of 100,000 messages would take longer to make than everything that is counted from it.
    """

    __slots__ = ("arrived",)

    def __init__(self, arrived: Sequence[int]) -> None:
        self.arrived = arrived

    def __getitem__(self, message: str) -> int:
        place = int(message) - 1 if message.isdecimal() and message.isascii() else -1
        if 0 <= place < len(self.arrived) and message == str(place + 1):
            return self.arrived[place]
        raise KeyError(message)

    def __iter__(self) -> Iterator[str]:
        return map(str, range(1, len(self.arrived) + 1))

    def __len__(self) -> int:
        return len(self.arrived)


class Requests(NamedTuple):
    """Requests that a limit can count, as columns in order of time."""

    at: st.Times
    connections: Sequence[int]
    ips: Sequence[str]
    usernames: Sequence[str | None]

    def keys(self, for_each: ForEach) -> Sequence[Key]:
        """The key of each request."""
        # The usual keys are a column already; a call for each row would take much longer.
        if for_each is IP:
            return self.ips
        if for_each is CONNECTION:
            return self.connections
        if for_each is USERNAME and None not in self.usernames:
            return self.usernames
        return list(map(for_each.key, self.connections, self.ips, self.usernames))

    def by_key(self, for_each: ForEach) -> dict[Key, st.Times]:
        """The times of each key's requests."""
        keys = self.keys(for_each)
        names = dict.fromkeys(keys)
        if len(names) < 2:
            return dict.fromkeys(names, self.at)
        moments: dict[Key, list[int]] = {name: [] for name in names}
        for key, moment in zip(keys, self.at.tolist(), strict=True):
            moments[key].append(moment)
        return {name: np.array(times, dtype=np.int64) for name, times in moments.items()}


class Rows:
    """The rows of ``recorder`` that belong to the run.

    ``submitted`` maps the id of each message to the time at which it was submitted; ``given_up``
    are the ids that the sender gave up, whether or not the relay accepted them.
    """

    def __init__(
        self,
        recorder: Recorder,
        info: RunInfo,
        submitted: Mapping[str, int],
        given_up: frozenset[str],
    ) -> None:
        self._recorder = recorder
        self._info = info
        self._submitted = len(submitted)
        last = info.last
        self._opened_at, self._opened_order = _in_order(recorder.opened_at, last)
        self._logins_at, self._logins_order = _in_order(recorder.login_at, last)
        self._accepted_at, self._accepted_order = _in_order(recorder.accepted_at, last)
        self._incidents: list[Incident] = sorted(
            (row for row in recorder.incidents if row.at <= last), key=itemgetter(0)
        )
        self._refused: dict[
            str, list[Incident]
        ] = {}  # by limit, in the order of their first refusals
        for row in self._incidents:
            self._refused.setdefault(row.limit, []).append(row)
        self._blocks: list[BlockRow] = [row for row in recorder.blocks if row.from_ <= info.end]
        self._times_of: dict[str, dict[Key, st.Times]] = {}

        first = _first_times(
            submitted, recorder.accepted_ids, self._accepted_at, self._accepted_order
        )
        came = _came_at(submitted)
        accepted = first >= 0
        self._first_came = int(came.min(initial=st.NEVER))
        self._first_at = np.sort(first[accepted])  # the first acceptance of each message
        self._waits = np.sort((first - came)[accepted])
        self._lost = _lost(given_up, submitted, accepted)

    def counts(self) -> Counts:
        """Everything that the result of the run needs."""
        info = self._info
        first_at = self._first_at
        open_steps = self._open_steps(info.end + 1)
        outcomes = Counter(_taken(self._recorder.login_outcomes, self._logins_order))
        answers = _taken(self._recorder.opened_refused, self._opened_order)
        return Counts(
            submitted=self._submitted,
            accepted=len(first_at),
            lost=len(self._lost),
            duplicated=len(self._accepted_at) - len(first_at),
            span=int(first_at[-1]) - self._first_came if len(first_at) else 0,
            peak_accepted=st.busiest(first_at),
            opened=len(answers),
            refused=len(answers) - answers.count(None),
            most_open=int(open_steps[1].max(initial=0)),
            peak_opened=st.busiest(self._opened_at),
            outcomes=outcomes,
            peak_logins=st.busiest(self._logins_at),
            by_limit={limit: len(rows) for limit, rows in self._refused.items()},
            by_code=Counter(row.code for row in self._incidents),
            log=self._incidents[:LOG_CUT],
            blocks=self._blocks,
            refusals=[self._refusal(KINDS[name], rows) for name, rows in self._refused.items()],
            per_bin=self._per_bin(open_steps),
            waits=self._waits,
            first_lost=tuple(islice(self._lost, NAMED)),
        )

    # Requests, as each kind of limit counts them.

    def _requests(self, kind: Kind) -> Requests:
        """The requests that ``kind`` counts, refused ones included."""
        match kind.counts.at:
            case "connect":
                return self._connections
            case "login":
                return self._logins
            case "wrong-password":
                return self._failures
        return self._messages(kind)

    def _times(self, kind: Kind) -> dict[Key, st.Times]:
        """The times of each key's requests."""
        found = self._times_of.get(kind.name)
        if found is None:
            found = self._times_of[kind.name] = self._requests(kind).by_key(kind.for_each)
        return found

    @cached_property
    def _connections(self) -> Requests:
        recorder = self._recorder
        order = self._opened_order
        numbers = _taken(recorder.opened_on, order)
        return Requests(
            self._opened_at, numbers, _taken(recorder.opened_ips, order), [None] * len(numbers)
        )

    @cached_property
    def _logins(self) -> Requests:
        recorder = self._recorder
        order = self._logins_order
        return Requests(
            self._logins_at,
            _taken(recorder.login_on, order),
            _taken(recorder.login_ips, order),
            _taken(recorder.login_usernames, order),
        )

    @cached_property
    def _failures(self) -> Requests:
        """The wrong passwords that limits counted.

        These are the ones answered with 535, and those that a limit refused because they exceeded
        it. A refusal during a block is not counted.
        """
        began = {(row.from_, row.ip) for row in self._blocks if KINDS[row.limit].failures}
        counted = [
            (row.at, row.ip, row.username or "", row.connection)
            for limit, rows in self._refused.items()
            if KINDS[limit].failures
            for row in rows
            if was_counted(row, self._info.policy, began)
        ]
        if "failed" in self._recorder.login_outcomes:
            counted += [
                (row.at, row.ip, row.username, row.connection)
                for row in self._login_rows
                if row.outcome == "failed"
            ]
        counted.sort()
        at = np.array([row[0] for row in counted], dtype=np.int64)
        return Requests(
            at,
            [row[3] for row in counted],
            [row[1] for row in counted],
            [row[2] for row in counted],
        )

    def _messages(self, kind: Kind) -> Requests:
        """The accepted messages, and those that this limit refused.

        A transaction that ended without either left no row.
        """
        ips = dict(zip(self._recorder.opened_on, self._recorder.opened_ips, strict=True))
        usernames: dict[int, str | None] = {
            row.connection: row.username for row in self._login_rows if row.outcome == "accepted"
        }
        accepted = [
            (at, on, ips[on], usernames.get(on))
            for at, on in zip(self._accepted_at.tolist(), self._accepted_on.tolist(), strict=True)
        ]
        refused = [
            (row.at, row.connection, row.ip, row.username)
            for row in self._refused.get(kind.name, [])
        ]
        rows = sorted(accepted + refused, key=itemgetter(0))
        return Requests(
            np.array([row[0] for row in rows], dtype=np.int64),
            [row[1] for row in rows],
            [row[2] for row in rows],
            [row[3] for row in rows],
        )

    @cached_property
    def _login_rows(self) -> list[Login]:
        rows = self._recorder.logins
        return [rows[place] for place in self._logins_order.tolist()]

    @cached_property
    def _accepted_on(self) -> NDArray[np.int64]:
        """The connection of each acceptance."""
        return np.array(self._recorder.accepted_on, dtype=np.int64)[self._accepted_order]

    # Series.

    def _per_bin(self, open_steps: st.Levels) -> PerBin:
        policy = self._info.policy
        width, bins = st.bin_layout(self._info.end)
        in_window = {
            kind.name: self._timed_use(kind, spec.per, width, bins)
            if isinstance(spec, WindowSpec)
            else self._untimed_use(kind, spec.count, width, bins)
            for kind, spec in policy.by_kind()
        }
        logins = in_window.get(LOGINS_PER_USERNAME.name)
        if logins is None:
            logins = self._timed_use(LOGINS_PER_USERNAME, st.MINUTE, width, bins)
        return PerBin(
            accepted=st.per_bin(self._first_at, width, bins),
            incidents={
                name: st.per_bin(np.array([row.at for row in rows], dtype=np.int64), width, bins)
                for name, rows in self._refused.items()
            },
            open_connections=st.most_per_bin(open_steps, width, bins),
            logins_in_window=list(logins),
            in_window=in_window,
        )

    def _timed_use(self, kind: Kind, per: int, width: int, bins: int) -> list[int]:
        """The requests of the busiest key in the last ``per``."""
        requests = self._times(kind)
        if not kind.consecutive:
            levels = [st.in_window(times, per) for times in requests.values()]
        else:
            resets = self._resets(kind) if requests else {}
            levels = [
                part
                for key, times in requests.items()
                for part in st.in_window_since(times, per, sorted(resets.get(key, [])))
            ]
        return st.highest_per_bin(levels, width, bins)

    def _resets(self, kind: Kind) -> dict[Key, list[int]]:
        """When the count of each key was set back to 0: at successful logins and at the ends of
        blocks.
        """
        key = kind.for_each.key
        resets: dict[Key, list[int]] = {}
        for row in self._login_rows:
            if row.outcome == "accepted":
                resets.setdefault(kind.key(row), []).append(row.at)
        for block in self._blocks:
            if block.limit == kind.name:
                resets.setdefault(key(0, block.ip or "", block.username), []).append(block.until)
        return resets

    def _untimed_use(self, kind: Kind, count: int, width: int, bins: int) -> list[int]:
        """How much the busiest key has used up, at each moment at which a key uses more.

        Only refusals show transactions that ended without an acceptance, so a refused request is
        count + 1 even if fewer were accepted before it.
        """
        if kind.per_connection and counts_messages(kind):  # no objects for each message
            at = self._accepted_at
            keys = self._accepted_on
        else:
            requests = self._requests(kind)
            at = requests.at
            keys = _numbered(requests.keys(kind.for_each))
        most = st.moments_per_bin(at, st.running_counts(keys), width, bins)
        refused = [row.at for row in self._refused.get(kind.name, [])]
        if not refused:
            return most
        level = np.full(len(refused), count + 1, dtype=np.int64)
        over = st.moments_per_bin(np.array(refused, dtype=np.int64), level, width, bins)
        return list(map(max, most, over))

    def _open_steps(self, never: int) -> st.Levels:
        """The number of open connections; one that was not closed ends at ``never``."""
        find = self._recorder.closed_at.get
        ends = np.array(list(map(find, self._connections.connections, repeat(never))), np.int64)
        return st.steps(self._opened_at, np.sort(np.minimum(ends, never)))

    # Refusals.

    def _refusal(self, kind: Kind, refused: list[Incident]) -> RefusalStats:
        first = refused[0]
        stats = RefusalStats(
            first,
            refusals=len(refused),
            last_at=refused[-1].at,
            keys=len({kind.key(row) for row in refused}),
            own_lost=len(self._lost & {row.message for row in refused if row.message}),
        )
        if kind.failures:
            wrong = self._failures.at
            return stats._replace(wrong=len(wrong), wrong_at=int(wrong[0]) if len(wrong) else 0)
        spec = self._info.policy.spec(kind.name)
        if not isinstance(spec, WindowSpec):
            return stats
        times = self._times(kind)[kind.key(first)]
        nth = int(((times > first.at - spec.per) & (times <= first.at)).sum())
        return stats._replace(nth=nth, need=st.busiest(times, spec.per))


def _in_order(moments: list[int], last: int) -> tuple[st.Times, st.Times]:
    """The times up to ``last`` in ascending order, and the place of each in ``moments``."""
    at = np.array(moments, dtype=np.int64)
    order = np.argsort(at, kind="stable")
    order = order[: np.searchsorted(at, last, side="right", sorter=order)]
    return at[order], order


def _taken(column: Sequence[Value], order: st.Times) -> Sequence[Value]:
    """The values of ``column`` in that order."""
    count = len(order)
    if (order == np.arange(count)).all():  # the usual case, and much faster
        return column[:count]
    return [column[place] for place in order.tolist()]


def _numbered(keys: Sequence[Key]) -> NDArray[np.int64]:
    """A number for each key."""
    numbers: dict[Key, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _came_at(submitted: Mapping[str, int]) -> st.Times:
    """The time at which each message was submitted, by place."""
    if not isinstance(submitted, SequentialIds):
        return np.array(list(submitted.values()), dtype=np.int64)
    arrived = submitted.arrived
    if len(arrived) and arrived[0] == arrived[-1]:  # ascending, so all came at once
        return np.full(len(arrived), arrived[0], dtype=np.int64)
    return np.array(arrived, dtype=np.int64)


def _first_times(
    submitted: Mapping[str, int], ids: Sequence[str | None], at: st.Times, order: st.Times
) -> st.Times:
    """The time at which each message was first accepted, by place; -1 if it never was.

    ``at`` are the times of the acceptances and ``order`` their places in ``ids``. An acceptance
    without an id counts for no message. KeyError for an id that was not submitted.
    """
    first = np.full(len(submitted), -1, dtype=np.int64)
    if isinstance(submitted, SequentialIds):
        # All ids are converted before those after the end are left out: one pass without a branch
        # is faster, and ids after the end may be higher than the number of messages.
        numbers = np.fromiter(map(int, ids), np.int64, len(ids))  # type: ignore[arg-type]
        places = numbers[order] - 1
    else:
        by_id = {message: place for place, message in enumerate(submitted)}
        named = [
            None if (message := ids[place]) is None else by_id[message] for place in order.tolist()
        ]
        at = at[[place is not None for place in named]]
        places = np.array([place for place in named if place is not None], dtype=np.int64)
    # Backwards, because numpy keeps the last of several values that are assigned to one place.
    first[places[::-1]] = at[::-1]
    return first


def _lost(
    given_up: frozenset[str], submitted: Mapping[str, int], accepted: NDArray[np.bool_]
) -> KeysView[str]:
    """The ids that were given up and never accepted, in the order of submission."""
    judged = zip(submitted, accepted.tolist(), strict=True) if given_up else ()
    return dict.fromkeys(
        message for message, one in judged if not one and message in given_up
    ).keys()
