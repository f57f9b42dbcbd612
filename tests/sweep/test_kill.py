"""A sweep that is killed with signal 9 in the middle: nothing is lost, nothing computed twice,
nothing left running.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from sim import sweep
from sim.sweep.store import Store

POINTS = ["sender.workers=1..10", "network.rtt=1ms..40ms..1ms", "workload.messages=400"]
PATIENCE_S = 600


def children_of(parent: int) -> list[int]:
    """The processes whose parent is ``parent``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == parent:
            found.append(int(path.parent.name))
    return found


def until(true) -> None:
    """Waits until ``true()`` is; fails after a time that no machine needs."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def counts(db: Path) -> tuple[int, int]:
    with Store(db) as store:
        return store.counts()


def killed(command: list[str], db: Path) -> tuple[int, int]:
    """The counts of a sweep that was killed in its middle, all of whose processes have ended."""
    for path in db.parent.glob(f"{db.name}*"):  # what SQLite keeps beside it too
        path.unlink()
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: first.poll() is not None or (db.exists() and counts(db)[0] >= 20))
    workers = children_of(first.pid)
    first.kill()
    first.wait()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    there, computed = counts(db)
    assert len(workers) >= 2 or there == 400
    return there, computed


def test_a_killed_sweep_goes_on_where_it_stopped(scenario, tmp_path):
    db = tmp_path / "swept.db"
    settings = [part for point in POINTS for part in ("--set", point)]
    command = [
        sys.executable,
        "-m",
        "sim",
        "sweep",
        str(scenario),
        *settings,
        "--jobs",
        "2",
        "--db",
        str(db),
        "--json",
    ]
    counted = (killed(command, db) for _ in range(10))
    there, computed = next(
        both for both in counted if both[0] < 400
    )  # else it was killed too late: a busy machine
    assert 20 <= there == computed < 400

    second = subprocess.run(command, capture_output=True, check=False, text=True)
    assert f"{400 - there} of them computed now" in second.stderr
    assert counts(db) == (400, 400)
    fresh = sweep.run(sweep.sweep_of(scenario, POINTS), tmp_path / "fresh.db")
    assert json.loads(second.stdout) == list(fresh.rows)
