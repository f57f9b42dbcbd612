"""The battery: what passes, what fails and why in words, and that the command of a run gives that
very run again.
"""

from __future__ import annotations

import io
import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from sim import battery
from sim.cli import cli
from sim.errors import ScenarioError
from sim.limits import WINDOWS

FORGETS = "tests/strategies_for_tests/forgets.py"


def verdict_on(strategy, repository, **more):
    return battery.validate(strategy, repository, options={}, **{"seeds": 1, "jobs": 2, **more})


@pytest.fixture(scope="module")
def forgetful(repository):
    return verdict_on(f"{FORGETS}:forgets", repository)


def printed(verdict):
    told = io.StringIO()
    battery.print_verdict(verdict, Console(file=told, width=100))
    return told.getvalue()


def replayed(command):
    """What the command prints as JSON."""
    return (
        CliRunner().invoke(cli, [*shlex.split(command)[1:], "--json"], standalone_mode=False).stdout
    )


def test_paced_survives_every_world(repository):
    told = []
    verdict = verdict_on(
        "paced", repository, seeds=2, on_result=lambda index, _: told.append(index)
    )
    assert [one.why for one in verdict.worlds if not one.passed] == []
    assert verdict.passed
    assert verdict.smallest_failing is None
    assert {(one.world, one.window, one.seed) for one in verdict.worlds} == {
        (kind.name, window, seed)
        for kind in battery.WORLDS
        for window in WINDOWS
        for seed in (1, 2)
    }
    assert sorted(told) == list(range(len(verdict.worlds)))
    assert "passed: all of 70 runs" in printed(verdict)


@pytest.mark.parametrize("strategy", ["one-connection", "connection-per-message"])
def test_a_strategy_that_ignores_the_limits_fails(repository, strategy):
    verdict = verdict_on(strategy, repository)
    assert not verdict.passed
    batch = next(one for one in verdict.worlds if one.world == "batch")
    assert "lost" in batch.why
    assert "incident" in batch.why


def test_lost_messages_are_named(forgetful):
    failing = forgetful.smallest_failing
    assert failing is not None
    assert f"lost {failing.result.messages.lost:,} messages: " in failing.why
    batch = min(
        (one for one in forgetful.worlds if one.world == "batch"),
        key=lambda one: one.result.duration_s,
    )
    # Every sixth message is refused; six workers take six each, so these are the first ten.
    assert "messages: 6, 12, 18, 24, 30, 36, 42, 48, 54, 60 and 156 more" in batch.why
    losing = [one for one in forgetful.worlds if one.result.messages.lost]
    assert len(losing) > 5
    assert all(f"messages: {', '.join(one.result.first_lost)} and " in one.why for one in losing)
    shown = printed(forgetful)
    assert failing.command in shown
    assert "failed: " in shown


def test_the_command_replays_the_run(forgetful, repository, monkeypatch):
    monkeypatch.chdir(repository)
    for name in ("batch", "stale password"):
        one = next(one for one in forgetful.worlds if one.world == name)
        assert replayed(one.command) == one.result.to_json() + "\n"


def test_the_json_form(forgetful):
    form = json.loads(json.dumps(forgetful.to_dict(), allow_nan=False))
    assert set(form) == {"passed", "worlds"}
    assert set(form["worlds"][0]) == {
        "world",
        "window",
        "seed",
        "passed",
        "why",
        "command",
        "result",
    }
    assert form["worlds"][0]["result"]["schema"] == 1
    assert "first_lost" not in form["worlds"][0]["result"]


@pytest.mark.parametrize("strategy", ["nowhere.py:send", f"{FORGETS}:forgot", "pacedd"])
def test_a_strategy_that_is_not_there_is_one_mistake(repository, strategy):
    with pytest.raises(ScenarioError) as caught:
        verdict_on(strategy, repository)
    assert not caught.value.others


def test_a_file_that_raises_on_import_is_one_mistake(tmp_path: Path):
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(ScenarioError, match="ZeroDivisionError"):
        verdict_on("broken.py:send", tmp_path)


def test_an_exception_is_told(repository):
    verdict = verdict_on(f"{FORGETS}:raises", repository)
    assert "no such luck" in verdict.worlds[0].why
    assert not any(one.passed for one in verdict.worlds)
