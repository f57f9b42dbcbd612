"""The kinds of limits that a policy can have: ``KINDS``, by their key in a policy file.

A kind follows from what it counts (``Counts``) and for which key (``ForEach``). Every word that a
result, figure, control or plan uses for a limit comes from these objects, so a new kind needs
one object, passed to ``policy.register``. Kinds are declared here; policies fill in the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..limits import WINDOWS, Key, Limit, make_limiter
from ..schema_base import POSITIVE, Duration, Table, choice

Window = Annotated[str, BeforeValidator(lambda value: choice(value, WINDOWS, "a window algorithm"))]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Moment = Literal["connect", "login", "wrong-password", "mail", "rcpt", "data", "body"]
"""When a limit counts: as TCP accepts a connection, at AUTH, at a wrong password, or at a later
command.
"""


class ReplySpec(Table):
    """How the relay answers a request over a limit: at which stage of the session, with which
    reply, and whether it then closes the connection, drops it without a reply, or keeps it open.
    """

    stage: str
    code: Annotated[int, Field(ge=400, le=599)] = 421
    enhanced: Annotated[str, Field(pattern=r"^([45]\.\d{1,3}\.\d{1,3})?$")] = ""
    text: Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,400}$")] = (
        "Service not available, closing transmission channel."
    )
    then: Literal["close", "drop", "stay"] = "close"


class LimitSpec(Table):
    """The fields that all limits share. A limit counts in windows only if it is a WindowSpec."""

    stages: ClassVar[tuple[str, ...]] = ()
    count: Count
    reply: ReplySpec

    @model_validator(mode="before")
    @classmethod
    def _fill_reply(cls, data: Any) -> Any:
        """Sets the default stage, which differs from limit to limit."""
        if isinstance(data, Mapping) and isinstance(data.get("reply", {}), Mapping):
            return {**data, "reply": {"stage": cls.stages[0], **data.get("reply", {})}}
        return data

    @model_validator(mode="after")
    def _check_stage(self) -> LimitSpec:
        if self.reply.stage not in self.stages:
            allowed = ", ".join(self.stages)
            raise ValueError(
                f'reply.stage "{self.reply.stage}" is not a stage of this limit; allowed: {allowed}'
            )
        return self


class WindowSpec(LimitSpec):
    """A limit with a window of ``per`` microseconds and an optional block.

    ``window`` None is the policy's window, ``count_refused`` None the algorithm's default.
    """

    per: Annotated[Duration, POSITIVE]
    window: Window | None = None
    count_refused: bool | None = None
    block: Annotated[Duration, POSITIVE] | None = None

    def limit(self, name: str, window: str) -> Limit:
        """Makes the limit's state machine, empty. ``window`` is the policy's algorithm."""
        return Limit(name, self._limiter(self.count, window), self.block)

    def _limiter(self, count: int, window: str, *, from_last: bool = False) -> Any:
        return make_limiter(
            self.window or window,
            count,
            self.per,
            count_refused=self.count_refused,
            from_last=from_last,
        )


class TransactionsSpec(LimitSpec):
    """The table of ``transactions_per_connection``."""

    stages: ClassVar[tuple[str, ...]] = ("mail", "rcpt", "data", "body")
    counted_at: Literal["mail", "acceptance"] = "mail"


class ConnectionsSpec(WindowSpec):
    """The table of ``connections_per_ip``."""

    stages: ClassVar[tuple[str, ...]] = ("greeting", "ehlo")


class LoginsSpec(WindowSpec):
    """The table of ``logins_per_username``."""

    stages: ClassVar[tuple[str, ...]] = ("auth",)
    consecutive: Literal["every", "without-success"] = "every"
    counts_failed: bool = True


class FailedSpec(WindowSpec):
    """The table of ``failed_logins_per_username_ip``. With ``block_at`` "reached", the failure that
    reaches ``count`` already exceeds the limit.
    """

    stages: ClassVar[tuple[str, ...]] = ("auth",)
    block_at: Literal["over", "reached"] = "over"
    kept_from: Literal["first", "last"] = "first"

    @model_validator(mode="after")
    def _check_reached(self) -> FailedSpec:
        if self.block_at == "reached" and self.count < 2:
            raise ValueError('block_at "reached" needs a count of 2 or more')
        return self

    def limit(self, name: str, window: str) -> Limit:
        count = self.count - (self.block_at == "reached")
        return Limit(
            name, self._limiter(count, window, from_last=self.kept_from == "last"), self.block
        )


class FailedIpSpec(FailedSpec):
    """The table of ``failed_logins_per_ip``."""

    stages: ClassVar[tuple[str, ...]] = ("auth", "greeting")


@dataclass(frozen=True, slots=True)
class ForEach:
    """What a limit counts separately, such as each username.

    ``noun`` and ``article`` name one of them ("IP", "an"). ``resource`` is the sender's attribute
    that holds how many it has ("usernames" or "ips"; None if the sender has no number of them),
    ``sharers`` are those that share one key, and ``key`` takes a request's connection, IP and
    username.
    """

    name: str
    noun: str
    article: str
    resource: Literal["usernames", "ips"] | None
    sharers: str
    key: Callable[[int, str, str | None], Key]

    def keys(self, usernames: int, ips: int) -> int:
        """How many keys a sender with this many usernames and IPs has; 1 if that depends on
        neither.
        """
        return {"usernames": usernames, "ips": ips}.get(self.resource or "", 1)

    @property
    def one(self) -> str:
        """``a username``, ``an IP``."""
        return f"{self.article} {self.noun}"

    def holder(self, ip: str, username: str | None) -> tuple[str | None, str | None]:
        """The IP and the username of a key, each None if the key does not have it."""
        has_ip = self.name in ("ip", "username_and_ip")
        has_username = self.name in ("username", "username_and_ip")
        return (ip if has_ip else None, username if has_username else None)

    def named(self, key: Key) -> str:
        """A key in words: ``user1 at 192.0.2.1``, ``connection 7``."""
        if isinstance(key, tuple):
            return " at ".join(key)
        return f"connection {key}" if isinstance(key, int) else str(key)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a limit counts, such as logins.

    ``at`` is the moment at which a request is counted. ``noun`` names one request where it is
    counted ("wrong password"), ``plural`` many of them in the limit's name ("failed logins").
    ``carries`` says what each request lets through in a plan: all the messages of a connection, one
    message, or nothing that a plan needs.

    The templates are filled in by ``Kind``: ``attempt`` is what a key did, ``request`` names one
    request (``unnamed`` where the message is unknown), ``remedy`` is the advice after a refusal
    (``remedy_for_one`` where the limit's count is 1).
    """

    name: str
    at: Moment
    noun: str
    plural: str
    carries: Literal["connection", "message", "nothing"]
    attempt: str
    request: str
    remedy: str
    unnamed: str = ""
    remedy_for_one: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of limit. ``name`` is its key in policy files and results, ``spec`` its table there.

    ``consecutive`` means that a successful login sets the key's count back to 0.
    """

    name: str
    counts: Counts
    for_each: ForEach
    spec: type[LimitSpec]
    consecutive: bool = False

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages of the session at which the relay can refuse; the first is the default."""
        return self.spec.stages

    @property
    def timed(self) -> bool:
        """Whether the limit counts in windows (``per``), not over the whole connection."""
        return issubclass(self.spec, WindowSpec)

    @property
    def failures(self) -> bool:
        """Whether it counts wrong passwords. No sender with the right password meets it."""
        return self.counts.at == "wrong-password"

    @property
    def per_connection(self) -> bool:
        """Whether each connection has a count of its own, which a new connection resets."""
        return self.for_each is CONNECTION

    # Whose request it is.

    def key(self, row: Any) -> Key:
        """The key of an incident or another row with ``connection``, ``ip`` and ``username``."""
        return self.for_each.key(row.connection, row.ip, row.username)

    def named(self, row: Any) -> str:
        """The same key in words."""
        return self.for_each.named(self.key(row))

    # Words.

    @property
    def title(self) -> str:
        """For axes and lists: ``failed logins per username and IP``."""
        return title_of(self.name)

    @property
    def heading(self) -> str:
        """For a group of controls: ``Failed logins an IP``."""
        said = f"{self.counts.plural} {self.for_each.one}{' in a row' if self.consecutive else ''}"
        return said[0].upper() + said[1:]

    @property
    def phrase(self) -> str:
        """Inside a sentence about a limit: ``logins a username``."""
        return f"{self.counts.plural} {'in a row' if self.consecutive else self.for_each.one}"

    @property
    def use(self) -> str:
        """What a figure of its use shows: ``logins of the busiest username``."""
        counted = f"{self.counts.noun}s"
        if self.consecutive:
            return f"{counted} in a row"
        if self.per_connection:
            return f"{counted} on one {self.for_each.noun}"
        return f"{counted} of the {'worst' if self.failures else 'busiest'} {self.for_each.noun}"

    @property
    def whom(self) -> str:
        """Whose wrong passwords it allows: ``an IP``, ``a username and IP in a row``."""
        return f"{self.for_each.one}{' in a row' if self.consecutive else ''}"

    def attempt(self, row: Any, nth: str) -> str:
        """What the key did: ``user1 asked for its 121st login``. ``nth`` is an ordinal in words."""
        key = self.named(row)
        if self.per_connection:
            key = key[0].upper() + key[1:]
        return self.counts.attempt.format(key=key, nth=nth)

    def request(self, row: Any) -> str:
        """One refused request: ``Connection 7 of 192.0.2.1``. ``row`` is an Incident."""
        template = self.counts.request if row.message else self.counts.unnamed
        return (template or self.counts.request).format(
            key=self.named(row),
            connection=row.connection,
            username=row.username,
            message=row.message,
        )

    def remedy(self, count: int, *, nth: str, spacing: str, more: str) -> str:
        """The advice after a refusal, as a sentence.

        ``nth`` is the count as an ordinal, ``spacing`` the least safe time between two requests,
        ``more`` how many keys would do (``3 usernames``).
        """
        one = count == 1 and self.counts.remedy_for_one
        return (one or self.counts.remedy).format(
            nth=nth,
            spacing=spacing,
            more=more,
            one=self.for_each.one,
            sharers=self.for_each.sharers,
        )

    # What it allows a sender.

    @property
    def bounds_throughput(self) -> bool:
        """Whether it sets a ceiling in messages per minute by itself."""
        return (
            self.timed and self.counts.carries != "nothing" and self.for_each.resource is not None
        )

    def requests(self, messages: int) -> int:
        """How much a connection that sends this many messages uses of the limit."""
        return 1 if self.counts.carries == "connection" else messages

    def per_minute(self, spec: WindowSpec, keys: int, carried: int) -> Fraction:
        """The messages per minute that a sender with this many keys can sustain at most, with
        ``carried`` messages on each connection.
        """
        messages = carried if self.counts.carries == "connection" else 1
        return Fraction(keys * spec.count * messages * 60_000_000, spec.per)


CONNECTION = ForEach(
    "connection",
    "connection",
    "a",
    None,
    "one connection",
    lambda connection, ip, username: connection,
)
IP = ForEach(
    "ip", "IP", "an", "ips", "all workers and usernames", lambda connection, ip, username: ip
)
USERNAME = ForEach(
    "username",
    "username",
    "a",
    "usernames",
    "all workers",
    lambda connection, ip, username: username or "",
)
USERNAME_AND_IP = ForEach(
    "username_and_ip",
    "username and IP",
    "a",
    None,
    "all workers",
    lambda connection, ip, username: (username or "", ip),
)

TRANSACTIONS = Counts(
    "transactions",
    at="mail",
    noun="transaction",
    plural="transactions",
    carries="message",
    attempt="{key} tried a {nth} transaction",
    request="Message {message} on {key}",
    unnamed="A MAIL on {key}",
    remedy="Reconnect after every {nth} message, before the relay ends the connection.",
    remedy_for_one="Open a new connection for every message.",
)
CONNECTIONS = Counts(
    "connections",
    at="connect",
    noun="connection",
    plural="connections",
    carries="connection",
    attempt="{key} opened its {nth} connection",
    request="Connection {connection} of {key}",
    remedy="Open connections of {one} at least {spacing} apart over {sharers}, "
    "send more messages on each, or use {more}.",
)
LOGINS = Counts(
    "logins",
    at="login",
    noun="login",
    plural="logins",
    carries="connection",
    attempt="{key} asked for its {nth} login",
    request="The login of {username} on connection {connection}",
    remedy="Space logins of {one} at least {spacing} apart over {sharers}, "
    "send more messages on each login, or use {more}.",
)
FAILED_LOGINS = Counts(
    "failed_logins",
    at="wrong-password",
    noun="wrong password",
    plural="failed logins",
    carries="nothing",
    attempt="{key} gave its {nth} wrong password",
    request="The login of {username} on connection {connection}",
    remedy="Check the password, and stop logging in after a 535 until somebody has corrected it",
)

TRANSACTIONS_PER_CONNECTION = Kind(
    "transactions_per_connection", TRANSACTIONS, CONNECTION, TransactionsSpec
)
CONNECTIONS_PER_IP = Kind("connections_per_ip", CONNECTIONS, IP, ConnectionsSpec)
LOGINS_PER_USERNAME = Kind("logins_per_username", LOGINS, USERNAME, LoginsSpec)
FAILED_LOGINS_PER_IP = Kind("failed_logins_per_ip", FAILED_LOGINS, IP, FailedIpSpec)
FAILED_LOGINS_PER_USERNAME_IP = Kind(
    "failed_logins_per_username_ip",
    FAILED_LOGINS,
    USERNAME_AND_IP,
    FailedSpec,
    consecutive=True,
)

BUILT_IN = (
    TRANSACTIONS_PER_CONNECTION,
    CONNECTIONS_PER_IP,
    LOGINS_PER_USERNAME,
    FAILED_LOGINS_PER_IP,
    FAILED_LOGINS_PER_USERNAME_IP,
)
"""The kinds that the relay's own code judges. It judges all others in ``further``."""

KINDS: dict[str, Kind] = {kind.name: kind for kind in BUILT_IN}
"""Every kind of limit by its name, in the order in which policies and results list them."""


def title_of(name: str) -> str:
    """The key of a limit, or of another ceiling of a plan, in words."""
    return name.replace("_", " ").replace("username ip", "username and IP").replace(" ip", " IP")
