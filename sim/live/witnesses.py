"""Several witnesses of one relay: each is told everything, in their order. Knows nothing of what
they do with it.
"""

from __future__ import annotations

from ..relay import Observer


class Witnesses:
    """Implements ``sim.relay.Observer``."""

    def __init__(self, *witnesses: Observer) -> None:
        self._all = list(witnesses)

    def add(self, witness: Observer) -> None:
        """Is told from now on; call it before the relay has any connection."""
        self._all.append(witness)

    @property
    def alone(self) -> Observer | None:
        """The only one, if there is but one: it can be asked without a detour."""
        return self._all[0] if len(self._all) == 1 else None

    def opened(self, at: int, connection: int, ip: str, refused: str | None) -> None:
        """As in Witness."""
        for each in self._all:
            each.opened(at, connection, ip, refused)

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        """As in Witness."""
        for each in self._all:
            each.login(at, connection, ip, username, outcome)

    def accepted(self, at: int, connection: int, message: str | None) -> None:
        """As in Witness."""
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
        """As in Witness."""
        for each in self._all:
            each.incident(at, limit, code, text, ip, username, connection, message)

    def block(
        self, limit: str, ip: str | None, username: str | None, from_: int, until: int
    ) -> None:
        """As in Witness."""
        for each in self._all:
            each.block(limit, ip, username, from_, until)

    def closed(self, at: int, connection: int) -> None:
        """As in Witness."""
        for each in self._all:
            each.closed(at, connection)
