"""Observers of a live relay, in addition to the one that counts: a log of events, the latest
incidents for a screen, and an observer that forwards to several.

Times that are written out are seconds since the relay's start, as in the result.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any, TextIO

from ..records import Incident
from ..relay import Observer
from ..units import seconds


class Observers:
    """Forwards everything to several observers, in their order."""

    def __init__(self, *observers: Observer) -> None:
        self._all = list(observers)

    def add(self, observer: Observer) -> None:
        """Forwards to ``observer`` too. Call it before the relay has any connection."""
        self._all.append(observer)

    def direct(self) -> Observer:
        """The only observer if there is just one, so that no call is forwarded; else ``self``."""
        return self._all[0] if len(self._all) == 1 else self

    def opened(self, at: int, connection: int, ip: str, refused: str | None) -> None:
        for each in self._all:
            each.opened(at, connection, ip, refused)

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        for each in self._all:
            each.login(at, connection, ip, username, outcome)

    def accepted(self, at: int, connection: int, message: str | None) -> None:
        for each in self._all:
            each.accepted(at, connection, message)

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
        for each in self._all:
            each.incident(at, limit, code, text, ip, username, connection, message)

    def block(
        self, limit: str, ip: str | None, username: str | None, from_: int, until: int
    ) -> None:
        for each in self._all:
            each.block(limit, ip, username, from_, until)

    def closed(self, at: int, connection: int) -> None:
        for each in self._all:
            each.closed(at, connection)


class IdleObserver:
    """Ignores everything; a base class for observers that need only some of the events."""

    def opened(self, at: int, connection: int, ip: str, refused: str | None) -> None:
        pass

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        pass

    def accepted(self, at: int, connection: int, message: str | None) -> None:
        pass

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
        pass

    def block(
        self, limit: str, ip: str | None, username: str | None, from_: int, until: int
    ) -> None:
        pass

    def closed(self, at: int, connection: int) -> None:
        pass


class LatestIncidents(IdleObserver):
    """Keeps the last ``most`` incidents, the latest last.

    ``origin`` is the relay's time at its start.
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
        self.incidents.append(
            Incident(at - self._origin, limit, code, text, ip, username, connection, message)
        )


class EventLog:
    """Writes each event to ``file`` at once, as a line with a JSON object.

    ``origin`` is the relay's time at its start.
    """

    def __init__(self, file: TextIO, origin: int = 0) -> None:
        self._file = file
        self._origin = origin

    def opened(self, at: int, connection: int, ip: str, refused: str | None) -> None:
        self._write(at, "opened", connection=connection, ip=ip, refused=refused)

    def closed(self, at: int, connection: int) -> None:
        self._write(at, "closed", connection=connection)

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        self._write(at, "login", connection=connection, ip=ip, username=username, outcome=outcome)

    def accepted(self, at: int, connection: int, message: str | None) -> None:
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
        until_s = seconds(until - self._origin)
        self._write(from_, "block", limit=limit, ip=ip, username=username, until_s=until_s)

    def _write(self, at: int, event: str, **more: Any) -> None:
        fields = {"t": seconds(at - self._origin), "event": event, **more}
        line = json.dumps(fields, ensure_ascii=False)
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except (OSError, ValueError):
            # The reader of a pipe has gone, or the disk is full. The relay is worth more than its
            # log, so it keeps running.
            pass
