"""The same sweep on a real Dask cluster: the same bytes, also when a worker is killed in the
middle.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import dask
import pytest
from distributed import Client, LocalCluster

from sim import sweep
from sim.cli import main
from sim.errors import ScenarioError
from sim.sweep.store import Store

PATIENCE_S = 300
"""Seconds for anything that must come; no test passes by waiting so long."""

POINTS = ["sender.workers=1..8", "network.rtt=1ms..20ms..1ms", "workload.messages=300"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two worker processes on loopback."""
    patient = {f"distributed.comm.timeouts.{what}": f"{PATIENCE_S}s" for what in ("connect", "tcp")}
    with dask.config.set(patient), pytest.MonkeyPatch.context() as patch:
        patch.setattr("sim.sweep.work.SECONDS_TO_ANSWER", PATIENCE_S)
        made = LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
            local_directory=str(tmp_path_factory.mktemp("dask")),
        )
        yield made
        made.close(PATIENCE_S)


def test_the_same_bytes_locally_and_on_dask_though_a_worker_is_killed(scenario, tmp_path, cluster):
    made = sweep.sweep_of(scenario, POINTS)
    killed = list[int]()
    with Client(cluster.scheduler_address, set_as_default=False, timeout=PATIENCE_S) as client:
        pids = list(client.run(os.getpid).values())

    def kill_one(done: int, total: int) -> None:
        if done > 10 and not killed:
            killed.append(pids[0])
            os.kill(pids[0], signal.SIGKILL)

    on_dask = sweep.run(
        made, tmp_path / "dask.db", dask=cluster.scheduler_address, on_progress=kill_one
    )
    here = sweep.run(made, tmp_path / "here.db")
    assert killed
    assert json.dumps(on_dask.rows) == json.dumps(here.rows)
    with Store(tmp_path / "dask.db") as one, Store(tmp_path / "here.db") as other:
        assert one.counts() == other.counts() == (160, 160)
        assert one.known(["none"]) == set()
    assert (
        sweep.run(made, tmp_path / "dask.db").computed == 0
    )  # what was computed there is known here


def test_the_command_takes_its_address(scenario, tmp_path, cluster, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "sweep",
                str(scenario),
                "--set",
                "sender.workers=1..3",
                "--dask",
                cluster.scheduler_address,
                "--json",
            ]
        )
    assert ended.value.code == 0
    assert len(json.loads(capsys.readouterr().out)) == 3
    assert Path("short.sweep.db").exists()


def test_a_cluster_that_is_not_there_is_one_line(scenario, tmp_path, monkeypatch):
    monkeypatch.setattr("sim.sweep.work.SECONDS_TO_ANSWER", 0.2)
    with pytest.raises(ScenarioError, match="no cluster answers"):
        sweep.run(sweep.sweep_of(scenario, []), tmp_path / "db", dask="tcp://127.0.0.1:9")
