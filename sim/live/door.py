"""The live relay itself: ports, connections and the relay behind them, from start to result. Runs
in one asyncio loop.

Knows nothing of the command line or of threads.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from ..measure import Result, RunInfo, StreamingRecorder, result_of
from ..relay import Policy
from ..relay.forced import ForcedRefusals
from ..scenario.schema import Faults
from ..smtp.lines import HEAD
from ..units import MICRO
from .certificate import Pair, kept
from .changes import Changes
from .clock import Clock
from .connection import Connection
from .delayed import DelayedConnection
from .introduction import Introduction
from .listeners import Listeners
from .notes import Notes
from .settings import Settings
from .state import State
from .tls import context_of
from .way import Way
from .witnesses import Witnesses

if TYPE_CHECKING:
    from .http import Endpoint

SWEEP = 1.0
"""Seconds between two looks for peers that keep the relay waiting."""
OFTEN = 0.05
"""Seconds between two looks for whether enough messages are accepted."""
LINGER = 2 * MICRO
"""How long a closed connection waits for the peer's own end."""
GOODBYES = 1 * MICRO
"""How long senders have to say QUIT once all messages are accepted."""


class Door:
    """A live relay. ``start``, then ``finished`` waits for the end of its own accord, ``stop`` and
    ``result``.

    ``tally`` counts; a further witness is added to ``witnesses`` before ``start``.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.scenario = settings.scenario
        self._state = None if settings.state is None else State(settings.state)
        self.clock = Clock(0 if self._state is None else self._state.reached())
        self.way = Way(settings.scenario, self.clock.origin)
        self.tally = StreamingRecorder(self.scenario.policy, self.clock.origin)
        self.notes = Notes(self.tally, settings.keep)
        self.kept_of_body = HEAD if settings.keep is None else self.scenario.policy.message_size
        self.witnesses = Witnesses(self.tally)
        plain = settings.on_loopback if settings.plain_auth is None else settings.plain_auth
        self.relay = ForcedRefusals(
            self.scenario.policy,
            self.tally,
            self._right,
            tls=settings.tls,
            plain_auth=plain,
            login_required=settings.login_required,
            transcribe=settings.transcribe,
        )
        if self._state is not None:
            self._attach(self._state)
        self.changes = Changes(self)
        self.connections: set[Connection] = set()
        self.introductions: set[Introduction] = set()
        self.loop: asyncio.AbstractEventLoop
        self.certificate: Pair | None = None
        self.port = self.tls_port = self.http_port = 0
        self._endpoint: Endpoint | None = None
        self._listeners = Listeners()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._writing: asyncio.Task[None] | None = None
        self._downs: list[asyncio.TimerHandle] = []
        self._context: ssl.SSLContext | None = None
        self._stack = ExitStack()
        self._finished = asyncio.Event()
        self._last_heard: int | None = None
        self._ended_at: int | None = None

    @property
    def tls_context(self) -> ssl.SSLContext:
        """What TLS is made with."""
        assert self._context is not None, "made at the start where anything needs it"
        return self._context

    async def start(self) -> None:
        """Opens the ports. ScenarioError where one cannot be opened."""
        settings = self.settings
        self.loop = asyncio.get_running_loop()
        self.relay.observer = self.witnesses.alone or self.witnesses
        if settings.tls != "none" or settings.tls_port is not None:
            self.certificate = self._stack.enter_context(kept())
            self._context = context_of(self.certificate.pair)
        try:
            implicit = settings.tls == "implicit"
            self.port = self._listeners.open(
                settings.bind, settings.port, lambda: self._made(implicit=implicit)
            )
            if settings.tls_port is not None:
                self.tls_port = self._listeners.open(
                    settings.bind, settings.tls_port, lambda: self._made(implicit=True)
                )
            if settings.http is not None:
                from .http import Endpoint  # read when it is asked for: most relays have none

                self._endpoint = Endpoint(self, settings.http)
                await self._endpoint.start()
                self.http_port = self._endpoint.port
        except BaseException:
            await self.stop()
            raise
        if self._state is not None:
            self._writing = self.loop.create_task(self._state.keep_writing(self.clock))
        self._plan_downs()
        self._later("sweep", SWEEP, self._sweep)
        if settings.messages is not None:
            self._later("count", OFTEN, self._check_count)

    async def finished(self) -> None:
        """Returns once enough messages are accepted or nothing has happened for long enough; else
        never.
        """
        await self._finished.wait()
        self._listeners.close()
        until = self.clock.now() + GOODBYES
        while self.connections and self.clock.now() < until:
            await asyncio.sleep(0.01)

    def finish(self) -> None:
        """Ends ``finished``."""
        self._finished.set()

    async def stop(self) -> None:
        """No new connection; transactions in flight may finish for a while; then everything is
        closed.
        """
        self._listeners.close()
        for introduction in list(self.introductions):
            introduction.abort()
        for connection in list(self.connections):
            connection.leave()
        until = self.clock.now() + self.settings.timeouts.leaving
        while (
            any(connection.lingers_since is None for connection in self.connections)
            and self.clock.now() < until
        ):
            await asyncio.sleep(0.01)
        now = self.clock.now()
        for connection in list(self.connections):
            connection.abort(now)
        await asyncio.sleep(0)
        for timer in (*self._timers.values(), *self._downs):
            timer.cancel()
        if self._endpoint is not None:
            await self._endpoint.stop()
        self._ended_at = self.clock.now()
        await self._close_state()
        self._stack.close()

    def _attach(self, state: State) -> None:
        state.attach(self.relay, self.clock.origin)
        self.witnesses.add(state)

    async def _close_state(self) -> None:
        state = self._state
        self._state = None
        if state is None:
            return
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait([self._writing])
        state.close(self.clock.now())

    def result(self) -> Result:
        """What has happened so far, or until the end: the live result."""
        scenario = self.scenario
        seen = self.tally
        usernames = scenario.sender.usernames
        ips = scenario.sender.ips
        if not self.settings.senders_known:
            usernames = max(1, len(seen.usernames))
            ips = max(1, len(seen.ips))
        info = RunInfo(
            scenario=scenario.name,
            title=scenario.title,
            policy=scenario.policy,
            sender="live",
            seed=None,
            end=self.now,
            ended="settled",
            usernames=usernames,
            ips=ips,
            expectations=scenario.expectations,
            command=scenario.command,
        )
        return result_of(seen.counts(info, self.settings.messages), info)

    @property
    def now(self) -> int:
        """Microseconds since the start; of the end once stopped."""
        return (self.clock.now() if self._ended_at is None else self._ended_at) - self.clock.origin

    def forget(self, connection: Connection) -> None:
        """It is gone, and judged to its end."""
        self.connections.discard(connection)
        self._last_heard = max(connection.heard_at, self._last_heard or 0)

    def change_policy(self, policy: Policy) -> None:
        """Goes on under another policy, at once."""
        self.relay.change(policy)
        self.tally.change(policy)
        self.scenario = replace(self.scenario, policy=policy)

    def change_faults(self, faults: Faults) -> None:
        """Goes on with other faults; a relay that is down and should not be is back."""
        self.way.faults = faults
        for timer in self._downs:
            timer.cancel()
        self._downs.clear()
        if self._listeners.is_down and not self.way.down(self.clock.now()):
            self._listeners.come_back()
        self._plan_downs()

    def _made(self, *, implicit: bool) -> asyncio.Protocol:
        """The protocol of a connection that TCP has accepted; ``way`` decides at that moment
        whether it is held back.
        """
        connection = (Connection if self.way.instant else DelayedConnection)(
            self, implicit=implicit
        )
        return Introduction(self, connection) if self.settings.proxy_protocol else connection

    def _right(self, username: str, password: str, at: int) -> bool:
        if self.way.wrong_password(at):
            return False
        users = self.settings.users
        return users is None or users.get(username) == password

    def _plan_downs(self) -> None:
        """The relay goes away as the network has it: what leaves a sender half a round trip earlier
        finds it gone.
        """
        half = self.way.network.rtt // 2
        origin = self.clock.origin
        for down in self.way.faults.relay_down:
            for moment, call in (
                (down.at, self._kill_all),
                (max(0, down.at - half), self._listeners.go_down),
                (max(0, down.at + down.for_ - half), self._listeners.come_back),
            ):
                self._downs.append(self.loop.call_at(self.clock.of_loop(origin + moment), call))

    def _kill_all(self) -> None:
        now = self.clock.now()
        for connection in list(self.connections):
            connection.kill(now)

    def _later(self, name: str, seconds: float, call: Callable[[], None]) -> None:
        self._timers[name] = self.loop.call_later(seconds, call)

    def _sweep(self) -> None:
        now = self.clock.now()
        limits = self.settings.timeouts
        for connection in list(self.connections):
            if connection.lingers_since is not None:
                if now - connection.lingers_since > LINGER:
                    connection.abort(now)
            elif connection.unread_since is not None:
                if now - connection.unread_since > limits.writing:
                    connection.abort(now)
            elif now - connection.heard_at > (
                limits.handshake if connection.in_handshake else limits.command
            ):
                connection.time_out(now)
        self._check_idle(now)
        self._later("sweep", SWEEP, self._sweep)

    def _check_count(self) -> None:
        if (
            self.settings.messages is not None
            and self.tally.accepted_count >= self.settings.messages
        ):
            self.finish()
        else:
            self._later("count", OFTEN, self._check_count)

    def _check_idle(self, now: int) -> None:
        idle = self.settings.idle
        if idle is None:
            return
        last = max(
            (connection.heard_at for connection in self.connections), default=self._last_heard
        )
        if last is None:  # nobody has come yet
            last = self.clock.origin
            idle = max(idle, self.settings.timeouts.coming)
        if now - max(last, self._last_heard or 0) >= idle:
            self.finish()
