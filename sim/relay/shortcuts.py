"""Shortcuts for virtual time: several commands in one call, where nothing can refuse any of them.

The simulation spends most of its time here, and most commands cannot fail. Each shortcut does
exactly what its commands would do, at the cost of one call, and returns true; or, if any of them
could be refused, it does nothing and returns false, and the caller goes through the commands.
``tests/world/test_shortcuts.py`` runs whole simulations with and without shortcuts and compares
every row.

A shortcut bypasses ``Session.handle``. It is therefore only taken for a plain Session, never for
a subclass or a wrapper, which must see every command.
"""

from __future__ import annotations

from collections.abc import Callable

from ..limits import Limit
from ..smtp.commands import Quit
from .session import AUTHENTICATED, CLOSED, CONNECTED, GREETED, Session
from .terms import Login, Refusal


def reach_login(session: Session) -> bool:
    """The greeting and EHLO, and where it is offered STARTTLS, TLS and EHLO again."""
    if type(session) is not Session or session._pending is not None:
        return False
    if session._state is not CONNECTED:
        return False
    if session._terms.tls == "starttls":
        session._channel = session._terms.encrypted
    session._state = GREETED
    return True


def may_transact(session: Session, size: int) -> bool:
    """Whether ``transact`` would return true."""
    if session._state is not AUTHENTICATED or type(session) is not Session:
        return False
    if session._pending is not None or size > session._size:
        return False
    return session._count is None or session._used < session._count


def transact(session: Session, message: str, size: int, accepted_at: int) -> bool:
    """MAIL, RCPT, DATA and a body that ends at ``accepted_at``."""
    if not may_transact(session, size):
        return False
    session._used += 1
    session._observer.accepted(accepted_at, session.number, message)
    return True


def leave(session: Session, now: int) -> bool:
    """QUIT."""
    if type(session) is not Session or session.refusal(Quit) is not None:
        return False
    session.closed = True
    session._state = CLOSED
    session._observer.closed(now, session.number)
    return True


def request_of(limit: Limit | None) -> Callable[[str, int], bool] | None:
    """The limiter's own ``request``, for a limit without a block: it needs no Verdict."""
    return limit.limiter.request if limit is not None and limit.block is None else None


def login_check(
    request: Callable[[str, int], bool], refusal: Refusal
) -> Callable[[Login], Refusal | None]:
    """The check of ``logins_per_username`` with a request of :func:`request_of`."""
    return lambda login: None if request(login.username, login.at) else refusal
