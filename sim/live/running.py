"""A live relay in its own thread, for tests and programs without an asyncio loop: ``running``."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..measure import Result
from ..relay import Policy
from ..relay.forced import PASSWORD
from ..scenario import Scenario, build
from .live_relay import LiveRelay
from .settings import Settings, Timeouts

if TYPE_CHECKING:
    from .http import Endpoint

T = TypeVar("T")

QUIET = {"rtt": 0, "jitter": 0, "relay_time": 0}
"""A network without delays."""


def scenario_of(
    tables: Mapping[str, Any] | None = None, overrides: Sequence[str] = (), seed: int | None = None
) -> Scenario:
    """The scenario of a relay without a file: no delays and no faults, unless ``tables`` and
    ``overrides`` set them.
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


class Running:
    """A relay that runs in its own thread. ``certificate`` is the file to trust, None without TLS;
    ``tls_port`` and ``http_port`` are 0 if that port is not open.
    """

    host = "127.0.0.1"

    def __init__(self, settings: Settings, http: int | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="relaysim live", daemon=True
        )
        self._thread.start()
        self._stopped = False
        self._endpoint: Endpoint | None = None
        try:
            self.live = self.call(lambda: LiveRelay(settings))
            self._wait_for(self._start(http))
        except BaseException:
            self._end_thread()
            raise
        self.port = self.live.port
        self.tls_port = self.live.tls_port
        self.http_port = 0 if self._endpoint is None else self._endpoint.port
        certificate = self.live.certificate
        self.certificate: Path | None = None if certificate is None else certificate.certificate

    async def _start(self, http: int | None) -> None:
        await self.live.start()
        if http is None:
            return
        from .http import Endpoint  # imports aiohttp, which most relays do not need

        self._endpoint = Endpoint(self.live, http)
        try:
            await self._endpoint.start()
        except BaseException:
            await self.live.stop()
            raise

    def _wait_for(self, work: Coroutine[Any, Any, T], seconds: float | None = None) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def call(self, function: Callable[[], T]) -> T:
        """``function()`` in the relay's thread, between two of its events. After ``stop``, in the
        caller's thread.
        """
        if self._stopped:
            return function()

        async def called() -> T:
            return function()

        return self._wait_for(called())

    def result(self) -> Result:
        """The result so far, or at the end."""
        return self.call(self.live.result)

    def transcripts(self) -> list[list[str]]:
        """The commands and replies of each connection so far, in the order of the connections."""

        def copied() -> list[list[str]]:
            assert self.live.relay.transcripts is not None, "start it with transcripts=True"
            return [list(each.lines) for each in self.live.relay.transcripts.values()]

        return self.call(copied)

    def wait(self, seconds: float | None = None) -> None:
        """Waits until ``messages`` are accepted or the relay was ``idle``. Raises TimeoutError
        after ``seconds``.
        """
        self._wait_for(self.live.finished(), seconds)

    def change(
        self,
        policy: Mapping[str, Any] | None = None,
        *,
        network: Mapping[str, Any] | None = None,
        faults: Mapping[str, Any] | None = None,
    ) -> None:
        """Applies each argument that is not None: ``relay.change({"logins_per_username": 3},
        faults={})``. See ``LiveRelay.change_policy``, ``change_network`` and ``change_faults``.
        """

        def all_of_them() -> None:
            live = self.live
            for given, change in (
                (policy, live.change_policy),
                (network, live.change_network),
                (faults, live.change_faults),
            ):
                if given is not None:
                    change(given)

        self.call(all_of_them)

    def refuse_next(self, what: str, times: int = 1) -> None:
        """Makes the limit ``what`` refuse its next requests, or ``password`` the next logins."""
        self.call(lambda: self.live.refuse_next(what, times))

    def refuse_next_login(self, times: int = 1) -> None:
        """Answers the next logins with 421, as if they exceeded ``logins_per_username``."""
        self.refuse_next("logins_per_username", times)

    def fail_next_login(self, times: int = 1) -> None:
        """Answers the next logins with 535, even if the password is right."""
        self.refuse_next(PASSWORD, times)

    def forget(self) -> None:
        """Sets every count to zero and lifts every block."""
        self.call(self.live.forget)

    def stop(self) -> None:
        """Stops as SIGTERM does: open transactions finish, then everything is closed. Can be called
        again.
        """
        if not self._stopped:
            try:
                self._wait_for(self._stop())
            finally:
                self._end_thread()

    async def _stop(self) -> None:
        try:
            await self.live.stop()
        finally:
            if self._endpoint is not None:
                await self._endpoint.stop()

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
    http: int | None = None,
    **more: Any,
) -> Iterator[Running]:
    """A relay that runs until the block ends. ``tls_port`` 0 opens a port with implicit TLS;
    ``idle`` is in seconds; ``http`` is the port of the HTTP endpoint, 0 for any free one.

    ``tls`` None is the scenario's, or starttls without a scenario. ``more`` are fields of Settings.
    """
    senders_known = scenario is not None
    if scenario is None:
        tables = {"network": network, "faults": faults, "expect": expect}
        if isinstance(policy, Policy):
            scenario = replace(scenario_of(tables), policy=policy)
        else:
            table = {"use": policy} if isinstance(policy, str) else policy
            scenario = scenario_of({**tables, "policy": table})
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
    relay = Running(settings, http)
    try:
        yield relay
    finally:
        relay.stop()
