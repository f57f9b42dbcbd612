"""A model of Jakarta Mail (JavaMail): Transport.send, and a Transport that is reused.

Read from the source and tested against version 2.0.0. Options with a dot are the library's
properties, the others belong to the program.
"""

from __future__ import annotations

from contextlib import suppress

from ... import units
from ..api import Disconnected, Message, Refused
from ..dialogue import Dialogue, LibrarySender, Reply, Say
from .common import taken

FAILED = (Refused, Disconnected)
"""jakarta.mail.MessagingException, which a program catches."""

OPTIONS = {
    "per_connection": 1,
    "pause": "0s",
    "isConnected": False,
    "Authenticator": True,
    "mail.smtp.user": "",
    "mail.smtp.auth.mechanisms": "",
    "mail.smtp.starttls.enable": True,
    "mail.smtp.connectiontimeout": 0,
    "mail.smtp.timeout": 0,
    "mail.smtp.quitwait": True,
    "mail.smtp.quitonsessionreject": False,
    "mail.smtp.userset": False,
    "mail.smtp.sendpartial": False,
}

EXPLAINED = {
    "per_connection": (
        "1 is Transport.send(); more go over one Transport by sendMessage() before its "
        "close(), 0 all."
    ),
    "pause": "How long the program sleeps behind each connection.",
    "isConnected": (
        "Whether it asks isConnected() before each sendMessage(), and connects anew where that "
        "says no."
    ),
    "Authenticator": (
        "Whether the Session has the login in an Authenticator; "
        "if not, send() or connect() is given it."
    ),
    "mail.smtp.user": (
        "The username as a property; with an Authenticator the Session then keeps a login that "
        "was right."
    ),
    "mail.smtp.auth.mechanisms": (
        "Which mechanisms, in which order; only the first that the relay has is tried. "
        "Empty is LOGIN."
    ),
    "mail.smtp.starttls.enable": (
        "Whether to say STARTTLS where the relay has it; the library's own default is false."
    ),
    "mail.smtp.connectiontimeout": "Milliseconds to wait for TCP; 0 for ever.",
    "mail.smtp.timeout": "Milliseconds to wait for each answer; 0 for ever.",
    "mail.smtp.quitwait": "Whether close() waits for the answer to QUIT.",
    "mail.smtp.quitonsessionreject": (
        "Whether a refusal in place of the greeting is answered by QUIT."
    ),
    "mail.smtp.userset": "Whether isConnected() says RSET instead of NOOP.",
    "mail.smtp.sendpartial": (
        "Whether a message goes to the recipients that are taken; "
        "with one recipient it changes nothing."
    ),
}


class Jakarta:
    """Jakarta Mail, a loop of Transport.send(): each has its connection; or sendMessage() over a
    Transport that is reused.

    Its login is LOGIN, three round trips, tried once. If the Session has an Authenticator, the
    Transport keeps a login that was accepted, and with mail.smtp.user the Session does too. If such
    a login is refused, also by a 421, the Authenticator is asked and the login is tried once more
    immediately over a second connection. After a refusal it sends RSET. A Transport that the relay
    closed with a 421 fails for every further message, until the program calls connect() again, for
    example after isConnected().
    """

    library = "Jakarta Mail"
    options = OPTIONS
    explained = EXPLAINED

    def __init__(
        self, per_connection: int, pause: object, isConnected: bool, **properties: object
    ) -> None:
        if per_connection < 0:
            raise ValueError(
                f"per_connection = {per_connection} is too small; "
                "at least 1, or 0 for one connection for all"
            )
        for name in ("mail.smtp.connectiontimeout", "mail.smtp.timeout"):
            if isinstance(given := properties[name], int) and given < 0:
                raise ValueError(f"{name} = {given} is too small; at least 0, which is for ever")
        self.per_connection = per_connection
        self.asks = isConnected
        self.pause = units.seconds(units.duration(pause))
        self.properties = Properties(properties)

    def run(self, sender: LibrarySender) -> None:
        """The program: one Session. It catches every failure."""
        session = Session(sender, self.properties)
        while batch := sender.take(self.per_connection or 1):
            transport = Transport(session)
            if self.per_connection == 1:
                with suppress(*FAILED):
                    transport.connect()
                    transport.send_message(batch[0])
            else:
                self._reuse(transport, sender, batch)
            transport.close()
            sender.sleep(self.pause)

    def _reuse(self, transport: Transport, sender: LibrarySender, batch: list[Message]) -> None:
        with suppress(*FAILED):
            transport.connect()
        while batch:
            for message in batch:
                with suppress(*FAILED):
                    if self.asks and not transport.is_connected():
                        transport.connect()
                    transport.send_message(message)
            batch = [] if self.per_connection else sender.take()


class Properties:
    """The properties of a Session by their meaning, with times in seconds. ValueError for a
    mechanism that is not modelled.
    """

    def __init__(self, given: dict[str, object]) -> None:
        self.asks_again = bool(given["Authenticator"])
        self.keeps_login = self.asks_again and bool(given["mail.smtp.user"])
        wanted = str(given["mail.smtp.auth.mechanisms"]).upper().split() or ["LOGIN"]
        known = [each for each in wanted if each in ("LOGIN", "PLAIN")]
        if not known:
            raise ValueError(
                f'mail.smtp.auth.mechanisms = "{" ".join(wanted)}" has neither LOGIN nor '
                "PLAIN, which the relay offers"
            )
        self.auth = Say("AUTH", mechanism=known[0], initial=known[0] == "PLAIN")
        self.starttls = bool(given["mail.smtp.starttls.enable"])
        self.tcp = _seconds(given["mail.smtp.connectiontimeout"])
        self.answer = _seconds(given["mail.smtp.timeout"])
        self.waits = bool(given["mail.smtp.quitwait"])
        self.quits = bool(given["mail.smtp.quitonsessionreject"])
        self.ping = "RSET" if given["mail.smtp.userset"] else "NOOP"


class Session:
    """A jakarta.mail.Session, which its Transports share. ``kept`` is whether it keeps a login that
    was accepted.
    """

    def __init__(self, sender: LibrarySender, properties: Properties) -> None:
        self.sender = sender
        self.properties = properties
        self.kept = False


class Transport:
    """One SMTPTransport: each method raises Refused or Disconnected when the library raises."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._properties = session.properties
        self._dialogue: Dialogue | None = None
        self._connected = False
        self._kept = False

    def connect(self) -> None:
        """connect(). If a kept login is refused, it is asked for again and tried over another
        connection.
        """
        failed = self._protocol_connect()
        if failed is not None and (self._kept or self._session.kept):
            failed = self._protocol_connect()
        if failed is not None:
            raise failed
        self._connected = True
        self._kept = self._properties.asks_again
        self._session.kept = self._properties.keeps_login

    def send_message(self, message: Message) -> None:
        """sendMessage(). Every refusal is followed by RSET, even on a connection that is gone."""
        if not self._connected:
            raise Disconnected("not connected")
        for verb in ("MAIL", "RCPT", "DATA", "BODY"):
            try:
                taken(self._say(Say(verb, message if verb != "DATA" else None)))
            except FAILED:
                with suppress(Disconnected):
                    self._say(Say("RSET"))
                raise

    def is_connected(self) -> bool:
        """isConnected(), which asks the relay."""
        if self._connected:
            with suppress(Disconnected):
                if self._say(Say(self._properties.ping)).ok:
                    return True
            self._hang_up()
        return False

    def close(self) -> None:
        """close(): QUIT and its answer, if it is connected."""
        if self._connected:
            if self._dialogue is not None and not self._properties.waits:
                self._dialogue.leave(quit=True)
            else:
                with suppress(Disconnected):
                    self._say(Say("QUIT"))
        self._hang_up()

    def _protocol_connect(self) -> Exception | None:
        """Opens one connection and logs in. Returns why the login failed; other failures raise."""
        properties = self._properties
        dialogue = self._session.sender.dial(properties.tcp)
        self._dialogue = dialogue
        dialogue.patience = properties.answer
        try:
            self._greeted(dialogue.greeting())
            if self._hello():
                return self._log_in()
        except FAILED:
            self._hang_up()
            raise
        return None

    def _greeted(self, greeting: Reply) -> None:
        if greeting.code != 220 and self._properties.quits:
            with suppress(Disconnected):
                self._say(Say("QUIT"))
        taken(greeting)

    def _hello(self) -> bool:
        """EHLO, or HELO if that is refused; then STARTTLS and EHLO again. Returns whether EHLO was
        accepted.
        """
        if not self._say(Say("EHLO")).ok:
            taken(self._say(Say("HELO")))
            return False
        if self._session.sender.tls == "starttls" and self._properties.starttls:
            taken(self._say(Say("STARTTLS")))
            self._say(Say("EHLO"))
        return True

    def _log_in(self) -> Exception | None:
        try:
            taken(self._say(self._properties.auth))
        except FAILED as failed:
            self._hang_up()
            return failed
        return None

    def _hang_up(self) -> None:
        """Closes without QUIT."""
        if self._dialogue is not None:
            self._dialogue.leave(quit=False)
        self._dialogue = None
        self._connected = False

    def _say(self, command: Say) -> Reply:
        if self._dialogue is None:
            raise Disconnected("not connected")
        return self._dialogue.say(command)[0]


def _seconds(milliseconds: object) -> float | None:
    """None for 0, which waits without a limit."""
    return float(str(milliseconds)) / 1000 or None
