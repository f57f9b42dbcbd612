"""The interface of a mail library's model, beyond ``api.Sender``: :class:`LibrarySender` opens a
:class:`Dialogue`, a connection on which the model sends each SMTP command.

A user's strategy calls ``connect`` and ``send``. A model must send the same commands in the same
order as its library, group them in the same way and react to refusals in the same way. Only the
simulation implements this interface, because in production the library itself runs.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from .api import Message, Sender


class Reply(NamedTuple):
    """The relay's reply: its code, and its text with the enhanced code. Several lines are joined by
    line ends.
    """

    code: int
    text: str

    @property
    def ok(self) -> bool:
        """Whether the command was accepted."""
        return self.code < 400


class Say(NamedTuple):
    """One command for :meth:`Dialogue.say`. ``verb`` is EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT,
    DATA, BODY, RSET, NOOP or QUIT.

    ``message`` belongs to MAIL, RCPT and BODY. For AUTH there are ``mechanism`` (PLAIN or LOGIN)
    and ``initial``, whether the command itself contains the first response.
    """

    verb: str
    message: Message | None = None
    mechanism: str = "PLAIN"
    initial: bool = True


class Dialogue(Protocol):
    """The sender's side of one connection after TCP (and implicit TLS). Every answer takes a round
    trip.
    """

    open: bool
    """Whether the connection is open as far as this side can know: false after the relay closed it,
    it died, or this side left.
    """
    patience: float | None
    """Seconds that :meth:`say` waits for all answers; None waits without a limit."""

    def greeting(self) -> Reply:
        """Waits for the greeting: 220, or a refusal instead."""

    def say(self, *commands: Say) -> list[Reply]:
        """Sends the commands together (pipelined as in RFC 2920 if there are several) and waits for
        their answers, which share one round trip.

        There are fewer answers than commands if the relay closed the connection after one of them.
        AUTH and STARTTLS cannot be sent with other commands. AUTH takes another round trip for each
        challenge, STARTTLS another one for TLS. MAIL starts after the sender's own time for a
        message. Raises Disconnected if no answer comes, or not all within ``patience``: then this
        side closes the connection, and the relay has acted on the commands that reached it.
        """

    def leave(self, *, quit: bool) -> None:
        """Ends the connection without waiting, optionally after a QUIT whose answer is not read.
        Never raises.
        """


class Signal(Protocol):
    """An event in a worker's process that other strands of the process wait for."""

    def wait(self, seconds: float | None = None) -> bool:
        """Waits for a call of ``set``, at most ``seconds``. Returns whether there was one."""

    def set(self) -> None:
        """Wakes all that wait now. A later ``wait`` waits for the next call."""


class LibrarySender(Sender, Protocol):
    """A worker's sender for a model."""

    tls: str
    """The TLS mode of the scenario's network: none, starttls or implicit."""

    def take_more(self, most: int = 1) -> list[Message]:
        """Like ``take``, but gives nothing up: for a library that accepts messages while it still
        holds others. The worker holds them until each is accepted, put back or given up.
        """

    def give_up(self, message: Message) -> None:
        """Marks ``message``, which this worker holds, as lost: the library reported to its program
        that it failed.
        """

    def signal(self) -> Signal:
        """A new signal between this worker and the workers that it spawns."""

    def dial(self, patience: float | None = None) -> Dialogue:
        """Opens TCP (and implicit TLS), after the sender's own time for a connection.

        ``patience`` becomes the dialogue's. Raises Disconnected if TCP is refused or takes longer
        than that.
        """
