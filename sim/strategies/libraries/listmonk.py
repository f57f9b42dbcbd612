"""listmonk's campaign manager: workers that take messages from one channel, over the pool of
``listmonk_pool``.

MODELLED FROM PUBLIC SOURCE, not held to the real thing: it is written in Go and needs a database.
Read: listmonk of July 2026 (internal/manager, internal/messenger/email), with its own defaults.
"""

from __future__ import annotations

from collections import deque

from ... import units
from ..api import Message
from ..dialogue import LibrarySender
from .listmonk_pool import Limits, Pool

MECHANISMS = {"login": "LOGIN", "plain": "PLAIN"}


class Listmonk:
    """listmonk (modelled from its public source, not run): ten workers over ten connections that it
    keeps open.

    It has no option for messages a connection, so at this relay every sixth message of each is
    refused, and what is refused is lost: max_msg_retries is for connections that died. After
    max_send_errors failures the campaign is paused, and what is left of it waits for a person. A
    sliding window with pauses longer than idle_timeout lets the connections be closed in time.
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
        "idle_timeout": "The time after which an unused connection is closed, looked at every two seconds.",
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
                f'auth_protocol = "{given["auth_protocol"]}" is not offered by the relay; allowed: login, plain'
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
        """One listmonk with one campaign."""
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
        """Feeds the channel until the workload has ended or the campaign is paused."""
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
