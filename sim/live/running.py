"""A live relay in a thread of its own, for tests and for whoever has no asyncio loop. Knows nothing
of the command line.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from ..measure import Result
from ..relay import Policy
from ..scenario import Scenario, build
from .changes import Changeable
from .door import Door
from .settings import Settings, Timeouts

T = TypeVar("T")

QUIET = {"rtt": 0, "jitter": 0, "relay_time": 0}
"""Nothing is held back."""


def scenario_of(
    tables: Mapping[str, Any] | None = None, overrides: Sequence[str] = (), seed: int | None = None
) -> Scenario:
    """The scenario of a relay that was given none: no delays, no faults; ``tables`` and
    ``overrides`` laid on.
    """
    base: dict[str, Any] = {
        "workload": {"kind": "batch", "messages": 1},
        "sender": {"strategy": "one-connection"},
        "network": QUIET,
    }
    given = {key: value for key, value in (tables or {}).items() if value is not None}
    return build(
        {**base, **given, "network": {**QUIET, **given.get("network", {})}},
        "live relay",
        "live",
        Path(),
        overrides,
        seed,
    )


class Running(Changeable):
    """A relay that runs in a thread. ``certificate`` is the file to trust, None without TLS;
    ``tls_port`` 0 without one.
    """

    host = "127.0.0.1"

    def __init__(self, settings: Settings) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="relaysim live", daemon=True
        )
        self._thread.start()
        self._stopped = False
        try:
            self.door = self.call(lambda: Door(settings))
            asyncio.run_coroutine_threadsafe(self.door.start(), self._loop).result()
        except BaseException:
            self._end_thread()
            raise
        self.port = self.door.port
        self.tls_port = self.door.tls_port
        self.http_port = self.door.http_port
        self.certificate: Path | None = (
            self.door.certificate.certificate if self.door.certificate else None
        )

    def call(self, function: Callable[[], T]) -> T:
        """``function()`` in the relay's own thread, between two of its events; afterwards in this
        one.
        """
        if self._stopped:
            return function()

        async def called() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result()

    def result(self) -> Result:
        """The result as it stands, or as it ended."""
        return self.call(self.door.result)

    def transcripts(self) -> list[list[str]]:
        """What was said on each connection so far, in the order in which they were opened."""

        def copied() -> list[list[str]]:
            assert self.door.relay.transcripts is not None, "start it with transcripts=True"
            return [list(each.lines) for each in self.door.relay.transcripts.values()]

        return self.call(copied)

    def wait(self, seconds: float | None = None) -> None:
        """Until ``messages`` are accepted or the relay was ``idle``; TimeoutError after
        ``seconds``.
        """
        asyncio.run_coroutine_threadsafe(self.door.finished(), self._loop).result(seconds)

    def stop(self) -> None:
        """Stops as SIGTERM does: transactions in flight finish, then everything is closed. May be
        called again.
        """
        if not self._stopped:
            try:
                asyncio.run_coroutine_threadsafe(self.door.stop(), self._loop).result()
            finally:
                self._end_thread()

    def _end_thread(self) -> None:
        self._stopped = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def running(
    *,
    policy: str | Mapping[str, Any] | Policy = "mailersend",
    network: Mapping[str, Any] | None = None,
    faults: Mapping[str, Any] | None = None,
    expect: Mapping[str, str] | None = None,
    scenario: Scenario | None = None,
    users: Mapping[str, str] | None = None,
    login: bool = True,
    tls: str | None = None,
    tls_port: int | None = None,
    port: int = 0,
    transcripts: bool = False,
    messages: int | None = None,
    idle: float | None = None,
    timeouts: Timeouts | None = None,
    **more: Any,
) -> Iterator[Running]:
    """A relay that runs until the block is left. ``tls_port`` 0 opens a port with implicit TLS;
    ``idle`` is in seconds.

    ``tls`` None is the scenario's own where one was given, else starttls. ``more`` are fields of
    Settings.
    """
    senders_known = scenario is not None
    if scenario is None:
        table = (
            {"use": policy}
            if isinstance(policy, str)
            else None
            if isinstance(policy, Policy)
            else policy
        )
        scenario = scenario_of(
            {"policy": table, "network": network, "faults": faults, "expect": expect}
        )
        if isinstance(policy, Policy):
            scenario = replace(scenario, policy=policy)
    settings = Settings(
        scenario,
        users=users,
        login_required=login,
        tls=tls or scenario.network.tls,
        port=port,
        tls_port=tls_port,
        transcribe=transcripts,
        messages=messages,
        idle=None if idle is None else round(idle * 1_000_000),
        timeouts=timeouts or Timeouts(),
        senders_known=senders_known,
        **more,
    )
    relay = Running(settings)
    try:
        yield relay
    finally:
        relay.stop()
