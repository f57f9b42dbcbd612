"""Sweeps: every point once, none twice, mistakes told before anything runs, rows that are the runs'
own, files and figures.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from sim import sweep
from sim.errors import ScenarioError
from sim.report import sweep as report
from sim.scenario import load_scenario
from sim.sweep.keys import PARTS, Keys
from sim.sweep.store import Row, Store, write_csv, write_parquet
from sim.sweep.work import Lot, metrics_text, run_lot
from sim.world import simulate

GRID = ["sender.workers=1..3", "policy.transactions_per_connection=5,4"]


def swept(path: Path, settings: list[str], **more: Any) -> sweep.Swept:
    """The sweep of ``path``, kept beside it."""
    made = {key: more.pop(key) for key in ("hypercube_points", "seeds", "seed") if key in more}
    return sweep.run(sweep.sweep_of(path, settings, **made), path.with_suffix(".db"), **more)


def test_each_row_is_the_run_of_its_point(scenario):
    found = swept(scenario, GRID, seeds=2)
    assert len(found.rows) == found.computed == 12
    for row in found.rows:
        overrides = [
            f"{key}={row[key]}" for key in ("sender.workers", "policy.transactions_per_connection")
        ]
        result = simulate(load_scenario(scenario, overrides, row["seed"]))
        assert row["throughput.mean_per_min"] == result.throughput.mean_per_min
        assert row["incidents.by_limit.transactions_per_connection"] == result.incidents.total
        assert row["passed"] == result.passed
    assert [row["seed"] for row in found.rows][:4] == [7, 8, 7, 8]


def test_an_identical_run_is_never_computed_twice(scenario):
    assert swept(scenario, GRID).computed == 6
    again = swept(scenario, GRID)
    assert (again.computed, len(again.rows)) == (0, 6)
    wider = swept(scenario, ["sender.workers=1..4", GRID[1]], seeds=2)
    assert (wider.computed, len(wider.rows)) == (10, 16)
    with Store(scenario.with_suffix(".db")) as store:
        assert store.counts() == (16, 16)


def test_a_point_that_comes_twice_is_computed_once(scenario):
    found = swept(scenario, ["sender.workers=2,2,2"])
    assert (found.computed, len(found.rows)) == (1, 3)


def test_progress_counts_what_is_known_and_what_is_done(scenario):
    swept(scenario, ["sender.workers=1..2"])
    seen: list[tuple[int, int]] = []
    swept(scenario, ["sender.workers=1..5"], on_progress=lambda *one: seen.append(one))
    assert seen[0] == (2, 5)
    assert seen[-1] == (5, 5)


@pytest.mark.parametrize("jobs", [2, 3])
def test_the_same_bytes_whatever_jobs_is(scenario, tmp_path, jobs):
    made = sweep.sweep_of(scenario, ["sender.workers=1..20", GRID[1]])
    alone = sweep.run(made, tmp_path / "one")
    together = sweep.run(made, tmp_path / "many", jobs=jobs)
    assert json.dumps(alone.rows) == json.dumps(together.rows)
    assert together.computed == 40
    with Store(tmp_path / "many") as store:
        assert store.counts() == (40, 40)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["sender.wrkers=1..3"], 'did you mean "workers"'),
        (["sender.workers=0..3"], "too small; at least 1"),
        (["sender.options.pause=0.1s,soon"], "is not a duration"),
        (["sender.usernames=1,2"], "is more than workers"),
        (["sender.workers=1,2", "sender.workers=3"], "is given twice"),
    ],
)
def test_a_value_that_cannot_be_is_told_before_anything_runs(scenario, settings, said):
    with pytest.raises(ScenarioError, match=said):
        swept(scenario, settings)
    assert not scenario.with_suffix(".db").exists()


def test_a_combination_that_cannot_be_is_told_beside_the_others(scenario):
    found = swept(scenario, ["sender.workers=1,2", "sender.usernames=1,2"])
    assert (len(found.rows), found.computed, len(found.mistakes)) == (3, 3, 1)
    assert "sender.workers=1, sender.usernames=2" in str(found.mistakes[0])


def test_a_persons_own_strategy_runs_in_a_child_and_its_text_is_part_of_the_key(scenario):
    (scenario.parent / "mine.py").write_text(
        "def one(sender):\n    sender.take()\n", encoding="utf-8"
    )
    text = (
        scenario.read_text(encoding="utf-8")
        .replace('"batches"', '"mine.py:one"')
        .replace('options = { pause = "0.1s" }', "")
    )
    scenario.write_text(text, encoding="utf-8")
    assert swept(scenario, ["sender.workers=1,2"]).rows[0]["messages.lost"] == 60
    assert swept(scenario, ["sender.workers=1,2"]).computed == 0
    (scenario.parent / "mine.py").write_text(
        "def one(sender):\n    sender.take(9)\n", encoding="utf-8"
    )
    assert swept(scenario, ["sender.workers=1,2"]).computed == 2


def test_the_key_is_of_everything_that_decides_and_of_nothing_else(tmp_path):
    keys = Keys(tmp_path)
    tables = {"workload": {"kind": "batch", "messages": 1}, "sender": {"strategy": "paced"}}
    same = keys.key(tables, 1)
    assert keys.key({**tables, "title": "other"}, 1) == same
    assert keys.key(dict(reversed(tables.items())), 1) == same
    others = [
        keys.key(tables, 2),
        keys.key({**tables, "until": "1h"}, 1),
        keys.key({**tables, "policy": {"window": "gcra"}}, 1),
    ]
    assert len({same, *others}) == 4
    own = {**tables, "policy": {"use": "./own.toml"}}
    found = set()
    for text in ("title = 1", "title = 2"):
        (tmp_path / "own.toml").write_text(text, encoding="utf-8")
        found.add(Keys(tmp_path).key(own, 1))
    assert len(found) == 2


def test_a_hypercube_is_resumed_too(scenario):
    settings = ["network.rtt=1ms..90ms", "sender.options.pause=0.0s..1.0s"]
    first = swept(scenario, settings, hypercube_points=9)
    assert (first.computed, first.sweep.varied) == (9, ["network.rtt", "sender.options.pause"])
    assert swept(scenario, settings, hypercube_points=9).computed == 0
    assert swept(scenario, settings, hypercube_points=9, seed=8).computed == 9


def test_another_file_is_not_taken_for_a_store(scenario, tmp_path):
    for name, content in (
        ("text", b"not a database at all, but long enough to be looked at" * 20),
        ("other", None),
    ):
        path = tmp_path / name
        if content is None:
            import sqlite3

            with sqlite3.connect(path) as db:
                db.execute("CREATE TABLE other (x)")
            db.close()
        else:
            path.write_bytes(content)
        with pytest.raises(ScenarioError, match="--db"):
            sweep.run(sweep.sweep_of(scenario, []), path)


def test_a_store_counts_what_was_computed_twice(tmp_path):
    with Store(tmp_path / "db") as store:
        store.keep([Row("a", 1, "{}"), Row("b", 1, "{}")])
        store.keep([Row("a", 1, "{}")])
        assert store.counts() == (2, 3)
        assert store.known(["a", "c"]) == {"a"}
        assert list(store.rows(["c", "b"])) == [None, {}]


def test_a_worker_with_another_version_is_refused(scenario):
    lot = Lot({}, "x", "x", ".", "another digest", 1.0, ())
    with pytest.raises(ScenarioError, match="another version"):
        run_lot(lot)


def test_csv_and_parquet_hold_every_row(scenario, tmp_path):
    rows = swept(scenario, [*GRID, "policy.window=fixed,gcra"]).rows
    write_csv(rows, tmp_path / "rows.csv")
    write_parquet(rows, tmp_path / "rows.parquet")
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert len(read) == len(rows) == 12
    assert [float(row["throughput.mean_per_min"]) for row in read] == [
        row["throughput.mean_per_min"] for row in rows
    ]
    table = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [row["incidents.total"] for row in table] == [row["incidents.total"] for row in rows]
    assert [row["policy.window"] for row in table] == [row["policy.window"] for row in rows]
    assert table[0]["incidents.first_s"] == rows[0]["incidents.first_s"]


def test_the_figures_show_the_rows(scenario, tmp_path):
    found = swept(scenario, ["sender.workers=1..3", "network.rtt=10ms,40ms"], seeds=2)
    figure = report.line(found.rows, "sender.workers", "throughput.mean_per_min", "network.rtt")
    lines = figure.axes[0].get_lines()
    assert len(lines) == 2
    chosen = [row for row in found.rows if row["network.rtt"] == "10ms"]
    means = [
        sum(r["throughput.mean_per_min"] for r in chosen if r["sender.workers"] == many) / 2
        for many in (1, 2, 3)
    ]
    assert np.asarray(lines[0].get_ydata()).tolist() == pytest.approx(means)
    cells = (
        report.heat_map(found.rows, "sender.workers", "network.rtt", "throughput.mean_per_min")
        .axes[0]
        .images[0]
        .get_array()
    )
    assert cells is not None
    assert cells[0].tolist() == pytest.approx(means)
    assert len(report.write_sweep(found, ["incidents.total"], tmp_path / "out")) == 3


def test_every_part_that_a_key_hashes_exists():
    package = Path(sweep.__file__).parents[1]
    assert [part for part in PARTS if not (package / part).exists()] == []


def test_metrics_are_the_same_bytes_each_time(scenario):
    texts = {metrics_text(simulate(load_scenario(scenario))) for _ in range(2)}
    assert len(texts) == 1
