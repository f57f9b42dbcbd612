"""A worker that will not be stopped. In a process of its own, since its thread stays behind until
that ends.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
from contextlib import suppress
from sim.production import send
from tests.receiver import receiver, workload

def strategy(sender):
    if sender.username == "user1":
        raise RuntimeError("broken")
    while True:
        with suppress(BaseException):
            sender.take()

with receiver(usernames=[("user1", "secret"), ("user2", "secret")]) as (_, account):
    outcome = send(strategy, workload(1), account, workers=2)
print(outcome.ended, outcome.submitted, str(outcome.error).splitlines()[-1])
"""


def test_a_worker_that_swallows_its_own_end_is_left_behind() -> None:
    command = [sys.executable, "-c", PROGRAM]
    root = Path(__file__).parent.parent
    ended = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stderr, ended.stdout) == (
        0,
        "",
        "aborted 1 RuntimeError: broken\n",
    )
