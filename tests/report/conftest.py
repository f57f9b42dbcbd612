"""Results of real runs, each made once: a reconnect forgotten, a storm of logins, a stale password,
one that goes well.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.measure import Result
from sim.relay.policy import Policy
from sim.scenario import build
from sim.world import simulate

RUNS: dict[str, dict[str, Any]] = {
    "one": {
        "sender": {"strategy": "one-connection"},
        "workload": {"kind": "batch", "messages": 20},
    },
    "storm": {
        "sender": {"strategy": "connection-per-message", "workers": 20},
        "workload": {"kind": "batch", "messages": 400},
        "expect": {"incidents.total": "== 0", "messages.submitted": "== 400"},
    },
    "stale": {
        "sender": {"strategy": "connection-per-message"},
        "workload": {"kind": "constant", "rate": "2/min", "for": "2h"},
        "faults": {"wrong_password": {"from": "10m", "until": "40m"}},
    },
    "good": {
        "sender": {"strategy": "paced", "workers": 6},
        "workload": {"kind": "batch", "messages": 900},
    },
}


@pytest.fixture(scope="session")
def pairs() -> dict[str, tuple[Result, Policy]]:
    """Each run's result and its policy."""
    scenarios = {name: build(data, f"{name}.toml", name, Path()) for name, data in RUNS.items()}
    return {name: (simulate(scenario), scenario.policy) for name, scenario in scenarios.items()}
