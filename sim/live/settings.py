"""The settings of a live relay and their defaults. Durations are integer microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from ..scenario import Scenario
from ..units import MICRO

ALL_LOOPBACK = "127.0.0.0/8"
"""As an address to bind, this means every address of loopback."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a peer may keep the relay waiting. RFC 5321 section 4.5.3.2.7 asks for five minutes
    between commands.
    """

    command: int = 300 * MICRO
    """From a reply to the next whole command, and from one piece of a body to the next."""
    handshake: int = 30 * MICRO
    """For a TLS handshake, and for the header of the PROXY protocol."""
    writing: int = 60 * MICRO
    """For a peer that does not read its replies."""
    leaving: int = 3 * MICRO
    """For open transactions when the relay stops."""
    coming: int = 60 * MICRO
    """For the first connection, if ``Settings.idle`` is shorter: a program takes a while to
    start.
    """


@dataclass(frozen=True, slots=True)
class Settings:
    """How a live relay runs. A port of 0 is any free one.

    - ``users``: passwords by username; None accepts any login.
    - ``tls``: none, starttls or implicit. ``tls_port`` opens a second port with implicit TLS.
    - ``plain_auth``: AUTH without TLS; None allows it if every address is a loopback address.
    - ``messages``, ``idle``: the run ends when this many messages are accepted, or nothing has
      happened for this long (at least ``Timeouts.coming`` before the first connection).
    - ``keep``: a folder for the accepted messages. ``state``: a file that keeps counts and blocks
      for the next relay.
    - ``proxy_protocol``: every connection begins with a header of the PROXY protocol.
    - ``senders_known``: the result compares with the scenario's usernames and IPs instead of with
      those that connected.
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
    keep: Path | None = None
    state: Path | None = None
    proxy_protocol: bool = False
    senders_known: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return all(
            address in (ALL_LOOPBACK, "localhost") or _is_loopback(address) for address in self.bind
        )


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def with_port(address: str, port: int) -> str:
    """``address:port``, with brackets around an IPv6 address."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
