"""Nodemailer's SMTPPool, PoolResource and rateLimit: which connection sends each message, which
messages are sent again, and when.

Every callback of the library has a counterpart here, with the same delays in the same order.
Details decide which commands reach the relay: for example, a connection that ends wakes the pool
twice, and rateLimit is checked after a message, never before one.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import NamedTuple

from ..api import Disconnected, Message
from ..dialogue import LibrarySender, Say, Signal
from .nodemailer_connection import CLOSING, Failure, Opened, Settings, connect, send

GOES_ON = 0.1
"""Seconds between the end of a connection and the pool's next look at its messages."""

LOOKS_AGAIN = 0.05
"""Seconds between the end of a connection and the decision whether its message is sent again."""

BACKS_OFF = 0.05
MOST_BACK_OFF = 2.0
"""Seconds that a message waits before it is sent again in the current major: the first wait, which
doubles each time, and the longest.
"""

ALL = 1_000_000_000


class PoolSettings(NamedTuple):
    """SMTPPool's options as it reads them, in seconds.

    An ``idle_timeout`` of 0 and a negative ``max_requeues`` mean no limit; ``silence`` is
    socketTimeout.
    """

    max_connections: int
    max_messages: int
    rate_limit: int
    rate_delta: float
    max_requeues: int
    idle_timeout: float
    silence: float


class Entry:
    """A message in the pool. ``awaited`` is set when it is settled, if the program awaits it."""

    __slots__ = ("awaited", "message", "requeues", "settled")

    def __init__(self, message: Message, awaited: Signal | None) -> None:
        self.message = message
        self.awaited = awaited
        self.requeues = 0
        self.settled = False


class Pool:
    """The pool of one process."""

    def __init__(self, sender: LibrarySender, settings: Settings, spec: PoolSettings) -> None:
        self.sender = sender
        self.settings = settings
        self.spec = spec
        self.waiting = deque[Entry]()
        self.resources: list[Resource] = []
        self.gate = Gate(sender, spec.rate_limit, spec.rate_delta, spec.silence)

    def send_all(self) -> None:
        """A program that submits every message as it comes and awaits none."""
        while batch := self.sender.take_more(ALL):
            self.waiting.extend(Entry(message, None) for message in batch)
            for _ in batch:
                self.look()

    def send_and_wait(self, sender: LibrarySender, message: Message) -> None:
        """One awaited sendMail(). ``sender`` keeps a message that failed, and its next take
        gives it up.
        """
        entry = Entry(message, self.sender.signal())
        self.waiting.append(entry)
        self.look()
        if not entry.settled and entry.awaited is not None:
            entry.awaited.wait()

    def close(self) -> None:
        """transporter.close() after the last message: connections end without QUIT."""
        self.gate.open()
        for resource in self.resources:
            resource.end()

    def look(self) -> None:
        """_processMessages: one message goes to a connection that is free, or to a new one."""
        if not self.waiting:
            return
        resource = self._free()
        if resource is None:
            return
        self.gate.count()
        resource.assign(self.waiting.popleft())

    def goes_on(self, seconds: float = GOES_ON) -> None:
        """_continueProcessing, ``seconds`` from now."""
        self.sender.spawn(self._look_later, seconds)

    def settle(self, entry: Entry, *, sent: bool) -> None:
        """Settles the promise of sendMail()."""
        entry.settled = True
        if entry.awaited is not None:
            entry.awaited.set()
        elif not sent:
            self.sender.give_up(entry.message)

    def remove(self, resource: Resource) -> None:
        """Frees the place of a connection that has ended."""
        if resource in self.resources:
            self.resources.remove(resource)

    def send_again(self, entry: Entry) -> None:
        """Called when the connection of a message ends: sends the message again later, or fails
        it.
        """
        self.sender.spawn(self._send_again_later, entry)

    def _free(self) -> Resource | None:
        for resource in [one for one in self.resources if one.available]:
            if resource.alive:
                return resource
            self.remove(resource)  # the relay closed it while it was idle
        if len(self.resources) >= self.spec.max_connections:
            return None
        resource = Resource(self)
        self.resources.append(resource)
        return resource

    def _look_later(self, sender: LibrarySender, seconds: float) -> None:
        sender.sleep(seconds)
        self.look()

    def _send_again_later(self, sender: LibrarySender, entry: Entry) -> None:
        sender.sleep(LOOKS_AGAIN)
        most = self.spec.max_requeues
        delay = 0.0
        if most < 0 or entry.requeues < most:
            if self.settings.modern:
                delay = min(BACKS_OFF * 2**entry.requeues, MOST_BACK_OFF)
            entry.requeues += 1
            self.waiting.appendleft(entry)
        else:
            self.settle(entry, sent=False)
        sender.sleep(delay)
        self.goes_on()


class Resource:
    """PoolResource: one connection of the pool, in a separate strand."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._spec = pool.spec
        self._modern = pool.settings.modern
        self.available = True
        self._entry: Entry | None = None
        self._opened: Opened | None = None
        self._messages = 0
        self._started = self._over = False
        self._assigned = pool.sender.signal()

    @property
    def alive(self) -> bool:
        """Whether its connection is not yet opened, or open as far as this side can know."""
        return self._opened is None or self._opened.dialogue.open

    def assign(self, entry: Entry) -> None:
        """Makes it send ``entry``."""
        self.available = False
        self._entry = entry
        if self._started:
            self._assigned.set()
        else:
            self._started = True
            self._pool.sender.spawn(self._run)

    def end(self) -> None:
        """Closes the connection without QUIT and ends its strand."""
        self._over = True
        self.available = False
        if self._opened is not None:
            self._opened.dialogue.leave(quit=False)
        self._assigned.set()

    def _run(self, sender: LibrarySender) -> None:
        opened = connect(sender, self._pool.settings)
        if isinstance(opened, Failure):
            self._not_opened(opened)
            return
        self._opened = opened
        while self._entry is not None and self._send(opened, self._entry):
            if not self._released(opened):
                return

    def _not_opened(self, failure: Failure) -> None:
        """Fails the message, or sends it again if the connection was closed before the greeting."""
        entry = self._entry
        pool = self._pool
        assert entry is not None
        pool.remove(self)
        if failure == ("greeting", None):
            pool.send_again(entry)
            return
        pool.settle(entry, sent=False)
        pool.goes_on()
        # The library closes the connection before it reports a refused login, and looks again only
        # 50 ms later.
        pool.goes_on(
            GOES_ON + (LOOKS_AGAIN if failure.stage == "login" and failure.code is not None else 0)
        )

    def _send(self, opened: Opened, entry: Entry) -> bool:
        """Sends one message. Returns whether the connection stays open."""
        failure = send(opened, entry.message)
        self._messages += 1
        if failure is None:
            self._pool.settle(entry, sent=True)
            return True
        return (self._failed if self._modern else self._failed_6)(opened, entry, failure)

    def _failed_6(self, opened: Opened, entry: Entry, failure: Failure) -> bool:
        """Version 6: every failure fails the message and ends the connection."""
        self._close(opened)
        self._pool.settle(entry, sent=False)
        self._pool.goes_on()
        self._pool.goes_on(GOES_ON + (LOOKS_AGAIN if failure.code is not None else 0))
        return False

    def _failed(self, opened: Opened, entry: Entry, failure: Failure) -> bool:
        """The current major: see the pool's docstring in ``nodemailer``."""
        ended = failure.code is None or failure.code == CLOSING
        if self._messages > 1 and ended and failure.stage != "body":
            self._close(opened)
            self._pool.send_again(entry)
            return False
        if not ended:
            self._pool.settle(entry, sent=False)
            return self._reset(opened)
        self._close(opened)
        self._pool.settle(entry, sent=False)
        self._pool.goes_on()
        self._pool.goes_on(GOES_ON + LOOKS_AGAIN)
        return False

    def _reset(self, opened: Opened) -> bool:
        with suppress(Disconnected):
            if opened.dialogue.say(Say("RSET"))[0].ok:
                return True
        self._close(opened)
        self._pool.goes_on()
        return False

    def _released(self, opened: Opened) -> bool:
        """_release: waits for the next message. False if the connection closed instead."""
        if self._messages >= self._spec.max_messages:
            self._close(opened)
            self._pool.goes_on()
            self._pool.goes_on()
            return False
        if not self._pool.gate.passed():
            self._close(opened)
            self._pool.goes_on()
            return False
        self._entry = None
        self.available = True
        self._pool.look()
        if self._entry is None and not self._over:
            self._idle(opened)
        return not self._over

    def _idle(self, opened: Opened) -> None:
        """Waits until a message is assigned, or closes the connection after too long a time."""
        says_quit = 0 < self._spec.idle_timeout <= self._spec.silence
        if (
            self._assigned.wait(self._spec.idle_timeout if says_quit else self._spec.silence)
            or self._over
        ):
            return
        self.available = False
        if says_quit and opened.dialogue.open:
            with suppress(Disconnected):
                opened.dialogue.say(Say("QUIT"))
        self._close(opened)
        self._pool.goes_on()

    def _close(self, opened: Opened) -> None:
        """Ends the connection without QUIT and frees its place."""
        opened.dialogue.leave(quit=False)
        self._over = True
        self.available = False
        self._pool.remove(self)


class Gate:
    """rateLimit: about ``limit`` messages per ``delta`` seconds; 0 means no limit. No connection
    waits longer than ``longest`` seconds.

    Messages are counted when they are assigned, but only a connection that has sent one waits. So
    new connections are not held back, and all that wait continue together.
    """

    def __init__(self, sender: LibrarySender, limit: int, delta: float, longest: float) -> None:
        self._sender = sender
        self._limit = limit
        self._delta = delta
        self._longest = longest
        self._counter = 0
        self._timer = 0
        self._timed = False
        self._since: float | None = None
        self._opens = sender.signal()

    def count(self) -> None:
        """Counts a message that is assigned."""
        self._counter += 1
        if self._since is None:
            self._since = self._sender.now()

    def passed(self) -> bool:
        """_checkRateLimit: waits until the connection may take the next message. False if the
        connection was dropped during the wait.
        """
        if not self._limit or self._counter < self._limit:
            return True
        now = self._sender.now()
        since = now - self._delta if self._since is None else self._since
        if since <= now - self._delta:
            self.open()
            return True
        if not self._timed:
            self._timed = True
            self._timer = self._timer + 1
            self._sender.spawn(self._open_later, self._delta - (now - since), self._timer)
            self._since = now
        return self._opens.wait(self._longest)

    def _open_later(self, sender: LibrarySender, seconds: float, timer: int) -> None:
        sender.sleep(seconds)
        if self._timed and timer == self._timer:
            self.open()

    def open(self) -> None:
        """_clearRateLimit: all that wait continue."""
        self._timed = False
        self._counter = 0
        self._since = None
        self._opens.set()
