"""A connection in virtual time spelt out command by command, for models of libraries:
``strategies.dialogue`` over a Session.

Every command is judged half a round trip after it is sent; commands sent together share the trip
and take the relay's own time one after the other, as on the live port. Knows nothing of any
library.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from ..errors import Disconnected, StrategyError
from ..smtp import replies
from ..smtp.replies import Reply as RelayReply
from ..strategies.dialogue import Reply, Say
from ..units import MICRO
from .connection import NAME, SENDER_ADDRESS
from .network import NEVER

if TYPE_CHECKING:
    from ..relay import Session
    from .clock import Clock
    from .network import Way
    from .outbox import Outbox
    from .run import World

ALONE = ("AUTH", "STARTTLS")
"""Commands with nothing else in the same go."""


class WorldDialogue:
    """Implements ``strategies.dialogue.Dialogue``."""

    def __init__(self, world: World, way: Way, session: Session, dies: int, username: str) -> None:
        self._clock: Clock = world.clock
        self._outbox: Outbox = world.outbox
        self._way = way
        self._session = session
        self._dies = dies
        self._username = username
        self._open = True
        self.patience: float | None = None
        self._greeting: RelayReply | None = None

    @property
    def open(self) -> bool:
        """As in Dialogue; that the relay is gone is known half a round trip later."""
        return self._open and self._clock.moment < self._dies + self._way.rtt // 2

    @classmethod
    def dial(
        cls, world: World, way: Way, ip: str, username: str, patience: float | None = None
    ) -> Self:
        """What ``LibrarySender.dial`` does."""
        clock = world.clock
        begun = clock.moment + way.before_connection
        trip = way.trip()
        if patience is not None and trip > patience * MICRO:
            clock.wait_until(begun + round(patience * MICRO))
            raise Disconnected("no connection in time")
        at = begun + trip // 2
        clock.wait_until(at)
        if way.down(at):
            clock.wait_until(begun + trip)
            raise Disconnected("the relay refused the TCP connection")
        session = world.relay.connect(ip, at)
        dialogue = cls(world, way, session, way.next_death(at), username)
        dialogue._greeting = session.greeting(at)
        dialogue.patience = patience
        if not session.closed and dialogue._dies < NEVER:
            world.relay.observer.closed(
                dialogue._dies, session.number
            )  # an earlier end overwrites it
        clock.wait_until(begun + trip + (way.trip() if way.tls == "implicit" else 0))
        return dialogue

    def greeting(self) -> Reply:
        """As in Dialogue."""
        sent = self._clock.moment
        self._wait(sent, sent + self._way.trip())
        return self._heard([self._greeting])[0]

    def say(self, *commands: Say) -> list[Reply]:
        """As in Dialogue."""
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
            self._clock.wait_until(self._clock.moment + self._way.trip())
            self._session.tls_started()
        return found

    def leave(self, *, quit: bool) -> None:
        """As in Dialogue."""
        if self._open and not self._session.closed:
            at = min(self._clock.moment + self._way.trip() // 2, self._dies)
            if quit and at < self._dies:
                self._session.quit(at)
            else:
                self._session.lost(at)
        self._open = False

    def _check(self, commands: tuple[Say, ...]) -> None:
        if not commands or (len(commands) > 1 and any(one.verb in ALONE for one in commands)):
            raise StrategyError(
                f"say({', '.join(one.verb for one in commands)}): AUTH and STARTTLS stand alone"
            )
        for one in commands:
            if (one.verb in ("MAIL", "RCPT", "BODY")) != (one.message is not None):
                raise StrategyError(
                    f"say({one.verb}): MAIL, RCPT and BODY take a message, and no other command does"
                )

    def _judge(self, said: Say) -> Callable[[int], RelayReply | None]:
        session = self._session
        message = said.message
        if message is not None:
            index = self._outbox.index(message)
            if said.verb == "MAIL":
                return lambda at: session.mail(SENDER_ADDRESS, at, message=message.id)
            if said.verb == "RCPT":
                return lambda at: session.rcpt(message.recipient, at)
            return lambda at: self._body(index, len(message.data), at)
        calls: dict[str, Callable[[int], RelayReply | None]] = {
            "EHLO": lambda at: session.hello(NAME, at),
            "HELO": lambda at: session.hello(NAME, at, extended=False),
            "STARTTLS": session.starttls,
            "DATA": session.data,
            "RSET": session.rset,
            "NOOP": session.noop,
            "QUIT": session.quit,
        }
        if said.verb not in calls:
            raise StrategyError(
                f"say({said.verb!r}): allowed: AUTH, MAIL, RCPT, BODY, {', '.join(calls)}"
            )
        return calls[said.verb]

    def _body(self, index: int, size: int, at: int) -> RelayReply | None:
        reply = self._session.body(size, at)
        if reply is not None and reply.ok:
            self._outbox.accept(index, at)
        return reply

    def _auth(self, said: Say) -> Reply:
        """Judged with its last response, at its own moment, since others log in too."""
        challenges = (0 if said.initial else 1) + (said.mechanism == "LOGIN")
        for _ in range(challenges):
            if (refused := self._session.may_auth()) is not None:
                return self._exchange([lambda at, refused=refused: refused])[0]  # type: ignore[misc]
            self._exchange([lambda at: replies.CHALLENGE], part=True)
        return self._exchange(
            [
                lambda at: self._session.auth(
                    self._username,
                    "right or wrong",
                    at,
                    mechanism=said.mechanism,
                    challenges=challenges,
                )
            ],
            at_its_moment=True,
        )[0]

    def _exchange(
        self,
        calls: list[Callable[[int], RelayReply | None]],
        *,
        wait: bool = False,
        at_its_moment: bool = False,
        part: bool = False,
    ) -> list[Reply]:
        """Sends commands together and waits for what answers them; ``wait`` first spends the
        sender's time for a message.

        ``part`` is one of a command that has further ones: a connection dies at whole commands, as
        on the live port.
        """
        clock = self._clock
        way = self._way
        sent = clock.moment + (way.before_message if wait else 0)
        trip = way.trip()
        at = sent + trip // 2
        answered = sent + trip
        answers: list[RelayReply | None] = []
        for call in calls:
            if at >= self._dies:
                self._die(self._dies, max(sent, self._dies + trip // 2), answers)
                break
            before, after = (False, False) if part else way.drops()
            if before:
                self._die(at, max(answered, at), answers)
                break
            if at_its_moment:
                clock.wait_until(at)
            answers.append(call(at))
            thinking = way.thinking(at)
            at = at + thinking
            answered = answered + thinking
            if after:
                self._die(at, answered, answers[:-1])
                answers.pop()
                break
            if self._session.closed:
                break
        self._wait(sent, answered)
        return self._heard(answers)

    def _wait(self, sent: int, answered: int) -> None:
        """For the answer to what was sent at ``sent``; Disconnected once the patience is at its end
        before that.
        """
        clock = self._clock
        if self.patience is None or answered - sent <= self.patience * MICRO:
            clock.wait_until(answered)
            return
        gave_up = max(clock.moment, sent + round(self.patience * MICRO))
        if not self._session.closed:
            self._session.lost(gave_up + self._way.trip() // 2)
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
        """The connection dies at ``at``; the sender learns of it at ``known``, with what was
        answered before.
        """
        self._session.lost(at)
        self._open = False
        self._clock.wait_until(known)
        if not answers:
            raise Disconnected("the connection died")
