"""A sweep of 2,000 short runs on one core and on two: how much faster two are, and that both find the same.

Each run is 250 to 1,000 messages of ``paced``. Prints both times and their ratio; on a machine that does something else besides,
the ratio says more of that than of this.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from sim import sweep

SETTINGS = ["sender.workers=1..8", "workload.messages=250,500,750,1000", "policy.window=fixed,sliding"]
RUNS = 2_000
TEXT = """
[workload]
kind = "batch"
messages = 1000
[sender]
strategy = "paced"
"""


def timed(folder: Path, jobs: int) -> tuple[sweep.Swept, float]:
    """The sweep with an empty database, and the real seconds that it took."""
    path = folder / "short.toml"
    path.write_text(TEXT, encoding="utf-8")
    found = sweep.sweep_of(path, SETTINGS, seeds=-(-RUNS // 64))
    begun = time.perf_counter()
    swept = sweep.run(found, folder / f"{jobs}.db", jobs=jobs)
    return swept, time.perf_counter() - begun


def main() -> None:
    """Runs both and prints the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        one, alone = timed(Path(folder), 1)
        two, together = timed(Path(folder), 2)
    if one.rows != two.rows:
        raise SystemExit("sweep: the rows differ between one core and two")
    print(f"sweep of {len(one.rows):,} runs: {alone:.1f} s on one core, {together:.1f} s on two; ratio {alone / together:.2f}")


if __name__ == "__main__":
    main()
