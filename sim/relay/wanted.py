"""A relay that also refuses what it is asked to refuse next: for a test that wants to see what its
sender makes of it.

Such a refusal is an incident like any other, but it uses up nothing and begins no block. Knows
nothing of who asks.
"""

from __future__ import annotations

from typing import Any

from ..errors import ScenarioError, nearest
from ..smtp.replies import Reply
from ..text import shown
from .relay import ORDER_AT_AUTH, Refusal, Relay
from .session import Session

PASSWORD = "password"
"""What is asked for a login that is answered 535, whatever its password; it counts as a wrong one.
"""

AT_LOGIN = ORDER_AT_AUTH[:-1]
"""The limits that answer a login."""

MOST_TIMES = 1_000_000


class ObligingRelay(Relay):
    """``wanted`` holds what is still to be refused: how often, by the limit that shall answer (or
    :data:`PASSWORD`).
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.wanted: dict[str, int] = {}
        super().__init__(*args, **options)
        accounts = self.accounts
        self.accounts = lambda username, password, at: (
            not (self.wanted and self._due(PASSWORD)) and accounts(username, password, at)
        )

    def refuse_next(self, what: str, times: int = 1, *, place: str = "refuse_next") -> None:
        """The next ``times`` requests that the limit ``what`` could refuse are refused; with 0,
        none any more.

        ``logins_per_username`` and the limits of failed logins answer a login,
        ``connections_per_ip`` a connection, ``transactions_per_connection`` the first message of a
        connection that is opened from now on, and ``password`` is a login answered 535.
        ScenarioError for anything else, and for a limit that the policy does not have.
        """
        allowed = (*self.policy.limits, PASSWORD)
        if what not in allowed:
            close = nearest(what, allowed) if isinstance(what, str) else ""
            raise ScenarioError(
                place,
                "refuse",
                f"{shown(what)} cannot be refused; allowed: {', '.join(allowed)}{close}",
            )
        if not isinstance(times, int) or isinstance(times, bool) or not 0 <= times <= MOST_TIMES:
            raise ScenarioError(
                place,
                "times",
                f"{shown(times)} is no number of times; allowed: 0 to {MOST_TIMES:,}",
            )
        self.wanted.pop(what, None)
        if times:
            self.wanted[what] = times

    def change(self, policy: Any) -> None:
        """As in Relay; what is wanted of a limit that goes is wanted no more."""
        super().change(policy)
        self.wanted = {
            what: times
            for what, times in self.wanted.items()
            if what == PASSWORD or what in policy.limits
        }

    def forget(self) -> None:
        """As in Relay, and nothing is wanted any more."""
        super().forget()
        self.wanted = {}

    def judge_login(
        self, session: Session, username: str, password: str, now: int
    ) -> Refusal | Reply | None:
        """As in Relay, unless a refusal is due."""
        limit = next((each for each in AT_LOGIN if self._due(each)), None) if self.wanted else None
        if limit is None:
            return super().judge_login(session, username, password, now)
        self.observer.login(now, session.number, session.ip, username, "refused")
        return self.refusals[limit]

    def _refusal_of_connection(self, ip: str, now: int) -> Refusal | None:
        if self.wanted and self._due("connections_per_ip"):
            return self.refusals["connections_per_ip"]
        return super()._refusal_of_connection(ip, now)

    def _session(self, ip: str) -> Session:
        session = super()._session(ip)
        if self.wanted and self._due("transactions_per_connection"):
            session.exhaust()
        return session

    def _due(self, what: str) -> bool:
        """Whether ``what`` is to be refused now; then it is done once."""
        left = self.wanted.get(what, 0)
        if left == 1:
            del self.wanted[what]
        elif left:
            self.wanted[what] = left - 1
        return left > 0
