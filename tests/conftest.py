"""What all tests share: how hypothesis draws, where the repository is, and that a skipped test can
be made a failure.

Knows nothing of relaysim. Hypothesis draws the same examples every time, so that a failure here is
a failure everywhere, and has no deadline, since no test depends on the speed of a machine;
``--hypothesis-profile=explore`` draws new ones. With ``RELAYSIM_NO_SKIPS=1`` a run that skipped a
test fails and names it: whoever installed everything wants everything run. Where several processes
run the tests, one that measures real time may ask for a while in which no other test runs:
``alone``.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "explore", parent=settings.get_profile("steady"), derandomize=False, max_examples=1_000
)
settings.load_profile("steady")

os.environ["MPLBACKEND"] = "Agg"  # figures are drawn to files, also where there is a screen


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that pyproject.toml is in."""
    return Path(__file__).parents[1]


class Turns:
    """Whose turn it is among the processes of a run: any number of tests at once, or one alone.

    Every test has the lock of the room together with others; who wants to be alone has it whole.
    Each stands in the queue before it enters, so that who wants to be alone waits for no test that
    has not begun.
    """

    def __init__(self, queue: IO[str], room: IO[str]) -> None:
        self._queue = queue
        self._room = room

    @contextmanager
    def beside_others(self) -> Iterator[None]:
        """One test among others."""
        self._enter(fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A while of such a test in which no other runs."""
        fcntl.flock(self._room, fcntl.LOCK_UN)
        self._enter(fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_SH)

    def _enter(self, how: int) -> None:
        fcntl.flock(self._queue, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._room, how)
        finally:
            fcntl.flock(self._queue, fcntl.LOCK_UN)


@pytest.fixture(scope="session")
def turns(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Turns]:
    """Those of this run, whose processes have folders side by side."""
    folder = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        folder = folder.parent
    with (folder / "turns.queue").open("w") as queue, (folder / "turns.room").open("w") as room:
        yield Turns(queue, room)


@pytest.fixture(autouse=True)
def _turn(turns: Turns) -> Iterator[None]:
    with turns.beside_others():
        yield


@pytest.fixture
def alone(turns: Turns) -> Callable[[], AbstractContextManager[None]]:
    """Makes a block in which no other test of this run runs, for one that measures real time."""
    return turns.alone


def skipped(config: pytest.Config) -> list[str]:
    """The tests that were skipped, each with its reason; under xdist the controller has those of
    all workers.
    """
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    rows = terminal.stats.get("skipped", []) if terminal else []
    return [
        f"{row.nodeid}: {row.longrepr[2] if isinstance(row.longrepr, tuple) else row.longrepr}"
        for row in rows
    ]


def no_skips(config: pytest.Config) -> bool:
    """Whether a skipped test fails this run. Only the controller judges: a worker of xdist sees a
    part of the tests.
    """
    return os.environ.get("RELAYSIM_NO_SKIPS", "") not in ("", "0") and not hasattr(
        config, "workerinput"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if (
        no_skips(session.config)
        and skipped(session.config)
        and session.exitstatus == pytest.ExitCode.OK
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    names = skipped(config) if no_skips(config) else []
    if names:
        terminalreporter.section("skipped, which RELAYSIM_NO_SKIPS makes a failure", red=True)
        for name in names:
            terminalreporter.line(name)
