"""What goes into ``send`` and comes out of it: the :class:`Account` at a relay, and the
:class:`Outcome` of a run.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import ScenarioError
from ..strategies.api import Message
from ..text import shown

ADDRESS = re.compile(r"[!-;=?-~]+")
"""Printable ASCII without space and angle brackets, so that nothing ends a command early."""


@dataclass(frozen=True, slots=True)
class Account:
    """How to reach a relay. ``tls`` is starttls, implicit or none; only with none does a password
    cross the network in the clear.

    ``usernames`` are (username, password) pairs. Worker i uses pair i mod their number, and in the
    same way one of ``ips``, the local addresses to send from (empty: the system chooses).

    ``timeout`` is the time in seconds to wait for any one answer. A relay that takes longer to
    answer a body may still have accepted it; sending it again then delivers it twice.

    ``name`` is the name in EHLO. Empty: the connection's own address as a literal,
    ``[192.0.2.1]``, which needs no DNS. ``context`` is ssl's default, which checks certificates,
    unless given.
    """

    relay: str
    port: int
    usernames: Sequence[tuple[str, str]] = field(repr=False)  # the passwords are in it
    sender_address: str
    tls: str = "starttls"
    ips: Sequence[str] = ()
    timeout: float = 30.0
    name: str = ""
    context: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        wrong = self._wrong()
        if wrong:
            raise ScenarioError("Account", *wrong)

    def _wrong(self) -> tuple[str, str] | None:
        """The first field that cannot be used, and why."""
        if self.tls not in ("starttls", "implicit", "none"):
            return (
                "tls",
                f"{shown(self.tls)} is not allowed; allowed: starttls, implicit, none",
            )
        if not 1 <= self.port <= 65535:
            return "port", f"{shown(self.port)} is no port; allowed: 1 to 65535"
        if not self.usernames:
            return "usernames", "is empty; give at least one (username, password)"
        if not 0 < self.timeout < float("inf"):
            return (
                "timeout",
                f"{shown(self.timeout)} is no time to wait; a number of seconds above 0",
            )
        for key, value in (("sender_address", self.sender_address), ("name", self.name)):
            if value and not ADDRESS.fullmatch(value):
                return (
                    key,
                    f"{shown(value)} cannot be sent; ASCII without spaces or angle brackets",
                )
        return None


@dataclass(slots=True)
class Outcome:
    """The outcome of a run in production; submitted = accepted + lost + waiting.

    Times are seconds since the run began. ``accepted`` is in order of acceptance, the other ids are
    in order of submission. ``refusals`` are (seconds, code, text, id of the current message or
    None), ``disconnections`` the same without a code. ``connections`` has the ids that each
    connection got accepted, in the order of the logins. ``ended`` is settled, until or aborted;
    ``error`` is the reason for aborted. ``unsent`` holds every message that was not accepted, lost
    and waiting ones alike, so that none is gone when something breaks.
    """

    submitted: int = 0
    accepted: list[str] = field(default_factory=list)
    duplicated: int = 0
    lost: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    unsent: list[Message] = field(default_factory=list)
    refusals: list[tuple[float, int, str, str | None]] = field(default_factory=list)
    disconnections: list[tuple[float, str, str | None]] = field(default_factory=list)
    connections: list[list[str]] = field(default_factory=list)
    ended: str = "settled"
    error: str | None = None
