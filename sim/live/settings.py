"""What a live relay is told before it starts, and its defaults. Knows nothing of how any of it is
done.

Durations are integer microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from ..scenario import Scenario
from ..units import MICRO

ALL_LOOPBACK = "127.0.0.0/8"
"""An address to bind that stands for every address of loopback."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a peer may keep the relay waiting. RFC 5321 section 4.5.3.2.7 asks for five minutes
    between commands.
    """

    command: int = 300 * MICRO
    """From an answer to the next whole command, and from one piece of a body to the next."""
    handshake: int = 30 * MICRO
    """For a TLS handshake, and for the header of the PROXY protocol."""
    writing: int = 60 * MICRO
    """For a peer that does not read what it is answered."""
    leaving: int = 3 * MICRO
    """For transactions in flight when the relay stops."""
    coming: int = 60 * MICRO
    """For the first connection, where the relay ends once nothing happens and that is shorter: a
    program takes a while to start.
    """


@dataclass(frozen=True, slots=True)
class Settings:
    """``users`` None takes any login; ``tls`` is none, starttls or implicit; a port of 0 is any
    free one.

    ``tls_port`` None opens no second port with implicit TLS. ``plain_auth`` None allows AUTH in the
    clear while every address is of loopback. ``messages`` ends the run once so many are accepted,
    ``idle`` once nothing has happened for so long (``Timeouts.coming`` at least before the first
    connection). ``http`` opens a port for HTTP, of loopback alone. ``keep`` is a folder for what is
    accepted, ``state`` a file in which counts and blocks survive the relay. With ``proxy_protocol``
    every connection says first for whom it speaks. ``senders_known``: usernames and IPs are the
    scenario's, else those that come.
    """

    scenario: Scenario
    users: Mapping[str, str] | None = None
    login_required: bool = True
    tls: str = "starttls"
    port: int = 0
    tls_port: int | None = None
    bind: tuple[str, ...] = ("127.0.0.1",)
    plain_auth: bool | None = None
    messages: int | None = None
    idle: int | None = None
    transcribe: bool = False
    http: int | None = None
    keep: Path | None = None
    state: Path | None = None
    proxy_protocol: bool = False
    senders_known: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)

    def shuns(self, own: Any) -> bool:
        """Whether a connection that reached the relay at its address ``own`` is turned away."""
        return ALL_LOOPBACK in self.bind and not str(own[0]).startswith("127.")

    @property
    def on_loopback(self) -> bool:
        """Whether nobody but this machine can connect."""
        return all(
            address in (ALL_LOOPBACK, "localhost") or _is_loopback(address) for address in self.bind
        )


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def with_port(address: str, port: int) -> str:
    """Both as a person writes them: an address of IPv6 stands in brackets."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
