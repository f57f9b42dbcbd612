"""relaysim: what will the relay do to my sender, before production finds out?

This package is what users import; ``sim`` is the inside and may change.

    import relaysim

    result = relaysim.run("receipts.toml")
    print(result.messages.lost, result.incidents.total)

    with relaysim.serve(policy="mailersend") as relay:
        ...  # send to relay.host and relay.port

Names load on first use, so that ``from relaysim import Refused`` costs nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.errors import Disconnected, Refused, RelaysimError, ScenarioError, StrategyError
    from sim.live.running import Running
    from sim.measure import Result
    from sim.plan import Plan
    from sim.production import Account, Outcome, send
    from sim.relay import Policy
    from sim.scenario import Scenario
    from sim.strategies.api import Connection, Message, Sender

    from .calls import load_policy, load_scenario, plan, run, run_many, serve

    __version__: str

_HOMES = {
    "Account": "sim.production",
    "Connection": "sim.strategies.api",
    "Disconnected": "sim.errors",
    "Message": "sim.strategies.api",
    "Outcome": "sim.production",
    "Plan": "sim.plan",
    "Policy": "sim.relay",
    "Refused": "sim.errors",
    "RelaysimError": "sim.errors",
    "Result": "sim.measure",
    "Running": "sim.live.running",
    "Scenario": "sim.scenario",
    "ScenarioError": "sim.errors",
    "Sender": "sim.strategies.api",
    "StrategyError": "sim.errors",
    "__version__": "sim",
    "load_policy": "relaysim.calls",
    "load_scenario": "relaysim.calls",
    "plan": "relaysim.calls",
    "run": "relaysim.calls",
    "run_many": "relaysim.calls",
    "send": "sim.production",
    "serve": "relaysim.calls",
}
"""The module that defines each public name."""

__all__ = [
    "Account",
    "Connection",
    "Disconnected",
    "Message",
    "Outcome",
    "Plan",
    "Policy",
    "Refused",
    "RelaysimError",
    "Result",
    "Running",
    "Scenario",
    "ScenarioError",
    "Sender",
    "StrategyError",
    "__version__",
    "load_policy",
    "load_scenario",
    "plan",
    "run",
    "run_many",
    "send",
    "serve",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
