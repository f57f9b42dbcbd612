"""The worlds of the battery as data: what each proves, how it is judged, and the settings that make
it.

The settings are what ``relaysim try`` takes, so that a world and the command that replays it come
from one source. Knows nothing of running. The sizes are chosen so that the whole battery takes
seconds; the lengths of the faults are the issue's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Judged = Literal["no incident", "nothing lost", "no block"]
"""What a world asks for beside all messages accepted in the end: no incident at all; nothing more;
no block.
"""

SENDER = ("sender.workers=6", "until=2h")
"""Six workers of one username and IP: enough to reach the ceiling, with none to spare for a
strategy that does not pace.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One world: its name, what surviving it proves, how it is judged, its settings as
    ``dotted.key=TOML``.
    """

    name: str
    proves: str
    judged: Judged
    settings: tuple[str, ...]


BATCH = ("workload.kind=batch", "workload.messages=1000")

WORLDS = (
    Kind("batch", "A thousand messages at once stay within the limits.", "no incident", BATCH),
    Kind(
        "poisson near the ceiling",
        "Random arrivals at nine tenths of the ceiling are kept up with.",
        "no incident",
        ("workload.kind=poisson", "workload.rate=540/min", "workload.for=3m"),
    ),
    Kind(
        "bursts",
        "After a pause the sender does not make up for lost time all at once.",
        "no incident",
        ("workload.kind=bursts", "workload.size=300", "workload.every=90s", "workload.for=5m"),
    ),
    Kind(
        "slow relay",
        "A relay that takes 0.2 s for each command is waited for.",
        "no incident",
        (*BATCH, 'faults.slow={ at = "0s", for = "2h", factor = 40 }'),
    ),
    Kind(
        "dropped connections",
        "What was under way on a connection that dies is sent again.",
        "nothing lost",
        (*BATCH, "faults.drop_connection=0.01"),
    ),
    Kind(
        "relay away",
        "Two minutes without a relay delay messages and lose none.",
        "nothing lost",
        (*BATCH, 'faults.relay_down=[{ at = "30s", for = "2m" }]'),
    ),
    Kind(
        "stale password",
        "Five minutes of a wrong password lead to no block.",
        "no block",
        (*BATCH, 'faults.wrong_password={ from = "30s", until = "330s" }'),
    ),
)
