"""A relay that also refuses requests on demand, so that a test can see how its sender reacts.

A forced refusal is an incident like any other, but it counts for no limit and begins no block.
"""

from __future__ import annotations

from typing import Any

from ..errors import ScenarioError, nearest
from ..smtp.commands import Credentials
from ..smtp.replies import Reply
from ..text import shown
from .policy import Policy
from .relay import ORDER_AT_AUTH, Relay
from .session import Session
from .terms import Peer, Refusal

PASSWORD = "password"
"""The name for a login that is answered 535 with any password, and counts as a wrong one."""

AT_LOGIN = ORDER_AT_AUTH[:-1]
"""The limits that answer a login."""

MOST_TIMES = 1_000_000


class ForcedRefusals(Relay):
    """A Relay with ``refuse_next``. ``forced`` has the number of refusals still to come, by the
    limit that answers, or :data:`PASSWORD`.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.forced: dict[str, int] = {}
        super().__init__(*args, **options)

    def refuse_next(self, what: str, times: int = 1, *, place: str = "refuse_next") -> None:
        """Refuses the next ``times`` requests that the limit ``what`` could refuse. 0 cancels.

        ``logins_per_username`` and the limits of failed logins answer a login,
        ``connections_per_ip`` a connection, ``transactions_per_connection`` the first message of a
        connection that opens from now on; a limit of a further kind answers where it counts;
        ``password`` answers a login with 535. Raises a
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
        self.forced.pop(what, None)
        if times:
            self.forced[what] = times

    def change(self, policy: Policy) -> None:
        """Continues under another policy, without the forced refusals of limits that it lacks."""
        super().change(policy)
        kept = (*policy.limits, PASSWORD)
        self.forced = {what: times for what, times in self.forced.items() if what in kept}

    def forget(self) -> None:
        """Empties every count, ends every block and cancels every forced refusal."""
        super().forget()
        self.forced = {}

    def connect(self, ip: str, now: int, *, secure: bool | None = None) -> Session:
        """Makes the session of a connection; a forced refusal answers its first message."""
        session = super().connect(ip, now, secure=secure)
        if self.forced and self._take("transactions_per_connection"):
            session.exhaust()
        return session

    def judge_login(self, peer: Peer, login: Credentials, now: int) -> Refusal | Reply | None:
        """Decides on a login; a forced refusal comes before every check."""
        for limit in AT_LOGIN if self.forced else ():
            if self._take(limit):
                self.observer.login(now, peer.number, peer.ip, login.username, "refused")
                return self.terms.refusals[limit]
        return super().judge_login(peer, login, now)

    def _check_credentials(
        self, peer: Peer, login: Credentials, now: int
    ) -> Refusal | Reply | None:
        if self.forced and self._take(PASSWORD):
            return self._count_failure(peer, login.username, now)
        return super()._check_credentials(peer, login, now)

    def _refusal_of_connection(self, ip: str, now: int) -> Refusal | None:
        if self.forced and self._take("connections_per_ip"):
            return self.terms.refusals["connections_per_ip"]
        return super()._refusal_of_connection(ip, now)

    def _is_forced(self, limit: str) -> bool:
        return bool(self.forced) and self._take(limit)

    def _take(self, what: str) -> bool:
        """Whether a refusal of ``what`` is due; uses it up."""
        left = self.forced.get(what, 0)
        if left == 1:
            del self.forced[what]
        elif left:
            self.forced[what] = left - 1
        return left > 0
