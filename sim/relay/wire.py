"""The byte side of a session: octets in, octets out, and commands for a session in between.

``Wire.receive`` takes what arrived and returns what to write. The time comes with the octets; this
module never reads a clock or touches a socket. Several commands in one read are answered in order
(RFC 2920), and how the octets are cut into reads makes no difference. A peer can send any number of
bad commands: each is answered, and none ends the connection.

The first check that fails answers a command: the length of its line, its octets, its verb, its
arguments (all of these in any state), then its order; for AUTH the mechanism and the form of its
responses; and last what only the session knows: limits, credentials and sizes. A command that fails
before that uses up nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ..smtp import credentials, replies
from ..smtp.commands import (
    Auth,
    Body,
    Connected,
    Credentials,
    Data,
    Ehlo,
    Helo,
    Help,
    LineCommand,
    Lost,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    StartTls,
    TlsStarted,
    Vrfy,
    parse,
)
from ..smtp.headers import message_name
from ..smtp.lines import HEAD, Reader
from ..smtp.lines import Body as ReceivedBody
from ..smtp.replies import Reply
from ..smtp.states import IN_TRANSACTION
from .session import AnySession


class Notes(Protocol):
    """Is called for the fate of each message, which the commands of a session do not contain."""

    def not_sent(self, message: str | None) -> None:
        """A transaction ended without a message, or was refused by a limit or for its size. None:
        its recipient is not known yet.
        """

    def named(self, recipient: str) -> None:
        """The message of the last ``not_sent(None)`` is for ``recipient``."""

    def sent(self, recipient: str, body: ReceivedBody) -> None:
        """A message was accepted; ``recipient`` is its first."""


class Wire:
    """The octets of one connection.

    ``dropped``: the relay closes without a reply. ``starttls``: TLS must begin now. ``goodbye``:
    the peer sent QUIT. ``keep`` is the number of octets of a body's beginning that ``notes`` gets.
    """

    __slots__ = (
        "_awaits_recipient",
        "_challenges",
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

    def __init__(self, session: AnySession, notes: Notes | None = None, keep: int = HEAD) -> None:
        self._session = session
        self._reader = Reader(keep)
        self._notes = notes
        self._step: Callable[[Wire, int], bytes | None] = Wire._read_command
        self._open = False  # a transaction is open that the notes do not know of yet
        # MAIL was refused, and its pipelined RCPT may name the recipient (RFC 2920).
        self._awaits_recipient = False
        self._recipient: str | None = None  # the first of the transaction
        self._username: str | None = None  # of a LOGIN exchange
        self._challenges = 0  # of an AUTH exchange so far
        self.dropped = False
        self.goodbye = False
        self.starttls = False

    @property
    def closed(self) -> bool:
        """Whether to close the connection after writing the answer. True when ``dropped``."""
        return self.dropped or self._session.closed

    def greeting(self, now: int) -> bytes:
        """The greeting, or the refusal that answers instead."""
        return self._written(self._session.handle(Connected(), now))

    def receive(self, data: bytes, now: int) -> bytes:
        """The answers to ``data``: empty while no command is complete, and for everything after the
        end or STARTTLS.
        """
        session = self._session
        reader = self._reader
        if self.starttls or self.dropped or session.closed:
            self._read_refused_recipient(data)
            return b""
        reader.feed(data)
        answer = self._step(self, now)
        if answer is None:
            return b""
        # Nearly always a read is one whole command, so this case is fast.
        if reader.spent() or self.starttls or self.dropped or session.closed:
            return answer
        answers = [answer]
        while (answer := self._step(self, now)) is not None:
            answers.append(answer)
            if self._ignores_input():
                break
        return b"".join(answers)

    def feed(self, data: bytes) -> None:
        """Stores ``data`` for :meth:`answer`, except after the end or STARTTLS."""
        if self._ignores_input():
            self._read_refused_recipient(data)
        else:
            self._reader.feed(data)

    def answer(self, now: int) -> bytes | None:
        """The answer to the next command that was fed, handled now. None while it is not complete,
        and after the end or STARTTLS.
        """
        return None if self._ignores_input() else self._step(self, now)

    def tls_started(self, now: int) -> None:
        """The TLS handshake is complete. Discards what came in the clear after STARTTLS (RFC 3207
        4.2).
        """
        assert self.starttls, "TLS begins after an accepted STARTTLS"
        self._reader.clear()
        self._session.handle(TlsStarted(), now)
        self.starttls = False

    def eof(self, now: int) -> None:
        """The peer is gone."""
        self._session.handle(Lost(), now)
        self._report_unsent()

    def _ignores_input(self) -> bool:
        return self.starttls or self.closed

    def _read_refused_recipient(self, data: bytes) -> None:
        """After MAIL was refused, reads the pipelined RCPT to learn the recipient. It gets no
        reply.
        """
        if self._awaits_recipient:
            self._reader.feed(data)
            line = self._reader.command()
            self._awaits_recipient = line is None
            command = parse(line) if isinstance(line, bytes) else line
            if isinstance(command, Rcpt) and self._notes is not None:
                self._notes.named(command.recipient)

    def _report_unsent(self) -> None:
        """Tells the notes if the open transaction has ended without a message."""
        if self._open and self._session.state not in IN_TRANSACTION:
            self._open = False
            if self._notes is not None:
                self._notes.not_sent(self._recipient)

    def _written(self, reply: Reply | None) -> bytes:
        if reply is None:
            self.dropped = True
            return b""
        return reply.encode()

    # The steps. Each takes one line or body from the reader and answers it; None while it is not
    # complete.

    def _read_command(self, now: int) -> bytes | None:
        line = self._reader.command()
        if line is None:
            return None
        command = parse(line) if isinstance(line, bytes) else line
        reply = _ACTS[type(command)](self, command, now)
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
        reply = self._session.handle(Body(body.size, message), now)
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

    # The acts. Each passes a command to the session; those below also do what only the byte side
    # has to do.

    def _reply(self, reply: Reply, now: int) -> Reply:
        """A line that is no command was refused by the reader or the parser."""
        return reply

    def _handle(self, command: Noop | Vrfy | Help, now: int) -> Reply | None:
        return self._session.handle(command, now)

    def _handle_ending(self, command: Ehlo | Helo | Rset | Data, now: int) -> Reply | None:
        """Handles a command that can end a transaction."""
        reply = self._session.handle(command, now)
        if self._open:
            self._report_unsent()
        return reply

    def _quit(self, command: Quit, now: int) -> Reply | None:
        reply = self._session.handle(command, now)
        self.goodbye = reply is not None and reply.ok
        self._report_unsent()
        return reply

    def _starttls(self, command: StartTls, now: int) -> Reply | None:
        reply = self._session.handle(command, now)
        self.starttls = reply is not None and reply.ok
        return reply

    def _mail(self, command: Mail, now: int) -> Reply | None:
        session = self._session
        in_order = session.refusal(Mail) is None
        reply = session.handle(command, now)
        self._awaits_recipient = False
        if reply is not None and reply.ok:
            self._recipient = None
            self._open = True
        elif in_order and self._notes is not None:
            self._notes.not_sent(None)
            self._awaits_recipient = True
            if reply is None or session.closed:
                self._read_refused_recipient(b"")
        return reply

    def _rcpt(self, command: Rcpt, now: int) -> Reply | None:
        reply = self._session.handle(command, now)
        if self._awaits_recipient and self._notes is not None:
            self._awaits_recipient = False
            self._notes.named(command.recipient)
        if self._open:
            if self._recipient is None:
                self._recipient = command.recipient
            if reply is None or reply.code >= 400:
                self._report_unsent()
        return reply

    def _data(self, command: Data, now: int) -> Reply | None:
        reply = self._session.handle(command, now)
        if reply is not None and reply.ok:
            self._reader.begin_body()
            self._step = Wire._read_body
        elif self._open:
            self._report_unsent()
        return reply

    # AUTH: its responses become Credentials.

    def _auth(self, command: Auth, now: int) -> Reply | None:
        refused = self._session.refusal(Credentials)
        if refused is not None:
            return refused
        if command.mechanism not in _MECHANISMS:
            return replies.BAD_MECHANISM
        challenge, read_response, take_response = _MECHANISMS[command.mechanism]
        if command.initial is None:
            self._challenges = 1
            self._step = read_response
            return challenge
        self._challenges = 0
        octets = credentials.initial(command.initial)
        return take_response(self, octets, now) if isinstance(octets, bytes) else octets

    def _plain(self, octets: bytes, now: int) -> Reply | None:
        found = credentials.plain(octets)
        if isinstance(found, Reply):
            return found
        return self._log_in(*found, "PLAIN", now)

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
        return self._log_in(username, password, "LOGIN", now)

    def _log_in(self, username: str, password: str, mechanism: str, now: int) -> Reply | None:
        command = Credentials(username, password, mechanism, self._challenges)
        return self._session.handle(command, now)


_MECHANISMS = {
    "PLAIN": (replies.CHALLENGE, Wire._read_plain, Wire._plain),
    "LOGIN": (replies.CHALLENGE_USERNAME, Wire._read_username, Wire._login_username),
}
"""By mechanism: the first challenge, the step that reads its response, and what takes the response
(or the initial response).
"""

_ACTS: dict[type[LineCommand | Reply], Callable[[Wire, Any, int], Reply | None]] = {
    Reply: Wire._reply,
    Ehlo: Wire._handle_ending,
    Helo: Wire._handle_ending,
    StartTls: Wire._starttls,
    Auth: Wire._auth,
    Mail: Wire._mail,
    Rcpt: Wire._rcpt,
    Data: Wire._data,
    Rset: Wire._handle_ending,
    Noop: Wire._handle,
    Vrfy: Wire._handle,
    Help: Wire._handle,
    Quit: Wire._quit,
}
