"""Shortcuts for virtual time: several commands in one call, where nothing can refuse any of them.

A simulation spends most of its time here, and most commands cannot fail. Each shortcut of
``QuickSession`` does exactly what its commands would do, at the cost of one call, and returns true.
If any of them could be refused it does nothing and returns false, and the caller sends the
commands. ``tests/world/test_shortcuts.py`` runs whole simulations with and without shortcuts and
compares every row.

A shortcut bypasses ``Session.handle``. A session that must see every command, such as one that
keeps a transcript, is therefore not a QuickSession, and its user finds no shortcut to take.
"""

from __future__ import annotations

from collections.abc import Callable

from ..limits import Limit
from ..smtp.commands import Credentials
from ..smtp.replies import LOGGED_IN, Reply
from .session import AUTHENTICATED, CLOSED, CONNECTED, GREETED, Session
from .terms import Peer, Refusal


class QuickSession(Session):
    """A Session with shortcuts."""

    __slots__ = ()

    def reach_login(self) -> bool:
        """The greeting and EHLO, and where it is offered STARTTLS, TLS and EHLO again."""
        if self._pending is not None or self._state is not CONNECTED:
            return False
        if self._terms.tls == "starttls":
            self._phase = self._terms.encrypted
        self._state = GREETED
        return True

    def log_in(self, login: Credentials, now: int) -> Reply | None:
        """AUTH with ``login``, after ``reach_login``: what ``handle`` does, without its look-ups."""
        if self._phase.table[GREETED][Credentials].refusal is not None:
            return self.handle(login, now)
        self.username = login.username
        outcome = self._terms.judge(self, login, now)
        if outcome is None:
            self._idle = AUTHENTICATED
            self._state = AUTHENTICATED
            return LOGGED_IN
        return outcome if isinstance(outcome, Reply) else self._refuse(outcome, now)

    def may_transact(self, size: int) -> bool:
        """Whether ``transact`` would return true."""
        return self._state is AUTHENTICATED and size <= self._size and self.left > 0

    def transact(self, message: str, size: int, accepted_at: int) -> bool:
        """MAIL, RCPT, DATA and a body that ends at ``accepted_at``."""
        # The condition of may_transact, which would cost as much as the rest if it were called. No
        # refusal can be pending: both EHLO and the end of a transaction clear it.
        if self._state is not AUTHENTICATED or size > self._size or self.left <= 0:
            return False
        self.left -= 1
        self._observer.accepted(accepted_at, self.number, message)
        return True

    def leave(self, now: int) -> bool:
        """QUIT after a login and outside a transaction."""
        if self._state is not AUTHENTICATED:
            return False
        self.closed = True
        self._state = CLOSED
        self._observer.closed(now, self.number)
        return True


def request_of(limit: Limit | None) -> Callable[[str, int], bool] | None:
    """The limiter's own ``request``, for a limit without a block: it needs no Verdict."""
    return limit.limiter.request if limit is not None and limit.block is None else None


def login_check(
    request: Callable[[str, int], bool], refusal: Refusal
) -> Callable[[Peer, Credentials, int], Refusal | None]:
    """The check of ``logins_per_username`` with a request of :func:`request_of`."""
    return lambda peer, login, now: None if request(login.username, now) else refusal
