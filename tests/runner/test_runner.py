"""A person's own code in child processes: whatever it does, one honest result, and the others of
the batch still run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sim.errors import ScenarioError
from sim.measure import Result
from sim.runner import Answer, run_many
from sim.runner.children import Child
from sim.scenario import Scenario, build

FOLDER = Path(__file__).parent.parent / "strategies_for_tests"


PATIENCES = (1.0, 10.0, 60.0)
"""Seconds: the first is enough, but on a machine so busy that it does not even load a strategy
meanwhile.
"""


def scenario(strategy: str, **more: Any) -> Scenario:
    """A batch of 1,000 for ``strategy``."""
    tables = {
        "until": "1h",
        "workload": {"kind": "batch", "messages": 1000},
        "sender": {"strategy": strategy},
        **more,
    }
    return build(tables, f"{strategy}.toml", strategy, FOLDER)


def ran(name: str, patience: float = 60.0) -> Answer:
    return run_many([scenario(f"misbehave.py:{name}")], patience=patience)[0]


def result(name: str, patience: float = 60.0) -> Result:
    return counted(ran(name, patience))


def counted(answer: Answer) -> Result:
    assert isinstance(answer, Result)
    assert (
        answer.messages.submitted
        == answer.messages.accepted + answer.messages.lost + answer.messages.waiting
        == 1000
    )
    return answer


def test_one_that_throws_after_a_hundred_messages_keeps_the_hundred() -> None:
    found = result("throws_late")
    assert (found.ended, found.passed, found.messages.accepted, found.messages.waiting) == (
        "aborted",
        False,
        100,
        900,
    )
    assert "KeyError: 'oops' (misbehave.py line 15)" in str(found.error)


@pytest.mark.parametrize("name", ["loops", "swallows"])
def test_one_that_loops_for_ever_is_stopped_by_the_watchdog(name: str) -> None:
    for patience in PATIENCES:
        answer = ran(name, patience)
        if isinstance(answer, Result):
            break
        assert f"did not finish loading within {patience:g} s" in answer.problem
    found = counted(answer)
    assert (found.ended, found.messages.waiting) == ("aborted", 1000)
    assert "made no progress beyond virtual time 0 s" in str(found.error)


def test_one_that_asks_the_time_for_ever_is_stopped_by_the_bound_on_calls() -> None:
    found = result("asks_the_time")
    assert found.ended == "aborted"
    assert "1,000,000 calls at 0 s" in str(found.error)


def test_one_that_never_takes_loses_everything() -> None:
    found = result("never_takes")
    assert (found.ended, found.messages.lost, found.duration_s) == ("settled", 1000, 100.0)


def test_one_that_takes_all_the_memory_is_stopped() -> None:
    found = result("takes_memory")
    assert found.ended == "aborted"
    assert "MemoryError" in str(found.error)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ends_the_process", "ended its own process with status 3"),
        ("exits", "SystemExit: 4"),
        ("lies", "no message of the outbox"),
        ("puts_back_twice", "in the outbox already"),
        ("puts_back_a_string", "which is no message"),
    ],
)
def test_others_that_break_are_told_what_they_did(name: str, said: str) -> None:
    found = result(name)
    assert (found.ended, found.passed) == ("aborted", False)
    assert said in str(found.error)


def test_one_that_swallows_its_own_end_is_left_behind() -> None:
    found = result("will_not_end")
    assert (found.ended, found.messages.waiting) == ("until", 1000)


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        ("misbehave.py:nobody", "has no nobody"),
        ("misbehave.py:other", "not named sender"),
        ("raises_on_import.py:strategy", "cannot be loaded at line 3: ValueError"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_mistake_with_place_and_key(
    strategy: str, said: str
) -> None:
    answer = run_many([scenario(strategy)])[0]
    assert isinstance(answer, ScenarioError)
    assert (answer.place, answer.key) == (f"{strategy}.toml", "sender.strategy")
    assert said in answer.problem


def test_the_others_of_a_batch_still_run_and_in_their_order() -> None:
    names = [
        "one-connection",
        "misbehave.py:loops",
        "misbehave.py:prints",
        "misbehave.py:ends_the_process",
        "paced",
    ]
    seen: list[int] = []
    for patience in PATIENCES:
        seen.clear()
        each = [scenario(name) for name in names]
        answers = run_many(
            each, jobs=2, patience=patience, on_result=lambda index, _: seen.append(index)
        )
        assert sorted(seen) == [0, 1, 2, 3, 4]
        ends = [answer.ended if isinstance(answer, Result) else None for answer in answers]
        if ends == ["settled", "aborted", "settled", "aborted", "settled"]:
            break
    assert ends == ["settled", "aborted", "settled", "aborted", "settled"]
    assert [answer.messages.accepted for answer in answers if isinstance(answer, Result)] == [
        5,
        0,
        1000,
        0,
        1000,
    ]


def test_the_same_bytes_whatever_jobs_is() -> None:
    scenarios = [
        scenario(name, seed=seed)
        for name in ("paced", "retry", "misbehave.py:prints")
        for seed in (1, 2)
    ]
    alone, together = (run_many(scenarios, jobs=jobs) for jobs in (1, 2))
    texts = [
        [answer.to_json() for answer in answers if isinstance(answer, Result)]
        for answers in (alone, together)
    ]
    assert len(texts[0]) == len(scenarios)
    assert texts[0] == texts[1]
    assert texts[0][0] != texts[0][1]  # another seed is another run


def test_ctrl_c_at_the_terminal_reaches_the_parent_alone() -> None:
    child = Child()
    try:
        assert os.getpgid(child.process.pid) != os.getpgrp(), (
            "a child that is still starting would print a traceback"
        )
    finally:
        child.end()
