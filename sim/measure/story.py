"""What became of each connection, one after the other: greeting, login, every transaction, what a
limit refused, the end.

Made from the recorder's rows when somebody looks at them, never for a result. Times are integer
microseconds of the relay's clock: a step ends when the relay judged it. Knows nothing of figures or
of why a limit refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..records import BlockRow, Incident, Login, Opened
from . import statistics as st
from .recorder import Recorder
from .words import ordinal

KINDS = ("greeting", "login", "transaction", "failed", "refused", "open")
"""What a step can be. ``failed`` is a 535, ``refused`` a limit's answer, ``open`` a stretch at the
end in which nothing came.
"""


class Step(NamedTuple):
    """One step of a connection, from the end of the one before. ``what`` says it in words,
    ``limit`` names what refused.
    """

    from_: int
    until: int
    kind: str
    what: str
    limit: str | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """A connection from TCP to its end; ``ended`` False for one that outlives the run, whose
    ``until`` is the run's end.
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
    """The rows of ``recorder`` up to ``last`` (microseconds, the last instant that belongs to the
    run), by connection.
    """

    def __init__(self, recorder: Recorder, last: int) -> None:
        self.recorder = recorder
        self.last = last

    @cached_property
    def opened(self) -> list[Opened]:
        """Every connection that TCP accepted, in order of time."""
        return sorted(row for row in self.recorder.opened_rows if row.at <= self.last)

    @cached_property
    def logins(self) -> list[Login]:
        """Every AUTH that was judged, in order of time."""
        return sorted(
            (row for row in self.recorder.logins if row.at <= self.last), key=lambda row: row.at
        )

    @cached_property
    def incidents(self) -> list[Incident]:
        """Every refusal by a limit, in order of time, as the result's log has them."""
        return sorted(
            (row for row in self.recorder.incidents if row.at <= self.last), key=lambda row: row.at
        )

    @property
    def blocks(self) -> list[BlockRow]:
        """Every block that began."""
        return [row for row in self.recorder.blocks if row.from_ <= self.last]

    @cached_property
    def places(self) -> dict[int, int]:
        """Where each connection stands in :attr:`opened`, by its number."""
        return {row.connection: place for place, row in enumerate(self.opened)}

    def accepted_on(self, connection: int) -> list[int]:
        """When this connection's messages were accepted, in order of time."""
        at, on, _ = self._acceptances
        low, high = np.searchsorted(on, [connection, connection + 1])
        return [int(moment) for moment in at[low:high]]

    def messages_on(self, connection: int) -> list[str | None]:
        """The ids of the messages that this connection got accepted, in order of time."""
        _, on, places = self._acceptances
        low, high = np.searchsorted(on, [connection, connection + 1])
        return [self.recorder.accepted_ids[place] for place in places[low:high]]

    def lives(self, first: int, count: int) -> list[Life]:
        """The lives of ``count`` connections from place ``first`` on, in the order in which they
        were opened.
        """
        return [self._life(row) for row in self.opened[max(0, first) : max(0, first) + count]]

    @cached_property
    def _acceptances(self) -> tuple[st.Times, st.Times, st.Times]:
        """Times, connections and places of every acceptance, by connection and then by time."""
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
    what = (
        f"message {row.message}: "
        if row.message
        else "login: "
        if row.username and "login" in row.limit
        else ""
    )
    return f"{what}{said}"
