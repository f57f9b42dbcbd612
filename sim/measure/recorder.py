"""The observer of a run in virtual time: ``Recorder`` keeps a row of everything that the relay
reports.

Rows can be out of order of time, because the clock lets one connection run ahead of the others
until the next event; ``Rows`` sorts them, and leaves out those after the run's end.
"""

from __future__ import annotations

from ..records import BlockRow, Incident, Login, Opened


class Recorder:
    """Implements ``sim.relay.Observer``. Times are integer microseconds."""

    def __init__(self) -> None:
        # Rows that come by the thousand are kept as columns: lists of plain values are fastest to
        # append to and to convert into arrays.
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
        """Every connection that TCP accepted. Built at each call."""
        return list(
            map(Opened, self.opened_at, self.opened_on, self.opened_ips, self.opened_refused)
        )

    @property
    def logins(self) -> list[Login]:
        """Every AUTH that was judged. Built at each call."""
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
        """Records a connection that TCP accepted."""
        self.opened_at.append(at)
        self.opened_on.append(connection)
        self.opened_ips.append(ip)
        self.opened_refused.append(refused)

    def closed(self, at: int, connection: int) -> None:
        """Records the end of a connection."""
        self.closed_at[connection] = at

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        """Records an AUTH that was judged."""
        self.login_at.append(at)
        self.login_on.append(connection)
        self.login_ips.append(ip)
        self.login_usernames.append(username)
        self.login_outcomes.append(outcome)

    def accepted(self, at: int, connection: int, message: str | None) -> None:
        """Records a message that was answered with 250 after DATA."""
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
        """Records a refusal by a limit."""
        self.incidents.append(Incident(at, limit, code, text, ip, username, connection, message))

    def block(
        self, limit: str, ip: str | None, username: str | None, from_: int, until: int
    ) -> None:
        """Records the start of a block."""
        self.blocks.append(BlockRow(limit, ip, username, from_, until))
