"""Children kept warm: what they answer, that a run can be stopped, and that one nobody waits for is
ended.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.runner.talk import Told
from sim.runner.warm import NICER, Run, Warm
from sim.scenario import Scenario, build
from sim.world import simulate

LONG = 300.0
"""Seconds that no test waits: a run that is not done by then never will be."""


@pytest.fixture
def warm() -> Iterator[Warm]:
    pool = Warm(3, spare=1, keep=2)
    yield pool
    pool.end()


def scenario(messages: int = 50, **sender: object) -> Scenario:
    tables = {
        "workload": {"kind": "batch", "messages": messages},
        "sender": {"strategy": "paced", **sender},
    }
    return build(tables, "here", "here", Path())


def told(run: Run) -> Told:
    assert run.wait(LONG)
    assert isinstance(run.answer, Told)
    return run.answer


def test_the_answer_is_what_a_run_in_this_process_gives_and_has_the_story(warm):
    answer = told(warm.start(scenario(), "a"))
    assert answer.result == simulate(scenario())
    assert answer.story is not None
    assert len(answer.story.opened) == answer.result.connections.opened


def test_the_same_key_is_run_once_while_it_is_kept(warm):
    first = warm.start(scenario(), "a")
    told(first)
    assert warm.start(scenario(), "a") is first
    for key in "bcd":
        told(warm.start(scenario(), key))
    assert warm.start(scenario(), "a") is not first


def test_a_run_is_stopped_when_the_last_who_waits_lets_it_go(warm):
    endless = scenario(5_000_000, workers=50)
    run = warm.start(endless, "long")
    assert warm.start(endless, "long") is run
    run.let_go()
    assert not run.cancelled
    run.let_go()
    assert run.cancelled
    assert run.wait(LONG)
    assert run.answer is None
    assert told(warm.start(scenario(), "after")).result.messages.accepted == 50
    assert warm.start(endless, "long") is not run


def test_a_long_run_does_not_hold_up_a_short_one_and_says_how_far_it_has_come(warm):
    long = warm.start(scenario(2_000_000), "long")
    assert told(warm.start(scenario(), "short")).result.messages.accepted == 50
    while not long.done.is_set() and not long.reached.settled:
        long.wait(0.05)
    assert 0 < long.reached.share <= 1 or isinstance(long.answer, Told)
    long.let_go()
    assert long.wait(LONG)


def test_long_runs_give_their_places_and_the_processor_to_brief_ones():
    warm = Warm(1, spare=0)
    long = warm.start(endless(), "long")
    assert told(warm.start(scenario(), "brief")).result.messages.accepted == 50
    assert not long.done.is_set()
    assert long.long
    assert long._child is not None
    assert os.getpriority(os.PRIO_PROCESS, long._child.process.pid) == min(
        19, os.getpriority(os.PRIO_PROCESS, 0) + NICER
    )
    long.let_go()
    assert long.wait(LONG)
    assert told(warm.start(scenario(51), "after")).result.messages.accepted == 51
    warm.end()


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
    warm = Warm(2, spare=1, forsaken=0.5)
    run = warm.start(scenario(5_000_000, workers=50), "long")
    assert run.done.wait(LONG)
    assert run.cancelled
    assert run.answer is None
    warm.end()


def test_a_child_that_ends_itself_is_reported_and_replaced(warm, tmp_path):
    file = tmp_path / "leaves.py"
    file.write_text("import os\n\n\ndef leaves(sender):\n    os._exit(3)\n", encoding="utf-8")
    tables = {
        "workload": {"kind": "batch", "messages": 1},
        "sender": {"strategy": "leaves.py:leaves"},
    }
    answer = told(warm.start(build(tables, "here", "here", tmp_path), "leaves"))
    assert answer.result.ended == "aborted"
    assert "status 3" in (answer.result.error or "")
    assert told(warm.start(scenario(), "after")).result.passed
