"""``Story``: the course of each connection, with its greeting, login, transactions, refusals and
end.

It is built from the recorder's rows when a figure needs it, not for a result. Times are integer
microseconds of the relay's clock; a step ends when the relay judges it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..records import BlockRow, Incident, Login, Opened
from ..relay.kinds import KINDS
from . import statistics as st
from .formatting import ordinal
from .recorder import Recorder

STEP_KINDS = ("greeting", "login", "transaction", "failed", "refused", "open")
"""The kinds of steps. ``failed`` is a 535, ``refused`` the answer of a limit, ``open`` the time
at the end of a connection in which nothing happened.
"""


class Step(NamedTuple):
    """One step of a connection, which starts at the end of the one before. ``what`` describes it;
    ``limit`` is the limit that refused it, if any.
    """

    from_: int
    until: int
    kind: str
    what: str
    limit: str | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """A connection from TCP to its end. ``ended`` is False for one that is open when the run ends,
    at ``until``.
    """

    connection: int
    ip: str
    username: str | None
    from_: int
    until: int
    ended: bool
    accepted: int
    steps: tuple[Step, ...]


class Story:
    """The rows of ``recorder`` by connection, up to ``last``, the last microsecond of the run."""

    def __init__(self, recorder: Recorder, last: int) -> None:
        self.recorder = recorder
        self.last = last

    @cached_property
    def opened(self) -> list[Opened]:
        """The connections that TCP accepted, in order of time."""
        return sorted(row for row in self.recorder.opened_rows if row.at <= self.last)

    @cached_property
    def logins(self) -> list[Login]:
        """The AUTH commands that were judged, in order of time."""
        return sorted(
            (row for row in self.recorder.logins if row.at <= self.last), key=lambda row: row.at
        )

    @cached_property
    def incidents(self) -> list[Incident]:
        """The refusals by limits, in the order of the result's log."""
        return sorted(
            (row for row in self.recorder.incidents if row.at <= self.last), key=lambda row: row.at
        )

    @property
    def blocks(self) -> list[BlockRow]:
        """The blocks that began."""
        return [row for row in self.recorder.blocks if row.from_ <= self.last]

    @cached_property
    def places(self) -> dict[int, int]:
        """The place of each connection in :attr:`opened`, by its number."""
        return {row.connection: place for place, row in enumerate(self.opened)}

    def accepted_on(self, connection: int) -> list[int]:
        """The times at which this connection's messages were accepted."""
        at, on, _ = self._acceptances
        low, high = np.searchsorted(on, [connection, connection + 1])
        return [int(moment) for moment in at[low:high]]

    def messages_on(self, connection: int) -> list[str | None]:
        """The ids of this connection's accepted messages, in order of time."""
        _, on, places = self._acceptances
        low, high = np.searchsorted(on, [connection, connection + 1])
        return [self.recorder.accepted_ids[place] for place in places[low:high]]

    def lives(self, first: int, count: int) -> list[Life]:
        """The lives of ``count`` connections from place ``first`` in :attr:`opened`."""
        return [self._life(row) for row in self.opened[max(0, first) : max(0, first) + count]]

    @cached_property
    def _acceptances(self) -> tuple[st.Times, st.Times, st.Times]:
        """The times, connections and places of all acceptances, by connection and then by time."""
        at = np.array(self.recorder.accepted_at, dtype=np.int64)
        on = np.array(self.recorder.accepted_on, dtype=np.int64)
        order = np.lexsort((at, on))
        order = order[at[order] <= self.last]
        return at[order], on[order], order

    @cached_property
    def _logins_on(self) -> dict[int, list[Login]]:
        found: dict[int, list[Login]] = {}
        for row in self.logins:
            found.setdefault(row.connection, []).append(row)
        return found

    @cached_property
    def _incidents_on(self) -> dict[int, list[Incident]]:
        found: dict[int, list[Incident]] = {}
        for row in self.incidents:
            found.setdefault(row.connection, []).append(row)
        return found

    def _life(self, row: Opened) -> Life:
        closed = self.recorder.closed_at.get(row.connection)
        ended = closed is not None and closed <= self.last
        until = closed if closed is not None and ended else self.last
        logins = self._logins_on.get(row.connection, [])
        accepted = self.accepted_on(row.connection)
        steps = tuple(self._steps(row, until, ended=ended))
        username = logins[-1].username if logins else None
        return Life(
            row.connection,
            row.ip,
            username,
            row.at,
            max(until, row.at),
            ended,
            len(accepted),
            steps,
        )

    def _steps(self, row: Opened, until: int, *, ended: bool) -> Iterator[Step]:
        number = row.connection
        before = row.at
        events = [
            (login.at, 1, self._login(login))
            for login in self._logins_on.get(number, [])
            if login.outcome != "refused"
        ]
        events += [
            (at, 2, ("transaction", f"{ordinal(count)} transaction: accepted", None))
            for count, at in enumerate(self.accepted_on(number), 1)
        ]
        events += [
            (one.at, 0, ("refused", _refused(one), one.limit))
            for one in self._incidents_on.get(number, [])
        ]
        for index, (at, _, (kind, what, limit)) in enumerate(
            sorted(events, key=lambda event: event[:2])
        ):
            if index == 0 and at > before:
                yield Step(before, at, "greeting", "TCP, greeting, EHLO and TLS")
                before = at if kind != "transaction" else before
            yield Step(before, at, kind, what, limit)
            before = at
        if until > before:
            yield Step(
                before,
                until,
                "open",
                "closed by its sender or the relay" if ended else "still open when the run ended",
            )

    @staticmethod
    def _login(login: Login) -> tuple[str, str, str | None]:
        if login.outcome == "accepted":
            return "login", f"login as {login.username}: accepted", None
        return "failed", f"login as {login.username}: 535, wrong password", None


def _refused(row: Incident) -> str:
    said = "dropped without a word" if row.code is None else f"{row.code} {row.text}"
    if row.message:
        return f"message {row.message}: {said}"
    if row.username and KINDS[row.limit].counts.at in ("login", "wrong-password"):
        return f"login: {said}"
    return said
