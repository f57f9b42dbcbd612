"""A sweep of 2,000 short runs on one core and on two: how much faster two are, and that both find
the same.

Each run is 250 to 1,000 messages of ``paced``. Prints both times and their ratio; and the same of
processor time, as if each child had a core to itself, because on a machine that does something else
besides, the first ratio says more of that than of this.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from sim import sweep

SETTINGS = [
    "sender.workers=1..8",
    "workload.messages=250,500,750,1000",
    "policy.window=fixed,sliding",
]
RUNS = 2_000
TEXT = """
[workload]
kind = "batch"
messages = 1000
[sender]
strategy = "paced"
"""


def processor() -> tuple[float, float]:
    """Seconds of processor time so far: of this process, and of its children that have ended."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime, theirs.ru_utime + theirs.ru_stime


def timed(folder: Path, jobs: int) -> tuple[sweep.Swept, float, float]:
    """The sweep with an empty database, the real seconds that it took, and the processor's on as
    many free cores.
    """
    path = folder / "short.toml"
    path.write_text(TEXT, encoding="utf-8")
    found = sweep.sweep_of(path, SETTINGS, seeds=-(-RUNS // 64))
    begun, (mine, theirs) = time.perf_counter(), processor()
    swept = sweep.run(found, folder / f"{jobs}.db", jobs=jobs)
    taken, (own, children) = time.perf_counter() - begun, processor()
    return swept, taken, own - mine + (children - theirs) / jobs


def main() -> None:
    """Runs both and prints the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        one, alone, alone_cpu = timed(Path(folder), 1)
        two, together, together_cpu = timed(Path(folder), 2)
    if one.rows != two.rows:
        raise SystemExit("sweep: the rows differ between one core and two")
    print(
        f"sweep of {len(one.rows):,} runs: {alone:.1f} s on one core, {together:.1f} s on two; ratio {alone / together:.2f}"
    )
    print(
        f"of processor time {alone_cpu:.1f} s and {together_cpu:.1f} s; ratio {alone_cpu / together_cpu:.2f}"
    )


if __name__ == "__main__":
    main()
