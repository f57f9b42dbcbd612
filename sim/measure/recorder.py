"""The witness of a run in virtual time: keeps a row of everything, in the order in which it was
judged.

Rows may come out of order of time, because a door may judge a stretch of one connection ahead of
the others; a row beyond the run's end is left out when the result is assembled. Knows nothing of
results, and of messages only their ids.
"""

from __future__ import annotations

from ..records import BlockRow, Incident, Login, Opened


class Recorder:
    """Implements ``sim.relay.Witness``. Times are integer microseconds; one row a message is kept."""

    def __init__(self) -> None:
        # What comes by the thousand stands in columns: lists of plain values cost least to write,
        # keep and convert.
        self.opened_at: list[int] = []
        self.opened_on: list[int] = []
        self.opened_ips: list[str] = []
        self.opened_refused: list[str | None] = []
        self.closed_at: dict[int, int] = {}
        self.login_at: list[int] = []
        self.login_on: list[int] = []
        self.login_ips: list[str] = []
        self.login_usernames: list[str] = []
        self.login_outcomes: list[str] = []
        self.accepted_at: list[int] = []
        self.accepted_on: list[int] = []
        self.accepted_ids: list[str | None] = []
        self.incidents: list[Incident] = []
        self.blocks: list[BlockRow] = []

    @property
    def opened_rows(self) -> list[Opened]:
        """Every connection that TCP accepted. Made at each call."""
        return list(
            map(Opened, self.opened_at, self.opened_on, self.opened_ips, self.opened_refused)
        )

    @property
    def logins(self) -> list[Login]:
        """Every AUTH that was judged. Made at each call."""
        return list(
            map(
                Login,
                self.login_at,
                self.login_on,
                self.login_ips,
                self.login_usernames,
                self.login_outcomes,
            )
        )

    def opened(self, at: int, connection: int, ip: str, refused: str | None) -> None:
        """A connection that TCP accepted."""
        self.opened_at.append(at)
        self.opened_on.append(connection)
        self.opened_ips.append(ip)
        self.opened_refused.append(refused)

    def closed(self, at: int, connection: int) -> None:
        """The end of a connection."""
        self.closed_at[connection] = at

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        """An AUTH that was judged."""
        self.login_at.append(at)
        self.login_on.append(connection)
        self.login_ips.append(ip)
        self.login_usernames.append(username)
        self.login_outcomes.append(outcome)

    def accepted(self, at: int, connection: int, message: str | None) -> None:
        """A message answered 250 after DATA."""
        self.accepted_at.append(at)
        self.accepted_on.append(connection)
        self.accepted_ids.append(message)

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
        """A refusal by a limit."""
        self.incidents.append(Incident(at, limit, code, text, ip, username, connection, message))

    def block(
        self, limit: str, ip: str | None, username: str | None, from_: int, until: int
    ) -> None:
        """A block that began."""
        self.blocks.append(BlockRow(limit, ip, username, from_, until))
