"""The live relay itself: listeners, connections and the relay behind them, from start to result. Runs in one asyncio loop.

Knows nothing of the command line or of threads.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ScenarioError
from ..measure import Facts, Recorder, Result, assemble
from ..measure.result import Latency
from ..relay import Policy
from ..relay.wanted import ObligingRelay
from ..scenario.schema import Faults
from ..units import MICRO
from .certificate import Pair, kept
from .changes import Changes
from .clock import Clock
from .connection import Connection, Maker
from .delayed import DelayedConnection
from .settings import ALL_LOOPBACK, Settings
from .tls import context_of
from .way import Way

if TYPE_CHECKING:
    from .http import Endpoint

BACKLOG = 4096
SWEEP = 1.0
"""Seconds between two looks for peers that keep the relay waiting."""
LINGER = 2 * MICRO
"""How long a closed connection waits for the peer's own end."""
GOODBYES = 1 * MICRO
"""How long senders have to say QUIT once all messages are accepted."""


class Door:
    """A live relay. ``start``, then ``finished`` waits for the end of its own accord, ``stop`` and ``result``."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.scenario = settings, settings.scenario
        self.clock, self.way = Clock(), Way(settings.scenario)
        self.recorder = Recorder()
        plain = settings.on_loopback if settings.plain_auth is None else settings.plain_auth
        self.relay = ObligingRelay(settings.scenario.policy, self.recorder, self._right, tls=settings.tls, plain_auth=plain,
                           login_required=settings.login_required, transcribe=settings.transcribe)  # fmt: skip
        self.changes = Changes(self)
        self.connections: set[Connection] = set()
        self.loop: asyncio.AbstractEventLoop
        self.certificate: Pair | None = None
        self.port = self.tls_port = self.http_port = 0
        self._endpoint: Endpoint | None = None
        self._listeners: list[tuple[socket.socket, asyncio.Server, bool]] = []
        self._timers: list[asyncio.TimerHandle] = []
        self._downs: list[asyncio.TimerHandle] = []
        self._is_down = False
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
        self.loop = asyncio.get_running_loop()
        if self.settings.tls != "none" or self.settings.tls_port is not None:
            self.certificate = self._stack.enter_context(kept())
            self._context = context_of(self.certificate.pair)
        try:
            self.port = await self._listen(self.settings.port, implicit=self.settings.tls == "implicit")
            if self.settings.tls_port is not None:
                self.tls_port = await self._listen(self.settings.tls_port, implicit=True)
            if self.settings.http is not None:
                from .http import Endpoint  # read when it is asked for: most relays have none

                self._endpoint = Endpoint(self, self.settings.http)
                await self._endpoint.start()
                self.http_port = self._endpoint.port
        except BaseException:
            await self.stop()
            raise
        self._plan_downs()
        self._timers.append(self.loop.call_later(SWEEP, self._sweep))

    async def finished(self) -> None:
        """Returns once enough messages are accepted or nothing has happened for long enough; else never."""
        await self._finished.wait()
        self._close_listeners()
        until = self.clock.now() + GOODBYES
        while self.connections and self.clock.now() < until:
            await asyncio.sleep(0.01)

    def forget(self, connection: Connection) -> None:
        """It is gone, and judged to its end."""
        self.connections.discard(connection)
        self._last_heard = max(connection.heard_at, self._last_heard or 0)

    def finish(self) -> None:
        """Ends ``finished``."""
        self._finished.set()

    async def stop(self) -> None:
        """No new connection; transactions in flight may finish for a while; then everything is closed."""
        self._close_listeners()
        for connection in list(self.connections):
            connection.leave()
        until = self.clock.now() + self.settings.timeouts.leaving
        while any(connection.lingers_since is None for connection in self.connections) and self.clock.now() < until:
            await asyncio.sleep(0.01)
        now = self.clock.now()
        for connection in list(self.connections):
            connection.abort(now)
        await asyncio.sleep(0)
        for timer in (*self._timers, *self._downs):
            timer.cancel()
        if self._endpoint is not None:
            await self._endpoint.stop()
        self._ended_at = self.clock.now()
        self._stack.close()

    def result(self) -> Result:
        """What has happened so far, or until the end."""
        return live_result(self)

    @property
    def now(self) -> int:
        """Microseconds since the start; of the end once stopped."""
        return self.clock.now() if self._ended_at is None else self._ended_at

    def change_policy(self, policy: Policy) -> None:
        """Goes on under another policy, at once."""
        self.relay.change(policy)
        self.scenario = replace(self.scenario, policy=policy)

    def change_faults(self, faults: Faults) -> None:
        """Goes on with other faults; a relay that is down and should not be is back."""
        self.way.faults = faults
        for timer in self._downs:
            timer.cancel()
        self._downs.clear()
        if self._is_down and not self.way.down(self.clock.now()):
            self._come_back()
        self._plan_downs()

    def _right(self, username: str, password: str, at: int) -> bool:
        if self.way.wrong_password(at):
            return False
        users = self.settings.users
        return users is None or users.get(username) == password

    async def _listen(self, port: int, *, implicit: bool) -> int:
        for address in self.settings.bind:
            bound = _bound(address, port)
            port = bound.getsockname()[1]
            self._listeners.append((bound, await self._serve(bound, implicit=implicit), implicit))
        return port

    async def _serve(self, bound: socket.socket, *, implicit: bool) -> asyncio.Server:
        return await self.loop.create_server(Maker(self, implicit=implicit), sock=bound, backlog=BACKLOG)

    def _close_listeners(self) -> None:
        for _, server, _ in self._listeners:
            server.close()
        self._listeners.clear()

    def _plan_downs(self) -> None:
        """The relay goes away as the network has it: what leaves a sender half a round trip earlier finds it gone."""
        half = self.way.network.rtt // 2
        for down in self.way.faults.relay_down:
            for moment, call in ((down.at, self._kill_all), (max(0, down.at - half), self._go_down),
                                 (max(0, down.at + down.for_ - half), self._come_back)):  # fmt: skip
                self._downs.append(self.loop.call_at(self.clock.of_loop(moment), call))

    def _kill_all(self) -> None:
        now = self.clock.now()
        for connection in list(self.connections):
            if isinstance(connection, DelayedConnection):
                connection.kill(now)
            else:
                connection.abort(now)

    def _go_down(self) -> None:
        """A bound socket that does not listen keeps the port and refuses TCP."""
        if self._is_down:
            return
        again = []
        self._is_down = True
        for listening, server, implicit in self._listeners:
            host, port = listening.getsockname()[:2]
            server.close()
            again.append((_bound(host, port), server, implicit))
        self._listeners = again

    def _come_back(self) -> None:
        self._is_down = False

        async def listen() -> None:
            self._listeners = [
                (bound, await self._serve(bound, implicit=implicit), implicit) for bound, _, implicit in self._listeners
            ]

        self._task = self.loop.create_task(listen())

    def _sweep(self) -> None:
        now, limits = self.clock.now(), self.settings.timeouts
        for connection in list(self.connections):
            if connection.lingers_since is not None:
                if now - connection.lingers_since > LINGER:
                    connection.abort(now)
            elif connection.unread_since is not None:
                if now - connection.unread_since > limits.writing:
                    connection.abort(now)
            elif now - connection.heard_at > (limits.handshake if connection.in_handshake else limits.command):
                connection.time_out(now)
        self._check_idle(now)
        self._timers[-1] = self.loop.call_later(SWEEP, self._sweep)

    def _check_idle(self, now: int) -> None:
        heard = [connection.heard_at for connection in self.connections]
        if heard:
            self._last_heard = max(*heard, self._last_heard or 0)
        wanted = self.settings.messages
        if wanted is not None and len(set(self.recorder.accepted_ids)) >= wanted:
            self.finish()
        idle = self.settings.idle
        if idle is not None and self._last_heard is not None and now - self._last_heard >= idle:
            self.finish()


def _bound(address: str, port: int) -> socket.socket:
    """A socket bound to ``address`` that does not listen yet."""
    host = "0.0.0.0" if address == ALL_LOOPBACK else address
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, where = found[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with _closed_on_error(bound):
            bound.bind(where)
    except (OSError, OverflowError, UnicodeError) as error:
        problem = (
            f"cannot listen on {address} port {port}: {getattr(error, 'strerror', None) or error}; take --port 0 for a free one"
        )
        raise ScenarioError("command line", "", problem) from None
    bound.setblocking(False)  # noqa: FBT003 - its only parameter
    return bound


@contextmanager
def _closed_on_error(bound: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError):
            bound.close()
        raise


def live_result(door: Door) -> Result:
    """The contract's live result: latency and seed null, what was not accepted is lost."""
    recorder, settings, scenario = door.recorder, door.settings, door.scenario
    names = {name for name in recorder.accepted_ids if name} | {
        row.message or f"?{i}" for i, row in enumerate(recorder.incidents)
    }
    accepted = set(recorder.accepted_ids)
    if settings.messages is not None:
        names = {*accepted, *(f"?{i}" for i in range(max(0, settings.messages - len(accepted))))}  # type: ignore[arg-type]
    begun = recorder.opened_rows[0].at if recorder.opened_rows else 0
    facts = Facts(
        scenario=scenario.name, title=scenario.title, policy=scenario.policy, sender="live", seed=None, end=door.now,
        ended="settled", submitted=dict.fromkeys(sorted(names), begun), given_up=frozenset(names - accepted),
        usernames=scenario.sender.usernames, ips=scenario.sender.ips, command=scenario.command,
    )  # fmt: skip
    from ..measure.expectations import judged

    result = replace(assemble(recorder, facts), latency_s=Latency(None, None, None, None, None))
    return judged(result, scenario.expectations)
