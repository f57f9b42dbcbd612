"""A model of WordPress with WP Mail SMTP: a PHPMailer for each e-mail, in as many PHP processes as
visitors keep busy, or from the plugin's queue.

Written from public source and not tested against the real plugin: it needs a WordPress, and rate
limiting is part of the paid edition, whose source is not public. Read: the public plugin, version
4.8 (its queue, whose task runs each minute, and its readme), and the relay's help article. Assumed:
a limit counts the e-mails handed over in the preceding time, a month has 30 days, and Action
Scheduler sends the e-mails that were handed over one after another in one process.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from math import floor

from ..api import Disconnected, Message, Refused
from ..dialogue import LibrarySender
from .phpmailer import Mailer

TASK = 60.0
"""Seconds between two runs of the task that empties the queue (the plugin's ``ProcessQueueTask``).
"""

WINDOWS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 7 * 86_400, "month": 30 * 86_400}


class WordPress:
    """WordPress with WP Mail SMTP (modelled from its public source, not run): a connection and a
    login for each e-mail.

    Without rate limiting the PHP process that creates an e-mail sends it, up to max_children at a
    time. So a burst logs in as fast as the machine allows, and refused e-mails are lost, because
    nothing tries again. With rate_limit every e-mail goes into a queue. Each minute as many as the
    limits allow are handed over and sent one after another. An e-mail that fails from the queue is
    lost too.
    """

    library = "WP Mail SMTP"
    options = {
        "max_children": 5,
        "rate_limit": False,
        "minute": 0,
        "hour": 0,
        "day": 0,
        "week": 0,
        "month": 0,
    }
    explained = {
        "max_children": (
            "PHP processes that send at once (pm.max_children of PHP-FPM, 5 in its own example)."
        ),
        "rate_limit": "Email Rate Limiting, in the tab Misc of the paid edition.",
        **{
            name: (
                f"E-mails a{'n' * (name == 'hour')} {name} that it hands over at most; "
                "0 sets no such limit."
            )
            for name in WINDOWS
        },
    }

    def __init__(self, max_children: int, rate_limit: bool, **limits: int) -> None:
        if max_children < 1:
            raise ValueError(f"max_children = {max_children} is too small; at least 1")
        for name, count in limits.items():
            if count < 0:
                raise ValueError(f"{name} = {count} is too small; at least 1, or 0 for no limit")
        self.max_children = max_children
        self.rate_limit = rate_limit
        self.limits = {name: count for name, count in limits.items() if count}

    def run(self, sender: LibrarySender) -> None:
        """One site."""
        if self.rate_limit:
            _Queue(sender, self.limits).run()
            return
        for _ in range(self.max_children - 1):
            sender.spawn(_requests)
        _requests(sender)


def _requests(sender: LibrarySender) -> None:
    """One PHP process, with a PHPMailer for each e-mail. A failure ends the call of wp_mail()."""
    while batch := sender.take():
        with suppress(Refused, Disconnected):
            _mail(sender, batch[0])


def _mail(sender: LibrarySender, message: Message) -> None:
    Mailer(sender, keep_alive=False, mechanism="LOGIN").send(message)


class _Queue:
    """The queue of one site and the task that empties it."""

    def __init__(self, site: LibrarySender, limits: dict[str, int]) -> None:
        self._site = site
        self._limits = limits
        self._queued = deque[Message]()
        self._handed_over = deque[float]()
        self._filled = site.signal()
        self._closed = False

    def run(self) -> None:
        """Queues e-mails until the workload has ended."""
        self._site.spawn(self._task)
        while batch := self._site.take_more(1_000):
            self._queued.extend(batch)
            self._filled.set()
        self._closed = True
        self._filled.set()

    def _task(self, sender: LibrarySender) -> None:
        """Sends each minute, while the queue is not empty."""
        while True:
            if not self._queued:
                if self._closed:
                    return
                self._filled.wait()
                continue
            now = sender.now()
            handed_over = [self._queued.popleft() for _ in range(self._allowed(now))]
            self._handed_over.extend([now] * len(handed_over))
            for message in handed_over:
                self._send(sender, message)
            sender.sleep((floor(sender.now() / TASK) + 1) * TASK - sender.now())

    def _allowed(self, now: float) -> int:
        """How many may be handed over at ``now``."""
        while self._handed_over and self._handed_over[0] <= now - max(WINDOWS.values()):
            self._handed_over.popleft()
        left = [
            count - sum(at > now - WINDOWS[name] for at in self._handed_over)
            for name, count in self._limits.items()
        ]
        return max(0, min([len(self._queued), *left]))

    def _send(self, sender: LibrarySender, message: Message) -> None:
        try:
            _mail(sender, message)
        except (Refused, Disconnected):
            self._site.give_up(message)
