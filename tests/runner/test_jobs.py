"""A pool of children: the answers, cancelling, sharing, and what a child cannot do to its parent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.runner.jobs import NICER, Job, Pool
from sim.runner.simulation import Finished, Progress, Simulation
from sim.scenario import Scenario, build
from sim.world import simulate

LONG = 300.0
"""Seconds that no test waits: a job that is not done by then never will be."""


Simulated = Job[Progress, Finished]


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(3, ready=1, keep=2, gives_way=True)
    yield pool
    pool.end()


def start(pool: Pool, scenario: Scenario, key: str) -> Simulated:
    return pool.start(Simulation(scenario, 60.0, story=True), key)


def scenario(messages: int = 50, **sender: object) -> Scenario:
    tables = {
        "workload": {"kind": "batch", "messages": messages},
        "sender": {"strategy": "paced", **sender},
    }
    return build(tables, "here", "here", Path())


def finished(job: Simulated) -> Finished:
    assert job.wait(LONG)
    assert isinstance(job.answer, Finished)
    return job.answer


def test_the_answer_is_what_a_run_in_this_process_gives_and_has_the_story(pool):
    answer = finished(start(pool, scenario(), "a"))
    assert answer.result == simulate(scenario())
    assert answer.story is not None
    assert len(answer.story.opened) == answer.result.connections.opened


def test_the_same_key_is_run_once_while_it_is_kept(pool):
    first = start(pool, scenario(), "a")
    finished(first)
    assert start(pool, scenario(), "a") is first
    for key in "bcd":
        finished(start(pool, scenario(), key))
    assert start(pool, scenario(), "a") is not first


def test_a_run_is_stopped_when_the_last_waiter_leaves(pool):
    endless = scenario(5_000_000, workers=50)
    run = start(pool, endless, "long")
    assert start(pool, endless, "long") is run
    cancelled = []
    for _ in range(2):
        run.drop()
        cancelled.append(run.cancelled)
    assert cancelled == [False, True]
    assert run.wait(LONG)
    assert run.answer is None
    assert finished(start(pool, scenario(), "after")).result.messages.accepted == 50
    assert start(pool, endless, "long") is not run


def test_a_long_run_does_not_hold_up_a_short_one_and_reports_its_progress(pool):
    long = start(pool, scenario(2_000_000), "long")
    assert finished(start(pool, scenario(), "short")).result.messages.accepted == 50
    while not long.done.is_set() and not (long.progress and long.progress.settled):
        long.wait(0.05)
    assert (long.progress and 0 < long.progress.share <= 1) or isinstance(long.answer, Finished)
    long.drop()
    assert long.wait(LONG)


def test_long_runs_give_their_places_and_the_processor_to_brief_ones():
    pool = Pool(1, keep=2, gives_way=True)
    long = start(pool, endless(), "long")
    assert finished(start(pool, scenario(), "brief")).result.messages.accepted == 50
    assert not long.done.is_set()
    assert long.long
    assert long.child is not None
    assert os.getpriority(os.PRIO_PROCESS, long.child.pid) == min(
        19, os.getpriority(os.PRIO_PROCESS, 0) + NICER
    )
    long.drop()
    assert long.wait(LONG)
    assert finished(start(pool, scenario(51), "after")).result.messages.accepted == 51
    pool.end()


def endless() -> Scenario:
    """Hours of work: a relay that stays down is tried again every half a millisecond of seven days."""
    tables = {
        "workload": {"kind": "batch", "messages": 10},
        "faults": {"relay_down": [{"at": 0, "for": "8d"}]},
        "network": {"rtt": "0.5ms", "jitter": 0},
        "sender": {"strategy": "retry", "options": {"first": "0.5ms", "longest": "0.5ms"}},
    }
    return build(tables, "here", "here", Path())


def test_a_run_that_nobody_looks_at_is_ended():
    pool = Pool(2, ready=1, keep=2, forsaken=0.5)
    run = start(pool, scenario(5_000_000, workers=50), "long")
    assert run.done.wait(LONG)
    assert run.cancelled
    assert run.answer is None
    pool.end()


def test_a_child_that_ends_itself_is_reported_and_replaced(pool, tmp_path):
    file = tmp_path / "leaves.py"
    file.write_text("import os\n\n\ndef leaves(sender):\n    os._exit(3)\n", encoding="utf-8")
    tables = {
        "workload": {"kind": "batch", "messages": 1},
        "sender": {"strategy": "leaves.py:leaves"},
    }
    answer = finished(start(pool, build(tables, "here", "here", tmp_path), "leaves"))
    assert answer.result.ended == "aborted"
    assert "status 3" in (answer.result.error or "")
    assert finished(start(pool, scenario(), "after")).result.passed
