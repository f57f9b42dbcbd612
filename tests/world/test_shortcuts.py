"""What the world does in one go against the same run command by command, which a relay that
transcribes insists on.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from sim.strategies.catalogue import Strategy
from sim.world import World, strategy_of
from tests.world.test_invariants import SCENARIOS, WORKS, restless
from tests.world.worlds import scenario


def both(work, tables):
    """The result and the rows of a run in one go and of the same run command by command."""
    chosen = scenario(**tables)
    found = []
    for transcribe in (False, True):
        made = World(
            chosen,
            Strategy("work", work, {}, "") if work else strategy_of(chosen),
            transcribe=transcribe,
        )
        result = made.run()
        rows = made.recorder
        found.append(
            (
                result.to_dict(),
                rows.opened_rows,
                rows.logins,
                rows.incidents,
                rows.closed_at,
                rows.accepted_ids,
            )
        )
    return found


@settings(max_examples=60)
@given(SCENARIOS, WORKS)
def test_every_world_is_the_same_command_by_command(tables, work):
    in_one_go, by_commands = both(work, tables)
    assert in_one_go == by_commands


@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
@pytest.mark.parametrize("jitter", [0, 0.3])
def test_so_is_one_in_which_nothing_goes_wrong_but_the_limits(tls, jitter):
    for work in (None, restless):
        in_one_go, by_commands = both(
            work,
            {
                "policy": {
                    "transactions_per_connection": 3,
                    "logins_per_username": {"count": 20, "per": "10s"},
                },
                "workload": {"kind": "poisson", "rate": "10/s", "for": "1m"},
                "sender": {"strategy": "paced", "workers": 5, "usernames": 2},
                "network": {
                    "rtt": "40ms",
                    "jitter": jitter,
                    "tls": tls,
                    "client_time": {"connection": "3ms", "message": "1ms"},
                },
            },
        )
        assert in_one_go == by_commands
        assert in_one_go[0]["incidents"]["total"] > 0
