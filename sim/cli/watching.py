"""The output of ``relaysim serve`` while it runs: a screen on a terminal, and a log of events.

``Watching`` decides when the screen is drawn; ``sim.report.screen`` draws it.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.live import Live

from ..errors import ScenarioError
from ..live import LiveRelay, with_port
from ..live.observers import EventLog, LatestIncidents
from ..report.screen import Moment, screen

EVERY_S = 0.5
"""Seconds between two updates of the screen."""

STDERR = "-"
"""The name that selects stderr for the log."""


class Watching:
    """Create it before the relay starts, call ``begin`` after its start and ``end`` after its stop.
    ``log`` is a file's name, STDERR or None.
    """

    def __init__(self, live: LiveRelay, log: str | None) -> None:
        self._live = live
        self._stack = ExitStack()
        self._task: asyncio.Task[None] | None = None
        self._latest = LatestIncidents(live.clock.origin)
        self._on_screen = sys.stderr.isatty() and log != STDERR
        if log is not None:
            live.observers.add(EventLog(self._opened(log), live.clock.origin))
        if self._on_screen:
            live.observers.add(self._latest)

    def begin(self) -> None:
        """Shows the screen, if stderr is a terminal."""
        if self._on_screen:
            live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
            self._task = asyncio.get_running_loop().create_task(
                self._show(self._stack.enter_context(live))
            )

    async def end(self) -> None:
        """Removes the screen and closes the log."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._stack.close()

    async def _show(self, live: Live) -> None:
        while True:
            live.update(screen(self._moment()), refresh=True)
            await asyncio.sleep(EVERY_S)

    def _moment(self) -> Moment:
        live = self._live
        now = live.clock.now()
        return Moment(
            where=with_port(live.settings.bind[0], live.port),
            result=live.result(),
            policy=live.relay.policy,
            rate=live.tally.accepted_rate.level(now - live.clock.origin),
            open=len(live.connections),
            uses=live.tally.uses(now),
            latest=list(self._latest.incidents),
        )

    def _opened(self, log: str) -> TextIO:
        if log == STDERR:
            return sys.stderr
        try:
            return self._stack.enter_context(Path(log).open("w", encoding="utf-8"))
        except (OSError, ValueError) as error:
            problem = f"cannot be written: {getattr(error, 'strerror', None) or error}"
            raise ScenarioError(log, "--json-log", problem) from None
