"""The terms of a relay: everything that its sessions share and that does not change while they run.

A session needs its Terms and nothing else of the relay: the replies and sizes of the policy, how to
judge a login, and the Observer to report to.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..smtp import replies
from ..smtp.commands import Credentials
from ..smtp.replies import Reply
from ..smtp.states import Table, table
from .kinds import Moment, ReplySpec
from .policy import Policy

UNLIMITED = sys.maxsize
"""Transactions per connection without a limit: more than any connection can have."""


class Observer(Protocol):
    """Is called for everything that happens at a relay. All times are integer microseconds."""

    def opened(self, at: int, connection: int, ip: str, refused: str | None) -> None:
        """TCP accepted a connection. ``refused`` is the limit that answers instead of the greeting,
        if one does.
        """

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        """An AUTH was judged; ``outcome`` is ``accepted``, ``failed`` or ``refused``."""

    def accepted(self, at: int, connection: int, message: str | None) -> None:
        """A message was accepted (250 after DATA)."""

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
        """A limit refused a command. ``code`` is None if the relay dropped the connection."""

    def block(
        self, limit: str, ip: str | None, username: str | None, from_: int, until: int
    ) -> None:
        """A block began."""

    def closed(self, at: int, connection: int) -> None:
        """A connection ended, on either side."""


class Refusal(NamedTuple):
    """The answer of a limit, made once for each. ``reply`` and ``code`` are None if the relay drops
    the connection without a reply.
    """

    limit: str
    stage: str
    reply: Reply | None
    code: int | None
    text: str
    closes: bool


class Peer(Protocol):
    """The connection that asks for something. A session is one."""

    @property
    def number(self) -> int:
        """The number of the connection."""

    @property
    def ip(self) -> str:
        """Where it comes from."""


class FurtherLimits(Protocol):
    """The limits of kinds that are not built in; see ``further``."""

    def refusal(
        self, moment: Moment, connection: int, ip: str, username: str | None, now: int
    ) -> Refusal | None:
        """Counts a request; the refusal of the first limit that it exceeds."""

    def forget(self, connection: int) -> None:
        """The connection has ended."""


Judge = Callable[[Peer, Credentials, int], Refusal | Reply | None]
"""Decides on a login at a time in microseconds: the refusal of a limit, the reply to wrong
credentials, or None to accept it.
"""


@dataclass(frozen=True, slots=True)
class Phase:
    """What differs before and after a connection is encrypted: the table of states, and the answer
    to EHLO.
    """

    table: Table
    offers: Reply


class Terms:
    """What every session of a relay has from its beginning.

    ``tls`` is ``none``, ``starttls`` or ``implicit``; with ``plain_auth`` AUTH needs no TLS.
    ``transactions`` is the number of transactions per connection, which count at MAIL or
    ``at_acceptance``.
    """

    __slots__ = (
        "at_acceptance",
        "clear",
        "encrypted",
        "first",
        "further",
        "judge",
        "observer",
        "refusals",
        "size",
        "tls",
        "transactions",
    )

    def __init__(
        self,
        policy: Policy,
        observer: Observer,
        judge: Judge,
        *,
        tls: str = "starttls",
        plain_auth: bool = True,
        login_required: bool = True,
    ) -> None:
        self.observer = observer
        self.judge = judge
        self.tls = tls
        self.size = policy.message_size
        self.refusals = {
            kind.name: _refusal(kind.name, spec.reply) for kind, spec in policy.by_kind()
        }
        spec = policy.transactions_per_connection
        self.transactions = UNLIMITED if spec is None else spec.count
        self.at_acceptance = spec is not None and spec.counted_at == "acceptance"
        offers_starttls = tls == "starttls"
        self.clear = Phase(
            table(
                login_required=login_required,
                no_starttls=None if offers_starttls else replies.NOT_IMPLEMENTED,
                no_auth=None if plain_auth else replies.TLS_REQUIRED,
            ),
            _offers(self.size, starttls=offers_starttls, auth=login_required and plain_auth),
        )
        self.encrypted = Phase(
            table(login_required=login_required, no_starttls=replies.TLS_ALREADY),
            _offers(self.size, starttls=False, auth=login_required),
        )
        # None without such limits, which is the usual case and the fast one.
        self.further: FurtherLimits | None = None
        self.first = self.encrypted if tls == "implicit" else self.clear


def _refusal(name: str, spec: ReplySpec) -> Refusal:
    if spec.then == "drop":
        return Refusal(name, spec.stage, None, None, "", closes=True)
    reply = Reply(spec.code, spec.enhanced, (spec.text,))
    return Refusal(name, spec.stage, reply, reply.code, reply.text, closes=spec.then == "close")


def _offers(size: int, *, starttls: bool, auth: bool) -> Reply:
    """The answer to EHLO."""
    lines = [replies.NAME, "PIPELINING", f"SIZE {size}", "8BITMIME", "ENHANCEDSTATUSCODES"]
    if starttls:
        lines.append("STARTTLS")
    if auth:
        lines.append("AUTH PLAIN LOGIN")
    return Reply(250, "", tuple(lines))
