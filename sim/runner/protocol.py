"""What a parent and its child processes exchange: the work, and the messages about it.

`Work` is what a child does. `Link` carries numbered messages over a socket. It checks each frame
and reads with a deadline, because a user's strategy can close or write to any file descriptor.
"""

from __future__ import annotations

import pickle
import socket
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from ..errors import ScenarioError

P = TypeVar("P")
"""The type of a work's progress reports."""

A = TypeVar("A")
"""The type of a work's answer."""

HEADER = struct.Struct("!4sQQ")
MARK = b"rsim"
LONGEST = 1 << 32
"""Bytes of a message at most. A longer one is not from us."""


class Watch(Protocol):
    """What a work reports to while it runs in a child."""

    def report(self, progress: object) -> None:
        """Sends progress to the parent now."""

    def follow(self, look: Callable[[], object], stuck: Callable[[], object]) -> None:
        """From now on, sends what ``look`` returns whenever it has changed, and answers with what
        ``stuck`` returns when it has not changed for the work's patience.
        """


class Work(ABC, Generic[P, A]):
    """One piece of work for a child process. It is pickled on its way there."""

    patience: float | None = None
    """Seconds of wall-clock time without progress after which the work is stuck; None for never."""

    memory: int | None = None
    """Bytes of address space that the work may add; None for no limit."""

    isolated: bool = False
    """Whether it needs a process of its own, which no other work used before or uses after."""

    @abstractmethod
    def carry_out(self, watch: Watch) -> A:
        """Does the work, in the child. A ScenarioError that it raises is its answer."""

    @abstractmethod
    def lost(self, how: str, progress: P | None) -> A | ScenarioError:
        """The answer, in the parent, when the child gave none. ``how`` continues a sentence."""


class Started(NamedTuple):
    """The isolated work runs in the process ``pid``, which leads a process group."""

    pid: int


class Reported(NamedTuple):
    """Progress of the work."""

    progress: Any


class Answered(NamedTuple):
    """The work's answer. ``last`` means that the child ends now."""

    answer: Any
    last: bool


class Ended(NamedTuple):
    """The process of isolated work ended with this status."""

    status: int


class Spoiled(Exception):
    """The bytes that came are not a message of ours."""


class Link:
    """One end of the socket between a parent and its child."""

    def __init__(self, own: socket.socket) -> None:
        self._socket = own
        self._unread = bytearray()

    def send(self, number: int, message: object, seconds: float | None = None) -> None:
        """Sends ``message``, which belongs to work ``number``; OSError after ``seconds``."""
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        self._socket.settimeout(seconds)
        self._socket.sendall(HEADER.pack(MARK, number, len(data)) + data)

    def receive(self, seconds: float | None = None) -> tuple[int, Any] | None:
        """The next message and its number, or None when none is complete after ``seconds``.

        Raises EOFError when the other end is closed, and Spoiled for other bytes than ours.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while (found := self._message()) is None:
            left = None if deadline is None else max(0.001, deadline - time.monotonic())
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(1 << 20)
            except TimeoutError:
                return None
            except OSError:
                data = b""
            if not data:
                raise EOFError
            self._unread += data
        return found

    def is_closed(self) -> bool:
        """Whether the other end is closed, or this one. For an end where nothing is due."""
        try:
            return not self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        """Closes this end."""
        self._socket.close()

    def _message(self) -> tuple[int, Any] | None:
        if len(self._unread) < HEADER.size:
            return None
        mark, number, length = HEADER.unpack_from(self._unread)
        if mark != MARK or length > LONGEST:
            raise Spoiled
        end = HEADER.size + length
        if len(self._unread) < end:
            return None
        data = bytes(self._unread[HEADER.size : end])
        del self._unread[:end]
        try:
            return number, pickle.loads(data)
        except Exception:  # pickle raises whatever the bytes lead it to
            raise Spoiled from None
