"""Names the messages that a run lost, by running it once more in a child process: a result only counts them.

The child is started as ``python -m sim.battery.lost``: a person's own file never runs in this process. Only for runs that
ended by themselves, so that the replication does too. Knows nothing of what a run is judged by.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ..scenario import Scenario
from ..world import World, strategy_of


def lost_messages(scenario: Scenario, expected: int, patience: float) -> list[str]:
    """The ids of the ``expected`` messages that the run loses, in order; empty where the child cannot tell.

    ``patience`` is seconds of real time for the whole run.
    """
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]))
    with TemporaryDirectory() as folder:
        asked, told = Path(folder, "asked"), Path(folder, "told")
        asked.write_bytes(pickle.dumps(scenario))
        try:
            subprocess.run(
                [sys.executable, "-m", "sim.battery.lost", str(asked), str(told)], env={**os.environ, "PYTHONPATH": path},
                timeout=patience, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            ids: list[str] = json.loads(told.read_text())
        except (subprocess.SubprocessError, OSError, ValueError):
            return []
    return ids if len(ids) == expected else []


def main(asked: str, told: str) -> None:
    """The child: runs the scenario in the file ``asked`` and writes the ids into ``told``."""
    scenario: Scenario = pickle.loads(Path(asked).read_bytes())  # our own parent wrote it
    if scenario.file:
        sys.path.insert(0, str(scenario.file[0].resolve().parent))
    world = World(scenario, strategy_of(scenario))
    world.run()
    accepted = set(world.recorder.accepted_ids)
    Path(told).write_text(
        json.dumps([name for name in (str(index + 1) for index in world.outbox.lost()) if name not in accepted])
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
