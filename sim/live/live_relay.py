"""The live relay: its ports, its connections and the relay that judges them, from start to result.

``LiveRelay`` runs in one asyncio loop. Knows nothing of the command line, of threads or of HTTP.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from ..measure import Result, RunInfo, StreamingRecorder, result_of
from ..relay.forced import ForcedRefusals
from ..schema_base import written
from ..smtp.lines import HEAD
from ..units import MICRO, seconds
from .changes import faults_from, network_with, policy_with
from .connection import Connection, OpenConnections
from .context import Clock, Context
from .delayed import DelayedConnection
from .deliveries import DeliveryLog
from .listeners import Listeners
from .network import LiveNetwork
from .observers import Observers
from .proxy_protocol import Introduction
from .settings import ALL_LOOPBACK, Settings
from .state import State
from .tls import CertificateFiles, context_of, kept_certificate

SWEEP = 1.0
"""Seconds between two checks for peers that exceeded a timeout."""
OFTEN = 0.05
"""Seconds between two checks for whether enough messages are accepted."""
LINGER = 2 * MICRO
"""How long a closed connection waits for the peer to close its side."""
GOODBYES = 1 * MICRO
"""How long senders have to send QUIT once all messages are accepted."""


class LiveRelay:
    """Call ``start``, wait for ``finished``, then call ``stop`` and ``result``.

    ``tally`` counts. Add further observers to ``observers`` before ``start``.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.scenario = settings.scenario
        self._state = None if settings.state is None else State(settings.state)
        self.clock = Clock(0 if self._state is None else self._state.reached())
        scenario = self.scenario
        self._network = LiveNetwork(
            scenario.network, scenario.faults, scenario.seed, self.clock.origin
        )
        self.tally = StreamingRecorder(scenario.policy, self.clock.origin)
        self._deliveries = DeliveryLog(self.tally, settings.keep)
        self.observers = Observers(self.tally)
        self.relay = self._new_relay()
        if self._state is not None:
            self._state.attach(self.relay, self.clock.origin)
            self.observers.add(self._state)
        self.connections = OpenConnections()
        self.introductions: set[Introduction] = set()
        self.loop: asyncio.AbstractEventLoop
        self.certificate: CertificateFiles | None = None
        self.port = 0
        self.tls_port = 0
        self._context: Context
        self._listeners = Listeners()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._writing: asyncio.Task[None] | None = None
        self._downs: list[asyncio.TimerHandle] = []
        self._stack = ExitStack()
        self._finished = asyncio.Event()
        self._ended_at: int | None = None

    # Start and end.

    async def start(self) -> None:
        """Opens the ports. Raises ScenarioError if one cannot be opened."""
        settings = self.settings
        self.loop = asyncio.get_running_loop()
        self.relay.observer = self.observers.direct()
        self._context = self._new_context()
        try:
            self._open_ports()
        except BaseException:
            await self.stop()
            raise
        if self._state is not None:
            self._writing = self.loop.create_task(self._state.keep_writing(self.clock))
        self._schedule_downs()
        self._later("sweep", SWEEP, self._sweep)
        if settings.messages is not None:
            self._later("count", OFTEN, self._check_count)

    async def finished(self) -> None:
        """Returns when ``settings.messages`` are accepted or nothing happened for
        ``settings.idle``; without either, never.
        """
        await self._finished.wait()
        self._listeners.close()
        until = self.clock.now() + GOODBYES
        while self.connections and self.clock.now() < until:
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Accepts no more connections, lets open transactions finish for
        ``settings.timeouts.leaving``, then closes everything.
        """
        self._listeners.close()
        for introduction in list(self.introductions):
            introduction.abort()
        for connection in list(self.connections):
            connection.leave()
        until = self.clock.now() + self.settings.timeouts.leaving
        while self._waits_for_transactions() and self.clock.now() < until:
            await asyncio.sleep(0.01)
        now = self.clock.now()
        for connection in list(self.connections):
            connection.abort(now)
        await asyncio.sleep(0)
        for timer in (*self._timers.values(), *self._downs):
            timer.cancel()
        self._ended_at = self.clock.now()
        await self._close_state()
        self._stack.close()

    def result(self) -> Result:
        """The result so far, or at the end."""
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
        """Microseconds since the start; after ``stop``, from the start to the end."""
        now = self.clock.now() if self._ended_at is None else self._ended_at
        return now - self.clock.origin

    # Changes while it runs. ``place`` is the beginning of an error's text.

    def change_policy(self, overlay: object, place: str = "change") -> None:
        """Applies ``overlay`` to the policy, as a scenario's ``[policy]`` does; with ``use``, to
        that policy instead.

        A limit whose numbers differ starts again from zero, without its blocks; the others continue
        to count. Open connections keep their limit of transactions.
        """
        policy = policy_with(self.relay.policy, overlay, place)
        self.relay.change(policy)
        self.tally.change(policy)
        self.scenario = replace(self.scenario, policy=policy)

    def change_network(self, overlay: object, place: str = "change") -> None:
        """Applies ``overlay`` to the network, as a scenario's ``[network]`` does, for connections
        that are opened from now on.
        """
        self._network.network = network_with(self._network.network, overlay, place)

    def change_faults(self, table: object, place: str = "change") -> None:
        """Replaces all faults by those of ``table``, a scenario's ``[faults]`` with times that
        count from now. A relay that is down and should not be is up again.
        """
        self._network.faults = faults_from(table, self.now, place)
        for timer in self._downs:
            timer.cancel()
        self._downs.clear()
        if self._listeners.is_down and not self._network.down(self.clock.now()):
            self._listeners.come_back()
        self._schedule_downs()

    def refuse_next(self, what: str, times: int = 1, place: str = "change") -> None:
        """Refuses the next ``times`` requests that the limit ``what`` could refuse; see
        ``ForcedRefusals.refuse_next``.
        """
        self.relay.refuse_next(what, times, place=place)

    def forget(self) -> None:
        """Sets every count to zero, lifts every block, and cancels ``refuse_next``. The result
        keeps its numbers.
        """
        self.relay.forget()
        self.tally.change(self.relay.policy)

    def conditions(self) -> dict[str, Any]:
        """The policy, network and faults in force, in the words of a scenario file. The time, and
        the times of faults, are seconds since the start.
        """
        return {
            "now": seconds(self.now),
            "policy": written(self.relay.policy),
            "network": written(self._network.network),
            "faults": written(self._network.faults),
            "next": dict(self.relay.forced),
        }

    # How it starts.

    def _new_relay(self) -> ForcedRefusals:
        settings = self.settings
        plain = settings.on_loopback if settings.plain_auth is None else settings.plain_auth
        return ForcedRefusals(
            self.scenario.policy,
            self.tally,
            self._right,
            tls=settings.tls,
            plain_auth=plain,
            login_required=settings.login_required,
            transcribe=settings.transcribe,
        )

    def _right(self, username: str, password: str, at: int) -> bool:
        if self._network.wrong_password(at):
            return False
        users = self.settings.users
        return users is None or users.get(username) == password

    def _new_context(self) -> Context:
        settings = self.settings
        return Context(
            self.relay,
            self._network,
            self.clock,
            self._deliveries,
            body_kept=HEAD if settings.keep is None else self.scenario.policy.message_size,
            tls=self._tls_context(),
            only_loopback=ALL_LOOPBACK in settings.bind,
        )

    def _tls_context(self) -> ssl.SSLContext | None:
        if self.settings.tls == "none" and self.settings.tls_port is None:
            return None
        self.certificate = self._stack.enter_context(kept_certificate())
        return context_of(self.certificate.pair)

    def _open_ports(self) -> None:
        settings = self.settings
        implicit = settings.tls == "implicit"
        self.port = self._listeners.open(
            settings.bind, settings.port, lambda: self._accepted(implicit=implicit)
        )
        if settings.tls_port is not None:
            self.tls_port = self._listeners.open(
                settings.bind, settings.tls_port, lambda: self._accepted(implicit=True)
            )

    def _accepted(self, *, implicit: bool) -> asyncio.Protocol:
        """The protocol of a connection that TCP has accepted. The network's delays at this moment
        apply to it until its end.
        """
        kind = Connection if self._network.instant else DelayedConnection
        connection = kind(self._context, self.connections, implicit=implicit)
        if not self.settings.proxy_protocol:
            return connection
        patience = self.settings.timeouts.handshake / MICRO
        return Introduction(connection, patience, self.introductions)

    # How it stops.

    def _waits_for_transactions(self) -> bool:
        return any(connection.lingers_since is None for connection in self.connections)

    async def _close_state(self) -> None:
        state = self._state
        self._state = None
        if state is None:
            return
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait([self._writing])
        state.close(self.clock.now())

    # The relay that is down for a while.

    def _schedule_downs(self) -> None:
        """Sets the timers of ``faults.relay_down``.

        The ports close half a round trip early: a SYN that leaves the sender then arrives when the
        relay is down.
        """
        half = self._network.network.rtt // 2
        for down in self._network.faults.relay_down:
            end = down.at + down.for_
            self._schedule_down(down.at, self._kill_all)
            self._schedule_down(max(0, down.at - half), self._listeners.go_down)
            self._schedule_down(max(0, end - half), self._listeners.come_back)

    def _schedule_down(self, moment: int, call: Callable[[], None]) -> None:
        at = self.clock.of_loop(self.clock.origin + moment)
        self._downs.append(self.loop.call_at(at, call))

    def _kill_all(self) -> None:
        now = self.clock.now()
        for connection in list(self.connections):
            connection.kill(now)

    # Timeouts, and the end.

    def _later(self, name: str, seconds: float, call: Callable[[], None]) -> None:
        self._timers[name] = self.loop.call_later(seconds, call)

    def _sweep(self) -> None:
        now = self.clock.now()
        for connection in list(self.connections):
            self._check_timeout(connection, now)
        self._check_idle(now)
        self._later("sweep", SWEEP, self._sweep)

    def _check_timeout(self, connection: Connection, now: int) -> None:
        limits = self.settings.timeouts
        if connection.lingers_since is not None:
            if now - connection.lingers_since > LINGER:
                connection.abort(now)
        elif connection.unread_since is not None:
            if now - connection.unread_since > limits.writing:
                connection.abort(now)
        else:
            limit = limits.handshake if connection.in_handshake else limits.command
            if now - connection.heard_at > limit:
                connection.time_out(now)

    def _check_count(self) -> None:
        messages = self.settings.messages
        if messages is not None and self.tally.accepted_count >= messages:
            self._finished.set()
        else:
            self._later("count", OFTEN, self._check_count)

    def _check_idle(self, now: int) -> None:
        idle = self.settings.idle
        if idle is None:
            return
        gone = self.connections.last_heard
        last = max((connection.heard_at for connection in self.connections), default=gone)
        if last is None:  # no connection yet
            last = self.clock.origin
            idle = max(idle, self.settings.timeouts.coming)
        if now - max(last, gone or 0) >= idle:
            self._finished.set()
