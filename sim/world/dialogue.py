"""A connection in virtual time, command by command, for models of libraries: implements
``strategies.dialogue`` over a Session. Main entry point: :meth:`WorldDialogue.dial`.

Each command is judged half a round trip after it is sent. Commands that are sent together share the
round trip and take the relay's own time one after the other, as on the live port. As in
``connection.py``, commands are judged ahead of the clock, and the sender waits once; only AUTH is
judged at its own moment, because other connections share the limits of logins. It has no fast path:
the model of a library is there to show each command that it sends.

Knows nothing of any library.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Self

from ..errors import Disconnected, StrategyError
from ..relay import Session
from ..smtp import replies
from ..smtp.commands import (
    Body,
    Command,
    Connected,
    Credentials,
    Data,
    Ehlo,
    Helo,
    Lost,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    StartTls,
    TlsStarted,
)
from ..smtp.replies import Reply as RelayReply
from ..strategies.dialogue import Reply, Say
from ..units import MICRO
from .connection import NAME, PASSWORD, SENDER_ADDRESS
from .network import NEVER, NetworkPath
from .stage import Stage

ALONE = ("AUTH", "STARTTLS")
"""Commands that are sent on their own."""

COMMANDS: dict[str, Command] = {
    "EHLO": Ehlo(NAME),
    "HELO": Helo(NAME),
    "STARTTLS": StartTls(),
    "DATA": Data(),
    "RSET": Rset(),
    "NOOP": Noop(),
    "QUIT": Quit(),
}
"""Commands without a message."""


class WorldDialogue:
    """Implements ``strategies.dialogue.Dialogue``. The connection dies at ``dies``."""

    def __init__(
        self, stage: Stage, path: NetworkPath, session: Session, dies: int, username: str
    ) -> None:
        self._clock = stage.clock
        self._outbox = stage.outbox
        self._path = path
        self._session = session
        self._dies = dies
        self._username = username
        self._open = True
        self.patience: float | None = None
        self._greeting: RelayReply | None = None

    @property
    def open(self) -> bool:
        """Whether this side takes the connection for open. It notices half a round trip later that
        the relay is gone.
        """
        return self._open and self._clock.moment < self._dies + self._path.rtt // 2

    @classmethod
    def dial(
        cls, stage: Stage, path: NetworkPath, ip: str, username: str, patience: float | None = None
    ) -> Self:
        """TCP, and TLS where it is implicit. This is ``LibrarySender.dial``."""
        clock = stage.clock
        begun = clock.moment + path.before_connection
        trip = path.trip()
        if patience is not None and trip > patience * MICRO:
            clock.wait_until(begun + round(patience * MICRO))
            raise Disconnected("no connection in time")
        at = begun + trip // 2
        clock.wait_until(at)
        if path.down(at):
            clock.wait_until(begun + trip)
            raise Disconnected("the relay refused the TCP connection")
        session = stage.relay.connect(ip, at)
        dialogue = cls(stage, path, session, path.next_death(at), username)
        dialogue._greeting = session.handle(Connected(), at)
        dialogue.patience = patience
        if not session.closed and dialogue._dies < NEVER:
            # Reported now, since nothing may happen on this connection then. An earlier end
            # overwrites it.
            stage.relay.observer.closed(dialogue._dies, session.number)
        handshake = path.trip() if path.tls == "implicit" else 0
        clock.wait_until(begun + trip + handshake)
        return dialogue

    def greeting(self) -> Reply:
        sent = self._clock.moment
        self._wait(sent, sent + self._path.trip())
        return self._heard([self._greeting])[0]

    def say(self, *commands: Say) -> list[Reply]:
        self._check(commands)
        if not self._open:
            raise Disconnected("the connection is closed")
        if self._session.closed:
            self._open = False
            raise Disconnected("the relay closed the connection")
        first = commands[0]
        if first.verb == "AUTH":
            return [self._auth(first)]
        found = self._exchange([self._judge(each) for each in commands], wait=first.verb == "MAIL")
        if first.verb == "STARTTLS" and found[0].ok:
            self._clock.wait_until(self._clock.moment + self._path.trip())
            self._session.handle(TlsStarted(), self._clock.moment)
        return found

    def leave(self, *, quit: bool) -> None:
        if self._open and not self._session.closed:
            at = min(self._clock.moment + self._path.trip() // 2, self._dies)
            if quit and at < self._dies:
                self._session.handle(Quit(), at)
            else:
                self._session.handle(Lost(), at)
        self._open = False

    def _check(self, commands: tuple[Say, ...]) -> None:
        if not commands or (len(commands) > 1 and any(one.verb in ALONE for one in commands)):
            raise StrategyError(
                f"say({', '.join(one.verb for one in commands)}): AUTH and STARTTLS stand alone"
            )
        for one in commands:
            if (one.verb in ("MAIL", "RCPT", "BODY")) != (one.message is not None):
                raise StrategyError(
                    f"say({one.verb}): MAIL, RCPT and BODY take a message, "
                    "and no other command does"
                )

    def _judge(self, said: Say) -> Callable[[int], RelayReply | None]:
        message = said.message
        if message is None:
            if said.verb not in COMMANDS:
                raise StrategyError(
                    f"say({said.verb!r}): allowed: AUTH, MAIL, RCPT, BODY, {', '.join(COMMANDS)}"
                )
            return self._handling(COMMANDS[said.verb])
        index = self._outbox.index(message)
        if said.verb == "MAIL":
            return self._handling(Mail(SENDER_ADDRESS, message=message.id))
        if said.verb == "RCPT":
            return self._handling(Rcpt(message.recipient))
        return lambda at: self._body(index, len(message.data), at)

    def _handling(self, command: Command) -> Callable[[int], RelayReply | None]:
        return lambda at: self._session.handle(command, at)

    def _body(self, index: int, size: int, at: int) -> RelayReply | None:
        reply = self._session.handle(Body(size), at)
        if reply is not None and reply.ok:
            self._outbox.accept(index, at)
        return reply

    def _auth(self, said: Say) -> Reply:
        """Judged with its last response, at its own moment."""
        challenges = (0 if said.initial else 1) + (said.mechanism == "LOGIN")
        for _ in range(challenges):
            refused = self._session.refusal(Credentials)
            if refused is not None:
                return self._exchange([partial(_answer, refused)])[0]
            self._exchange([partial(_answer, replies.CHALLENGE)], part=True)
        command = Credentials(self._username, PASSWORD, said.mechanism, challenges)
        return self._exchange([self._handling(command)], at_its_moment=True)[0]

    def _exchange(
        self,
        calls: list[Callable[[int], RelayReply | None]],
        *,
        wait: bool = False,
        at_its_moment: bool = False,
        part: bool = False,
    ) -> list[Reply]:
        """Sends commands together and waits for their answers.

        ``wait``: the sender first spends its own time for a message. ``at_its_moment``: judges the
        commands when the clock is there. ``part``: this is not the last part of a command; a
        connection dies at whole commands, as on the live port.
        """
        clock = self._clock
        path = self._path
        sent = clock.moment + (path.before_message if wait else 0)
        trip = path.trip()
        at = sent + trip // 2
        answered = sent + trip
        answers: list[RelayReply | None] = []
        for call in calls:
            if at >= self._dies:
                self._die(self._dies, max(sent, self._dies + trip // 2), answers)
                break
            before, after = (False, False) if part else path.drops()
            if before:
                self._die(at, max(answered, at), answers)
                break
            if at_its_moment:
                clock.wait_until(at)
            answers.append(call(at))
            thinking = path.thinking(at)
            at += thinking
            answered += thinking
            if after:
                self._die(at, answered, answers[:-1])
                answers.pop()
                break
            if self._session.closed:
                break
        self._wait(sent, answered)
        return self._heard(answers)

    def _wait(self, sent: int, answered: int) -> None:
        """Waits until ``answered`` for commands that were sent at ``sent``. Disconnected if that is
        longer than the patience.
        """
        clock = self._clock
        if self.patience is None or answered - sent <= self.patience * MICRO:
            clock.wait_until(answered)
            return
        gave_up = max(clock.moment, sent + round(self.patience * MICRO))
        if not self._session.closed:
            self._session.handle(Lost(), gave_up + self._path.trip() // 2)
        self._open = False
        clock.wait_until(gave_up)
        raise Disconnected("no answer in time")

    def _heard(self, answers: list[RelayReply | None]) -> list[Reply]:
        if self._session.closed:
            self._open = False
        heard = [Reply(answer.code, answer.text) for answer in answers if answer is not None]
        if not heard:
            self._open = False
            raise Disconnected("the relay dropped the connection")
        return heard

    def _die(self, at: int, known: int, answers: list[RelayReply | None]) -> None:
        """The connection dies at ``at``, and the sender notices at ``known``. It still gets the
        ``answers`` that came before; Disconnected if there are none.
        """
        self._session.handle(Lost(), at)
        self._open = False
        self._clock.wait_until(known)
        if not answers:
            raise Disconnected("the connection died")


def _answer(reply: RelayReply, at: int) -> RelayReply:
    """A command whose answer is known without asking the session."""
    return reply
