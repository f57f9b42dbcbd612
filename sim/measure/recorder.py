"""The witness of a run in virtual time: keeps a row of everything, in the order in which it was judged.

Rows may come out of order of time, because a door may judge a stretch of one connection ahead of the others; a row beyond the
run's end is left out when the result is assembled. Knows nothing of results, and of messages only their ids.
"""

from __future__ import annotations

from ..records import BlockRow, Incident, Login, Opened


class Recorder:
    """Implements ``sim.relay.Witness``. Times are integer microseconds; one row a message is kept."""

    def __init__(self) -> None:
        # Of what comes by the thousand, plain tuples with the fields of Opened and of Login: they cost a quarter of those.
        self.raw_opened: list[tuple[int, int, str, str | None]] = []
        self.raw_logins: list[tuple[int, int, str, str, str]] = []
        self.closed_at: dict[int, int] = {}
        # One row a message, in columns: lists of plain numbers cost least to write and to convert.
        self.accepted_at: list[int] = []
        self.accepted_on: list[int] = []
        self.accepted_ids: list[str | None] = []
        self.incidents: list[Incident] = []
        self.blocks: list[BlockRow] = []

    @property
    def opened_rows(self) -> list[Opened]:
        """Every connection that TCP accepted. Made at each call."""
        return list(map(Opened._make, self.raw_opened))

    @property
    def logins(self) -> list[Login]:
        """Every AUTH that was judged. Made at each call."""
        return list(map(Login._make, self.raw_logins))

    def opened(self, at: int, connection: int, ip: str, refused: str | None) -> None:
        """A connection that TCP accepted."""
        self.raw_opened.append((at, connection, ip, refused))

    def closed(self, at: int, connection: int) -> None:
        """The end of a connection."""
        self.closed_at[connection] = at

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        """An AUTH that was judged."""
        self.raw_logins.append((at, connection, ip, username, outcome))

    def accepted(self, at: int, connection: int, message: str | None) -> None:
        """A message answered 250 after DATA."""
        self.accepted_at.append(at)
        self.accepted_on.append(connection)
        self.accepted_ids.append(message)

    def incident(self, at: int, limit: str, code: int | None, text: str, ip: str, username: str | None, connection: int,
                 message: str | None) -> None:  # fmt: skip
        """A refusal by a limit."""
        self.incidents.append(Incident(at, limit, code, text, ip, username, connection, message))

    def block(self, limit: str, ip: str | None, username: str | None, from_: int, until: int) -> None:
        """A block that began."""
        self.blocks.append(BlockRow(limit, ip, username, from_, until))
