"""smtppool, listmonk's pool of connections, over Go's net/smtp.

MODELLED FROM PUBLIC SOURCE, not held to the real thing (smtppool as of March 2025). Knows nothing
of campaigns.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ..api import Disconnected, Message, Refused
from ..dialogue import Dialogue, LibrarySender, Say
from .common import say, taken, transact

SWEEP = 2.0
"""Seconds between two looks for idle connections."""


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
    """Connections that are lent to whoever sends, oldest first."""

    def __init__(self, sender: LibrarySender, limits: Limits) -> None:
        self._limits = limits
        self._free = deque[Kept]()
        self._created = 0
        self._returned = sender.signal()
        self._sweeping = False

    def send(self, sender: LibrarySender, message: Message) -> bool:
        """Whether the message was accepted. Only what died on the way is tried again, not what was
        refused.
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
        """A free connection, or a new one where there is room; None after a vain wait."""
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
        """RSET; a connection that does not take it is closed."""
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
        """Closes what was idle for too long, while there are connections."""
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
            say(dialogue, "EHLO")
            if sender.tls == "starttls":
                say(dialogue, "STARTTLS")
                say(dialogue, "EHLO")
            login = Say(
                "AUTH", mechanism=self._limits.mechanism, initial=self._limits.mechanism == "PLAIN"
            )
            reply = dialogue.say(login)[0]
            if not reply.ok and dialogue.open:
                dialogue.say(Say("QUIT"))
            taken(reply)
        except (Refused, Disconnected):
            dialogue.leave(quit=False)
            raise
        return dialogue
