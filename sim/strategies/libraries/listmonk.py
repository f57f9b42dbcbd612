"""listmonk's campaign manager and smtppool, its pool of connections: workers take messages from one
channel and send them over the pool.

Written from public source and not tested against the real program, which is written in Go and needs
a database. Read: listmonk of July 2026 (internal/manager, internal/messenger/email) with its own
defaults, smtppool of March 2025, which uses Go's net/smtp.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ... import units
from ..api import Disconnected, Message, Refused
from ..dialogue import Dialogue, LibrarySender, Say
from .common import hello, say, taken, transact

MECHANISMS = {"login": "LOGIN", "plain": "PLAIN"}

SWEEP = 2.0
"""Seconds between two searches for idle connections."""


class Listmonk:
    """listmonk (modelled from its public source, not run): ten workers over ten connections that it
    keeps open.

    It has no option for messages per connection, so this relay refuses every sixth message of each.
    Refused messages are lost, because max_msg_retries applies only to connections that died. After
    max_send_errors failures the campaign pauses until a user continues it. A sliding window with
    pauses longer than idle_timeout closes the connections in time.
    """

    library = "listmonk"
    options = {
        "max_conns": 10,
        "max_msg_retries": 2,
        "idle_timeout": "15s",
        "wait_timeout": "5s",
        "auth_protocol": "login",
        "concurrency": 10,
        "message_rate": 10,
        "max_send_errors": 1_000,
        "message_sliding_window": False,
        "message_sliding_window_rate": 10_000,
        "message_sliding_window_duration": "1h",
    }
    explained = {
        "max_conns": "Connections of the pool.",
        "max_msg_retries": "How often a message is tried in all while its connection dies.",
        "idle_timeout": (
            "The time after which an unused connection is closed, looked at every two seconds."
        ),
        "wait_timeout": "How long a message waits for a connection before it is given up.",
        "auth_protocol": "The login's mechanism, login or plain.",
        "concurrency": "Workers that send.",
        "message_rate": "Messages behind each so many of which a worker sleeps for a second.",
        "max_send_errors": "Failures that pause the campaign; 0 never does.",
        "message_sliding_window": "Whether the window below holds.",
        "message_sliding_window_rate": "Messages in a window.",
        "message_sliding_window_duration": "The window's length.",
    }

    def __init__(self, **options: object) -> None:
        given: dict[str, object] = {**self.options, **options}
        whole = {name: value for name, value in given.items() if isinstance(value, int)}
        for name, least in {
            "max_conns": 1,
            "concurrency": 1,
            "message_rate": 1,
            "max_msg_retries": 0,
            "max_send_errors": 0,
            "message_sliding_window_rate": 0,
        }.items():
            if whole[name] < least:
                raise ValueError(f"{name} = {whole[name]} is too small; at least {least}")
        if given["auth_protocol"] not in MECHANISMS:
            raise ValueError(
                f'auth_protocol = "{given["auth_protocol"]}" is not offered by the relay; '
                "allowed: login, plain"
            )
        times = {
            name: units.seconds(units.duration(given[name]))
            for name in ("idle_timeout", "wait_timeout", "message_sliding_window_duration")
        }
        self.limits = Limits(
            connections=whole["max_conns"],
            tries=whole["max_msg_retries"] or 1,
            idle=times["idle_timeout"],
            wait=times["wait_timeout"] if times["wait_timeout"] >= 1 else 2.0,
            mechanism=MECHANISMS[str(given["auth_protocol"])],
        )
        self.workers = whole["concurrency"]
        self.rate = whole["message_rate"]
        self.errors = whole["max_send_errors"]
        window = times["message_sliding_window_duration"]
        self.window = window if given["message_sliding_window"] and window > 1 else 0.0
        self.window_rate = whole["message_sliding_window_rate"]

    def run(self, sender: LibrarySender) -> None:
        """Runs one listmonk with one campaign."""
        _Manager(sender, self).run()


class _Manager:
    """The campaign, its channel and its workers."""

    def __init__(self, sender: LibrarySender, spec: Listmonk) -> None:
        self._sender = sender
        self._spec = spec
        self._pool = Pool(sender, spec.limits)
        self._channel = deque[Message]()
        self._room = spec.workers * spec.rate * 2
        self._filled = sender.signal()
        self._drained = sender.signal()
        self._errors = 0
        self._ended = False

    def run(self) -> None:
        """Fills the channel until the workload has ended or the campaign is paused."""
        for _ in range(self._spec.workers):
            self._sender.spawn(self._work)
        sender = self._sender
        start = self._sender.now()
        count = 0
        while not self._paused and (batch := sender.take_more()):
            while len(self._channel) >= self._room:
                self._drained.wait()
            self._channel.extend(batch)
            self._filled.set()
            if self._spec.window and self._spec.window_rate:
                since = sender.now() - start
                if since >= self._spec.window:
                    start = sender.now()
                    count = 0
                count += 1
                if count >= self._spec.window_rate:
                    count = 0
                    sender.sleep(max(0.0, self._spec.window - since))
        self._ended = True
        self._filled.set()

    @property
    def _paused(self) -> bool:
        return bool(self._spec.errors) and self._errors >= self._spec.errors

    def _work(self, sender: LibrarySender) -> None:
        sent = 0
        while True:
            if not self._channel:
                if self._ended:
                    return
                self._filled.wait()
                continue
            message = self._channel.popleft()
            self._drained.set()
            if self._paused:
                self._sender.give_up(message)
                continue
            if sent >= self._spec.rate:
                sender.sleep(1)
                sent = 0
            sent += 1
            if not self._pool.send(sender, message):
                self._errors += 1
                self._sender.give_up(message)


@dataclass(frozen=True, slots=True)
class Limits:
    """The options of one SMTP block; times are seconds."""

    connections: int
    tries: int
    idle: float
    wait: float
    mechanism: str


class Kept:
    """A connection of the pool, and when its last message began."""

    __slots__ = ("active", "dialogue")

    def __init__(self, dialogue: Dialogue) -> None:
        self.dialogue = dialogue
        self.active = 0.0


class Pool:
    """Lends connections to the workers, the oldest first."""

    def __init__(self, sender: LibrarySender, limits: Limits) -> None:
        self._limits = limits
        self._free = deque[Kept]()
        self._created = 0
        self._returned = sender.signal()
        self._sweeping = False

    def send(self, sender: LibrarySender, message: Message) -> bool:
        """Whether the message was accepted. It is sent again if the connection died, but not if it
        was refused.
        """
        for _ in range(self._limits.tries):
            try:
                kept = self._borrow(sender)
            except Disconnected:
                continue
            except Refused:
                return False
            if kept is None:
                return False
            kept.active = sender.now()
            try:
                transact(kept.dialogue, message)
            except Disconnected:
                self._drop(kept)
            except Refused:
                self._give_back(sender, kept)
                return False
            else:
                self._give_back(sender, kept)
                return True
        return False

    def _borrow(self, sender: LibrarySender) -> Kept | None:
        """A free connection, or a new one if the pool has room; None if the wait times out."""
        if not self._free and self._created < self._limits.connections:
            self._created += 1
            try:
                return Kept(self._connect(sender))
            except (Refused, Disconnected):
                self._created -= 1
                raise
        end = sender.now() + self._limits.wait
        while not self._free:
            left = end - sender.now()
            if left <= 0 or not self._returned.wait(left):
                return None
        return self._free.popleft()

    def _give_back(self, sender: LibrarySender, kept: Kept) -> None:
        """Sends RSET, and closes a connection that does not accept it."""
        try:
            say(kept.dialogue, "RSET")
        except (Refused, Disconnected):
            self._drop(kept)
            return
        self._free.append(kept)
        self._returned.set()
        if not self._sweeping and self._limits.idle >= 1 and self._limits.connections > 1:
            self._sweeping = True
            sender.spawn(self._sweep)

    def _drop(self, kept: Kept) -> None:
        self._created -= 1
        kept.dialogue.leave(quit=False)

    def _sweep(self, sender: LibrarySender) -> None:
        """Closes connections that were idle for too long, as long as there are any."""
        while self._created:
            sender.sleep(SWEEP)
            for kept in [self._free.popleft() for _ in range(len(self._free))]:
                if sender.now() - kept.active > self._limits.idle:
                    self._drop(kept)
                else:
                    self._free.append(kept)
        self._sweeping = False

    def _connect(self, sender: LibrarySender) -> Dialogue:
        dialogue = sender.dial(self._limits.wait)
        dialogue.patience = None
        try:
            taken(dialogue.greeting())
            hello(sender, dialogue)
            mechanism = self._limits.mechanism
            login = Say("AUTH", mechanism=mechanism, initial=mechanism == "PLAIN")
            reply = dialogue.say(login)[0]
            if not reply.ok and dialogue.open:
                dialogue.say(Say("QUIT"))
            taken(reply)
        except (Refused, Disconnected):
            dialogue.leave(quit=False)
            raise
        return dialogue
