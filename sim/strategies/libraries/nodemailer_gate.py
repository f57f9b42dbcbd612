"""Nodemailer's rateLimit: messages are counted as they are assigned, and only a connection that has
sent one is held back.

So connections that are new pass it, and all that wait go on together. Knows nothing of connections
or messages.
"""

from __future__ import annotations

from ..dialogue import LibrarySender


class Gate:
    """At most ``limit`` messages per ``delta`` seconds, nearly; 0 for no limit. None waits longer
    than ``longest`` seconds.
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
        """A message is assigned."""
        self._counter += 1
        if self._since is None:
            self._since = self._sender.now()

    def passed(self) -> bool:
        """_checkRateLimit: waits until the connection may take the next message; False if it was
        dropped over that.
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
        """_clearRateLimit: all that wait go on."""
        self._timed = False
        self._counter = 0
        self._since = None
        self._opens.set()
