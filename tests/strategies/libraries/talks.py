"""One run of a library's model at a relay, with the commands and replies of each connection."""

from __future__ import annotations

from typing import Any

from sim.measure import Result
from sim.world import World, strategy_of
from tests.world.worlds import QUIET, scenario

ONE = ["MAIL 250", "RCPT 250", "DATA 354", "BODY 250"]
AUTH_LOGIN = "AUTH LOGIN 334 334 235"


def run(
    strategy: str,
    messages: int,
    *,
    policy: Any = None,
    network: Any = None,
    sender: Any = None,
    until: Any = None,
    faults: Any = None,
    workload: Any = None,
    **options: Any,
) -> tuple[Result, list[list[str]]]:
    """``messages`` at once through the model; without a policy the relay has no limits, without a
    network it is QUIET.
    """
    tables: dict[str, Any] = {
        "policy": {"use": "unlimited"} if policy is None else policy,
        "workload": workload or {"kind": "batch", "messages": messages},
        "sender": {"strategy": strategy, "options": options, **(sender or {})},
        "network": QUIET | (network or {}),
        "faults": faults or {},
    }
    world = World(
        chosen := scenario(**tables, **({"until": until} if until else {})),
        strategy_of(chosen),
        transcribe=True,
    )
    result = world.run()
    assert result.error is None, result.error
    return result, world.transcripts()
