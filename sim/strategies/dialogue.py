"""What a model of a mail library sees beyond ``api.Sender``: a connection spelt out command by
command.

A strategy of one's own says ``connect`` and ``send``. A model must do what its library does on the
wire - which commands, in which order, what together, what after a refusal - and so it speaks SMTP
itself, by typed words. Only the simulation has these: in production the library itself is there.
Knows nothing of limits, time or sockets.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from .api import Message, Sender


class Reply(NamedTuple):
    """What the relay answered: ``code``, and ``text`` with its enhanced code, the lines of it
    joined by line ends.
    """

    code: int
    text: str

    @property
    def ok(self) -> bool:
        """Whether the command was taken."""
        return self.code < 400


class Say(NamedTuple):
    """One command for :meth:`Dialogue.say`. ``verb`` is EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT,
    DATA, BODY, RSET, NOOP or QUIT.

    ``message`` goes with MAIL, RCPT and BODY; ``mechanism`` (PLAIN or LOGIN) and ``initial``,
    whether the first response stands in the command itself, with AUTH.
    """

    verb: str
    message: Message | None = None
    mechanism: str = "PLAIN"
    initial: bool = True


class Dialogue(Protocol):
    """The sender's side of one connection that TCP (and implicit TLS) has opened. Every answer
    costs its round trip.
    """

    open: bool
    """Whether the connection is open as far as this side can know: false once the relay closed it,
    it died or this side left.
    """
    patience: float | None
    """Seconds that this side waits for the answers to what it said in one go; None waits for ever.
    See ``say``.
    """

    def greeting(self) -> Reply:
        """Waits for the greeting: 220, or the refusal in its place."""

    def say(self, *commands: Say) -> list[Reply]:
        """Sends the commands in one go (more than one: RFC 2920) and waits for their answers, which
        share one round trip.

        Fewer answers than commands come back where the relay closed the connection behind one. AUTH
        takes a round trip more for each challenge, STARTTLS one more for TLS, and both stand alone.
        MAIL begins after the sender's own time for a message. Raises Disconnected if not even one
        answer comes, or not all within ``patience``: then this side closes the connection, and the
        relay has acted on what reached it.
        """

    def leave(self, *, quit: bool) -> None:
        """Ends the connection without waiting: with a QUIT whose answer nobody reads, or none.
        Never raises.
        """


class Signal(Protocol):
    """Something that happens in a worker's process and that other strands of it wait for."""

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until somebody calls ``set``, at most ``seconds``; whether somebody did."""

    def set(self) -> None:
        """Lets all go on that wait now; who waits later waits for the next time."""


class LibrarySender(Sender, Protocol):
    """A worker's sender as a model has it."""

    tls: str
    """What the scenario's network says: none, starttls or implicit."""

    def take_more(self, most: int = 1) -> list[Message]:
        """As ``take``, but gives nothing up: for a library that is handed messages while it still
        has others.

        What was taken before stays in this worker's hands until it is accepted, put back or given
        up.
        """

    def give_up(self, message: Message) -> None:
        """The library has told its program that ``message``, which is in this worker's hands,
        failed: it is lost.
        """

    def signal(self) -> Signal:
        """A new signal between this worker and what it spawns."""

    def dial(self, patience: float | None = None) -> Dialogue:
        """TCP (and implicit TLS) after the sender's own time for a connection.

        ``patience`` becomes the dialogue's. Raises Disconnected where TCP is refused or takes
        longer than that.
        """
