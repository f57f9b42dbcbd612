"""The time of a connection, measured: for a library's model, which may speak other round trips than
``api.Connection``.

Runs one worker against a relay without limits where nothing is random, so that the numbers are
exact. Knows nothing of limits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..measure import Result
from ..runner import run_many
from ..scenario import build
from ..scenario.schema import Network
from ..units import MICRO
from .cycle import Cycle, cycle_of
from .knobs import Setting
from .trials import Trials, sender_table

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
