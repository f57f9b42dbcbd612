"""The byte door of a session: octets in, octets out, and between them the same typed calls that the
simulation makes.

Handed the time with the octets; never reads a clock or touches a socket. Several commands in one
read are answered in order (RFC 2920), and how the octets are cut into reads makes no difference. A
peer may send as many bad commands as it likes: each is answered, and none ends the connection.
Knows nothing of limits, and of the states only what a reply tells it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ..smtp import credentials, replies
from ..smtp.commands import (
    Auth,
    Data,
    Ehlo,
    Helo,
    Help,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    StartTls,
    Vrfy,
    parse,
)
from ..smtp.headers import message_name
from ..smtp.lines import HEAD, Body, Reader
from ..smtp.replies import Reply
from ..smtp.states import State, Verb
from .session import Session

ORDER_OF_CHECKS = (
    "length",
    "octets",
    "verb",
    "arguments",
    "order",
    "mechanism",
    "response",
    "session",
)
"""What is checked first answers: the line's length and octets, the verb and its arguments, so that
a command that cannot be read is told so whatever the state; then whether the verb is in order; for
AUTH its mechanism and the form of its responses; then what the session alone knows: limits,
credentials, sizes. What fails before ``session`` uses up nothing.
"""

IN_TRANSACTION = (State.MAIL, State.RCPT, State.DATA)


class Notes(Protocol):
    """Is told of messages what a typed call does not say."""

    def not_sent(self, message: str | None) -> None:
        """A transaction was begun, or refused by a limit or for its size, and came to nothing.
        None: it has no name yet.
        """

    def named(self, recipient: str) -> None:
        """What had no name when ``not_sent`` told of it last is for ``recipient``."""

    def sent(self, recipient: str, body: Body) -> None:
        """A message was accepted; ``recipient`` is its first."""


class Wire:
    """One connection's octets. ``dropped``: the relay closes without a word. ``starttls``: TLS must
    begin now.

    ``goodbye``: the peer said QUIT. ``keep`` is how many octets of a body's beginning the notes are
    given.
    """

    __slots__ = (
        "_challenges",
        "_nameless",
        "_notes",
        "_open",
        "_reader",
        "_recipient",
        "_session",
        "_step",
        "_username",
        "dropped",
        "goodbye",
        "starttls",
    )

    def __init__(self, session: Session, notes: Notes | None = None, keep: int = HEAD) -> None:
        self._session = session
        self._reader = Reader(keep)
        self._notes = notes
        self._step: Callable[[Wire, int], bytes | None] = Wire._read_command
        self._open = False  # a transaction is under way that the notes have not been told of
        self._nameless = (
            False  # MAIL was refused last, and its RCPT may be on its way behind it (RFC 2920)
        )
        self._recipient: str | None = None  # the first of the transaction
        self._username: str | None = None  # of a LOGIN exchange
        self._challenges = 0  # of an AUTH exchange so far
        self.dropped = self.goodbye = self.starttls = False

    @property
    def closed(self) -> bool:
        """Whether the connection is to be closed once what was returned is written; also true when
        ``dropped``.
        """
        return self.dropped or self._session.closed

    def greeting(self, now: int) -> bytes:
        """What the relay says first."""
        return self._written(self._session.greeting(now))

    def receive(self, data: bytes, now: int) -> bytes:
        """What answers ``data``; empty while nothing is complete, and for all that comes behind the
        end or STARTTLS.
        """
        session = self._session
        reader = self._reader
        if self.starttls or self.dropped or session.closed:
            self._overhear(data)
            return b""
        reader.feed(data)
        answer = self._step(self, now)
        if answer is None:
            return b""
        if reader.spent() or self.starttls or self.dropped or session.closed:
            return answer  # a whole command and nothing behind it: nearly always
        answers = [answer]
        while (answer := self._step(self, now)) is not None:
            answers.append(answer)
            if self._deaf():
                break
        return b"".join(answers)

    def feed(self, data: bytes) -> None:
        """Takes ``data`` for :meth:`answer`; nothing behind the end or STARTTLS."""
        if self._deaf():
            self._overhear(data)
        else:
            self._reader.feed(data)

    def answer(self, now: int) -> bytes | None:
        """What answers the next thing that was fed, judged now; None while it is not complete, and
        at the end or STARTTLS.
        """
        return None if self._deaf() else self._step(self, now)

    def tls_started(self) -> None:
        """TLS is on: the session is as before EHLO, and what came in the clear behind STARTTLS is
        gone (RFC 3207 4.2).
        """
        assert self.starttls, "TLS begins behind an accepted STARTTLS"
        self._reader.clear()
        self._session.tls_started()
        self.starttls = False

    def eof(self, now: int) -> None:
        """The peer is gone."""
        self._session.lost(now)
        self._note_broken()

    def _deaf(self) -> bool:
        """Whether what comes now is thrown away."""
        return self.starttls or self.closed

    def _overhear(self, data: bytes) -> None:
        """For whom a message was that was refused at MAIL: its RCPT may be there, though nothing
        answers it any more.
        """
        if self._nameless:
            self._reader.feed(data)
            line = self._reader.command()
            self._nameless = line is None
            command = parse(line) if isinstance(line, bytes) else line
            if isinstance(command, Rcpt) and self._notes is not None:
                self._notes.named(command.recipient)

    def _written(self, reply: Reply | None) -> bytes:
        if reply is None:
            self.dropped = True
            return b""
        return reply.encode()

    # Each step takes one thing from the reader and answers it; None while it is not complete.

    def _read_command(self, now: int) -> bytes | None:
        line = self._reader.command()
        if line is None:
            return None
        command = parse(line) if type(line) is bytes else line
        act = _ACTS.get(type(command))
        reply = act(self, command, now) if act is not None else _as_reply(command)
        if reply is None:
            self.dropped = True
            return b""
        return reply.encode()

    def _read_body(self, now: int) -> bytes | None:
        body = self._reader.body()
        if body is None:
            return None
        self._step = Wire._read_command
        recipient = self._recipient
        message = message_name(body.head) or recipient
        reply = self._session.body(body.size, now, message=message)
        self._open = False
        if self._notes is not None:
            if reply is not None and reply.ok and recipient is not None:
                self._notes.sent(recipient, body)
            else:
                self._notes.not_sent(message)
        return self._written(reply)

    def _read_plain(self, now: int) -> bytes | None:
        return self._read_response(now, Wire._plain)

    def _read_username(self, now: int) -> bytes | None:
        return self._read_response(now, Wire._login_username)

    def _read_password(self, now: int) -> bytes | None:
        return self._read_response(now, Wire._login_password)

    def _read_response(
        self, now: int, then: Callable[[Wire, bytes, int], Reply | None]
    ) -> bytes | None:
        line = self._reader.response()
        if line is None:
            return None
        self._step = Wire._read_command
        octets = credentials.response(line) if isinstance(line, bytes) else line
        return self._written(then(self, octets, now) if isinstance(octets, bytes) else octets)

    # The acts of the commands that are more than a call of the session's.

    def _starttls(self, command: StartTls, now: int) -> Reply | None:
        reply = self._session.starttls(now)
        self.starttls = reply is not None and reply.ok
        return reply

    def _hello(self, command: Ehlo | Helo, now: int) -> Reply | None:
        return self._may_break(
            self._session.hello(command.name, now, extended=isinstance(command, Ehlo))
        )

    def _rset(self, command: Rset, now: int) -> Reply | None:
        return self._may_break(self._session.rset(now))

    def _quit(self, command: Quit, now: int) -> Reply | None:
        reply = self._session.quit(now)
        self.goodbye = reply is not None and reply.ok
        return self._may_break(reply)

    def _may_break(self, reply: Reply | None) -> Reply | None:
        """``reply``, behind a command that can break off a transaction."""
        if self._open:
            self._note_broken()
        return reply

    def _note_broken(self) -> None:
        if self._open and self._session.state not in IN_TRANSACTION:
            self._open = False
            if self._notes is not None:
                self._notes.not_sent(self._recipient)

    def _mail(self, command: Mail, now: int) -> Reply | None:
        session = self._session
        in_order = session.in_order(Verb.MAIL)
        reply = session.mail(command.sender, now, size=command.size)
        self._nameless = False
        if reply is not None and reply.ok:
            self._recipient = None
            self._open = True
        elif in_order and self._notes is not None:
            self._notes.not_sent(None)
            self._nameless = True
            if reply is None or session.closed:
                self._overhear(b"")
        return reply

    def _rcpt(self, command: Rcpt, now: int) -> Reply | None:
        reply = self._session.rcpt(command.recipient, now)
        if self._nameless and self._notes is not None:
            self._nameless = False
            self._notes.named(command.recipient)
        if self._recipient is None and self._open:
            self._recipient = command.recipient
        return reply if reply is not None and reply.ok else self._may_break(reply)

    def _data(self, command: Data, now: int) -> Reply | None:
        reply = self._session.data(now)
        if reply is not None and reply.ok:
            self._reader.begin_body()
            self._step = Wire._read_body
            return reply
        return self._may_break(reply)

    def _auth(self, command: Auth, now: int) -> Reply | None:
        refused = self._session.may_auth()
        if refused is not None:
            return refused
        if command.mechanism not in _FIRST:
            return replies.BAD_MECHANISM
        challenge, ask, take = _FIRST[command.mechanism]
        self._challenges = int(command.initial is None)
        if command.initial is None:
            self._step = ask
            return challenge
        octets = credentials.initial(command.initial)
        return take(self, octets, now) if isinstance(octets, bytes) else octets

    def _plain(self, octets: bytes, now: int) -> Reply | None:
        found = credentials.plain(octets)
        return (
            found
            if isinstance(found, Reply)
            else self._session.auth(*found, now, challenges=self._challenges)
        )

    def _login_username(self, octets: bytes, now: int) -> Reply | None:
        self._username = credentials.text(octets)
        if self._username is None:
            return replies.BAD_CREDENTIALS_FORM
        self._step = Wire._read_password
        self._challenges += 1
        return replies.CHALLENGE_PASSWORD

    def _login_password(self, octets: bytes, now: int) -> Reply | None:
        username = self._username
        self._username = None
        assert username is not None, "LOGIN asks for the username first"
        password = credentials.text(octets)
        if password is None:
            return replies.BAD_CREDENTIALS_FORM
        return self._session.auth(
            username, password, now, mechanism="LOGIN", challenges=self._challenges
        )


def _as_reply(given: object) -> Reply:
    assert isinstance(given, Reply), f"no act for {given!r}"
    return given


_FIRST = {
    "PLAIN": (replies.CHALLENGE, Wire._read_plain, Wire._plain),
    "LOGIN": (replies.CHALLENGE_USERNAME, Wire._read_username, Wire._login_username),
}
"""By mechanism: the first challenge, the step that reads its response, and what takes it (or the
initial response).
"""

# By type and not by a chain of tests: the same small cost for every command.
_ACTS: dict[type, Callable[[Wire, Any, int], Reply | None]] = {
    Ehlo: Wire._hello,
    Helo: Wire._hello,
    StartTls: Wire._starttls,
    Auth: Wire._auth,
    Mail: Wire._mail,
    Rcpt: Wire._rcpt,
    Data: Wire._data,
    Rset: Wire._rset,
    Noop: lambda wire, command, now: wire._session.noop(now),
    Vrfy: lambda wire, command, now: wire._session.vrfy(now),
    Help: lambda wire, command, now: wire._session.help(now),
    Quit: Wire._quit,
}
