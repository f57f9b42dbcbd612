"""How long a connection takes where nothing is random: the round trips of each step, added up.

Integer microseconds. Knows the network, not the limits; whoever has a strategy that speaks
otherwise measures it instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from ..measure import Result
from ..runner import run_many
from ..scenario import build
from ..scenario.schema import Network
from ..units import MICRO
from .option_map import Setting
from .trials import Trials, sender_table

TRIPS_TO_LOGIN = {"none": 4, "starttls": 7, "implicit": 5}
"""Round trips from the first SYN to the answer to AUTH: TCP, greeting, EHLO, AUTH; STARTTLS, TLS
and EHLO again; TLS alone.
"""

COMMANDS_TO_LOGIN = {"none": 2, "starttls": 4, "implicit": 2}
"""Of them those that cost the relay's own time: EHLO, AUTH; STARTTLS and EHLO again."""

TRIPS_A_MESSAGE = 4
"""MAIL, RCPT, DATA and the body."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """One connection. ``login``: until AUTH is answered; ``accept``: from a message's start to its
    acceptance by the relay; ``message``: until that is answered; ``quit``; ``refused``: a MAIL that
    is refused, after which the connection is over.

    ``spread`` is the standard deviation that jitter gives one round trip, and ``trips`` how many a
    login takes.
    """

    login: int
    message: int
    accept: int
    quit: int
    refused: int
    trips: int
    spread: float

    def connection(self, messages: int, *, cut: bool = False) -> int:
        """From SYN to the end of QUIT with so many messages; ``cut``: the next MAIL is refused and
        ends it instead.
        """
        return self.login + messages * self.message + (self.refused if cut else self.quit)

    def to_acceptance(self, messages: int) -> int:
        """From SYN to the acceptance of the last of so many messages."""
        return self.login + (messages - 1) * self.message + self.accept

    def deviation(self, messages: int) -> float:
        """The standard deviation of ``connection(messages)``, microseconds."""
        return self.spread * math.sqrt(self.trips + TRIPS_A_MESSAGE * messages + 1)

    @property
    def login_deviation(self) -> float:
        """The standard deviation of the time between two logins' arrivals that set out a fixed time
        apart.
        """
        return self.spread * math.sqrt(2 * (self.trips - 0.5))


def cycle_of(network: Network) -> Cycle:
    """The closed form for ``network``."""
    step = network.rtt + network.relay_time
    own = network.client_time
    tls = network.tls
    commands = COMMANDS_TO_LOGIN[tls]
    return Cycle(
        login=own.connection + TRIPS_TO_LOGIN[tls] * network.rtt + commands * network.relay_time,
        message=own.message + TRIPS_A_MESSAGE * step,
        accept=own.message + 3 * step + network.rtt // 2,
        quit=step,
        refused=own.message + step,
        trips=TRIPS_TO_LOGIN[tls],
        spread=network.rtt * network.jitter,
    )


FEW = 2
"""Messages on the connections that are compared; one message more tells the time of one."""


def measured_cycle(trials: Trials, network: Network) -> Cycle:
    """The cycle of the trials' strategy over ``network``."""
    plain = cycle_of(network)
    one, two, twice = (_micros(trials, network, messages) for messages in (1, FEW, 2 * FEW))
    message = two - one
    accept = min(plain.accept, message)
    login = one - accept
    connection = twice - two  # from the end of one connection's acceptances to those of the next
    rest = max(0, connection - login - FEW * message)
    return replace(plain, login=max(0, login), message=message, accept=accept, quit=rest)


def _micros(trials: Trials, network: Network, messages: int) -> int:
    """Microseconds until one worker had so many messages accepted, FEW a connection and no gap."""
    setting = Setting(1, 1, 1, FEW, 0)
    tables: dict[str, Any] = {**trials.tables, "policy": {"use": "unlimited"}, "faults": {}}
    exact = {"rtt": network.rtt / MICRO, "relay_time": network.relay_time / MICRO, "jitter": 0}
    tables["network"] = {**tables.get("network", {}), **exact}
    tables["workload"] = {"kind": "batch", "messages": messages}
    tables["sender"] = sender_table(trials.knobs, setting)
    (answer,) = run_many([build(tables, "plan", "plan", trials.folder)])
    if not isinstance(answer, Result):
        raise answer
    return round(answer.duration_s * MICRO)
