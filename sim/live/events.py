"""Witnesses beside the tally: a log with one JSON object a line, and the last incidents for a
screen.

Know nothing of who reads them. Times are seconds of the relay's clock, as in the result.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any, TextIO

from ..records import Incident
from ..units import seconds


class Latest:
    """Implements ``sim.relay.Witness``; keeps the last few incidents, the latest last. ``origin``
    as in EventLog.
    """

    def __init__(self, origin: int = 0, most: int = 5) -> None:
        self._origin = origin
        self.incidents: deque[Incident] = deque(maxlen=most)

    def incident(
        self,
        at: int,
        limit: str,
        code: int | None,
        text: str,
        ip: str,
        username: str | None,
        connection: int,
        message: str | None,
    ) -> None:
        """As in Witness."""
        self.incidents.append(
            Incident(at - self._origin, limit, code, text, ip, username, connection, message)
        )

    def opened(self, at: int, connection: int, ip: str, refused: str | None) -> None:
        """Is not kept."""

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        """Is not kept."""

    def accepted(self, at: int, connection: int, message: str | None) -> None:
        """Is not kept."""

    def block(
        self, limit: str, ip: str | None, username: str | None, from_: int, until: int
    ) -> None:
        """Is not kept."""

    def closed(self, at: int, connection: int) -> None:
        """Is not kept."""


class EventLog:
    """Implements ``sim.relay.Witness``; writes each event at once to ``file``. ``origin`` is the
    relay's time at its start.
    """

    def __init__(self, file: TextIO, origin: int = 0) -> None:
        self._file = file
        self._origin = origin

    def opened(self, at: int, connection: int, ip: str, refused: str | None) -> None:
        """As in Witness."""
        self._write(at, "opened", connection=connection, ip=ip, refused=refused)

    def closed(self, at: int, connection: int) -> None:
        """As in Witness."""
        self._write(at, "closed", connection=connection)

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        """As in Witness."""
        self._write(at, "login", connection=connection, ip=ip, username=username, outcome=outcome)

    def accepted(self, at: int, connection: int, message: str | None) -> None:
        """As in Witness."""
        self._write(at, "accepted", connection=connection, message=message)

    def incident(
        self,
        at: int,
        limit: str,
        code: int | None,
        text: str,
        ip: str,
        username: str | None,
        connection: int,
        message: str | None,
    ) -> None:
        """As in Witness."""
        self._write(
            at,
            "incident",
            limit=limit,
            code=code,
            text=text,
            ip=ip,
            username=username,
            connection=connection,
            message=message,
        )

    def block(
        self, limit: str, ip: str | None, username: str | None, from_: int, until: int
    ) -> None:
        """As in Witness."""
        self._write(
            from_,
            "block",
            limit=limit,
            ip=ip,
            username=username,
            until_s=seconds(until - self._origin),
        )

    def _write(self, at: int, event: str, **more: Any) -> None:
        line = json.dumps(
            {"t": seconds(at - self._origin), "event": event, **more}, ensure_ascii=False
        )
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except (
            OSError,
            ValueError,
        ):  # the reader of a pipe has gone, the disk is full: the relay goes on
            pass
