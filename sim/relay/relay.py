"""What the sessions of one relay share: its limits, its accounts and the witness that writes down
what happened.

Handed the time with every call; never reads a clock, sleeps or touches a socket. Knows nothing of
who is on the other side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from ..limits import Key, Limit, State
from ..smtp.replies import BAD_CREDENTIALS, Reply
from .policy import LimitSpec, Policy, ReplySpec, WindowSpec
from .session import Session, Terms
from .transcript import TranscribedSession, Transcript

Accounts = Callable[[str, str, int], bool]
"""Says whether a username and password are right at a time in microseconds."""

ORDER_AT_AUTH = (
    "logins_per_username",
    "failed_logins_per_ip",
    "failed_logins_per_username_ip",
    "credentials",
)
"""The order of the checks at AUTH; the first that refuses answers. ``judge_login`` follows it."""


FAILED = ("failed_logins_per_ip", "failed_logins_per_username_ip")


class Observer(Protocol):
    """Is told everything that a relay does. All times are integer microseconds."""

    def opened(self, at: int, connection: int, ip: str, refused: str | None) -> None:
        """TCP accepted a connection; ``refused`` names the limit that answers in place of the
        greeting.
        """

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        """An AUTH was judged: ``accepted``, ``failed`` or ``refused``."""

    def accepted(self, at: int, connection: int, message: str | None) -> None:
        """A message was answered 250 after DATA."""

    def incident(
        self,
        at: int,
        limit: str,
        code: int | None,
        text: str,
        ip: str,
        username: str | None,
        connection: int,
        message: str | None,
    ) -> None:
        """A limit refused something."""

    def block(
        self, limit: str, ip: str | None, username: str | None, from_: int, until: int
    ) -> None:
        """A block began."""

    def closed(self, at: int, connection: int) -> None:
        """A connection ended, whoever ended it."""


class Refusal(NamedTuple):
    """What a limit answers, made once for each limit: ``reply`` None where the connection is
    dropped without a word.
    """

    limit: str
    stage: str
    reply: Reply | None
    code: int | None
    text: str
    closes: bool


class Relay:
    """The limits of one policy at work. ``tls`` is none, starttls or implicit; with ``plain_auth``
    AUTH needs no TLS.

    With ``transcribe`` what was said on each connection is kept in ``transcripts``, by its number.
    """

    def __init__(
        self,
        policy: Policy,
        observer: Observer,
        accounts: Accounts,
        *,
        tls: str = "starttls",
        plain_auth: bool = True,
        login_required: bool = True,
        transcribe: bool = False,
    ) -> None:
        self.transcripts: dict[int, Transcript] | None = {} if transcribe else None
        self.observer = observer
        self.accounts = accounts
        self.tls = tls
        self.plain_auth = plain_auth
        self.login_required = login_required
        self.limits: dict[str, Limit] = {}
        self._made: dict[str, tuple[object, ...]] = {}
        self._ever_failed = self._ever_blocked = (
            False  # while neither, no count is to be emptied and no block looked for
        )
        self._take_up(policy)
        self._opened = 0

    def change(self, policy: Policy) -> None:
        """Goes on under another policy. A limit whose numbers differ starts afresh, without its
        blocks; the others keep theirs.

        A connection that is open keeps its limit of transactions and the largest message as they
        were.
        """
        self._take_up(policy)

    def forget(self) -> None:
        """Empties every count and lifts every block."""
        self.limits = {}
        self._made = {}
        self._take_up(self.policy)

    def restore(
        self, limit: str, key: Key, block: int | None, state: State | None, now: int
    ) -> None:
        """Takes up what ``limits[limit].state`` gave in an earlier life, in the order of the ends,
        before any connection.
        """
        self.limits[limit].restore(key, block, state, now)
        self._ever_failed = self._ever_failed or limit in FAILED
        self._ever_blocked = self._ever_blocked or block is not None

    def _take_up(self, policy: Policy) -> None:
        made = numbers_of(policy)
        self.limits = {
            name: self.limits[name]
            if self._made.get(name) == made[name]
            else spec.limit(name, policy.window)
            for name, spec in _windowed(policy)
        }
        self.policy = policy
        self._made = made
        self.refusals = {
            name: _refusal(name, getattr(policy, name).reply) for name in policy.limits
        }
        self._by_ip, self._logins = (
            self.limits.get("connections_per_ip"),
            self.limits.get("logins_per_username"),
        )
        self._failed_ip = self.limits.get("failed_logins_per_ip")
        self._failed_pair = self.limits.get("failed_logins_per_username_ip")
        self._at_greeting = (
            "failed_logins_per_ip" in self.refusals
            and self.refusals["failed_logins_per_ip"].stage == "greeting"
        )
        # What every login and connection asks, with no call more than it takes where the policy
        # leaves nothing to weigh.
        self._plain_ip = None if self._at_greeting else _plain(self._by_ip)
        spec = policy.logins_per_username
        self._plain_logins = _plain(self._logins) if spec and spec.counts_failed else None
        self._plain_right = spec is None or (spec.counts_failed and spec.consecutive == "every")
        self.terms = Terms(self)

    def connect(self, ip: str, now: int) -> Session:
        """TCP accepts a connection from ``ip``: judged by ``connections_per_ip``, and by a block
        that answers at the greeting.
        """
        self._opened = number = self._opened + 1
        refusal = self._refusal_of_connection(ip, now)
        session = self._session(ip)
        if refusal is None:
            self.observer.opened(now, number, ip, None)
        else:
            self.observer.opened(
                now, number, ip, refusal.limit if refusal.stage == "greeting" else None
            )
            session.doom(refusal)
        return session

    def _session(self, ip: str) -> Session:
        if self.transcripts is None:
            return Session(self, self._opened, ip)
        session = TranscribedSession(self, self._opened, ip)
        session.transcript = self.transcripts[self._opened] = Transcript()
        return session

    def judge_login(
        self, session: Session, username: str, password: str, now: int
    ) -> Refusal | Reply | None:
        """The limits and the credentials in ORDER_AT_AUTH: what refuses, or None for a login that
        is accepted.
        """
        plain = self._plain_logins
        if plain is None:
            over = self._over_logins(username, now)
        else:
            over = None if plain(username, now) else "logins_per_username"
        if over is None and self._ever_blocked:
            over = self._running_block(session.ip, username, now)
        if over is not None:
            outcome: Refusal | Reply | None = self.refusals[over]
            said = "refused"
        elif self.accounts(username, password, now):
            outcome = None
            said = "accepted"
            if self._ever_failed or not self._plain_right:
                self._right(session.ip, username, now)
        else:
            outcome = self._wrong(session.ip, username, now)
            said = "refused" if isinstance(outcome, Refusal) else "failed"
        self.observer.login(now, session.number, session.ip, username, said)
        return outcome

    def _refusal_of_connection(self, ip: str, now: int) -> Refusal | None:
        plain = self._plain_ip
        if plain is not None:
            return None if plain(ip, now) else self.refusals["connections_per_ip"]
        if self._by_ip is not None and not self._request(self._by_ip, ip, now, ip, None):
            return self.refusals["connections_per_ip"]
        if (
            self._at_greeting
            and self._failed_ip is not None
            and self._failed_ip.blocked(ip, now) is not None
        ):
            return self.refusals["failed_logins_per_ip"]
        return None

    def _over_logins(self, username: str, now: int) -> str | None:
        limit = self._logins
        spec = self.policy.logins_per_username
        if limit is None or spec is None:
            return None
        if spec.counts_failed:
            passed = self._request(limit, username, now, None, username)
        else:
            passed = limit.blocked(username, now) is None and limit.limiter.would_pass(
                username, now
            )
        return None if passed else limit.name

    def _running_block(self, ip: str, username: str, now: int) -> str | None:
        if self._failed_ip is not None and self._failed_ip.blocked(ip, now) is not None:
            return self._failed_ip.name
        if (
            self._failed_pair is not None
            and self._failed_pair.blocked((username, ip), now) is not None
        ):
            return self._failed_pair.name
        return None

    def _right(self, ip: str, username: str, now: int) -> None:
        """A success empties the consecutive count, never the IP's."""
        if self._failed_pair is not None:
            self._failed_pair.reset((username, ip))
        if self._plain_right:
            return
        spec = self.policy.logins_per_username
        if self._logins is not None and spec is not None:
            if not spec.counts_failed:
                self._request(self._logins, username, now, None, username)
            if spec.consecutive == "without-success":
                self._logins.reset(username)

    def _wrong(self, ip: str, username: str, now: int) -> Refusal | Reply:
        """Counts in both limits at once; the IP's answers if both go over."""
        self._ever_failed = True
        pair = self._failed_pair
        whole = self._failed_ip
        over = (
            [pair.name]
            if pair and not self._request(pair, (username, ip), now, ip, username)
            else []
        )
        if whole and not self._request(whole, ip, now, ip, None):
            over.append(whole.name)
        return self.refusals[over[-1]] if over else BAD_CREDENTIALS

    def _request(
        self,
        limit: Limit,
        key: str | tuple[str, str],
        now: int,
        ip: str | None,
        username: str | None,
    ) -> bool:
        verdict = limit.request(key, now)
        if verdict.block_until is not None:
            self._ever_blocked = True
            self.observer.block(limit.name, ip, username, now, verdict.block_until)
        return verdict.passed


def _plain(limit: Limit | None) -> Callable[[str, int], bool] | None:
    """A limit without a block is its limiter and no more."""
    return limit.limiter.request if limit is not None and limit.block is None else None


def _windowed(policy: Policy) -> list[tuple[str, WindowSpec]]:
    specs: list[tuple[str, LimitSpec]] = [(name, getattr(policy, name)) for name in policy.limits]
    return [(name, spec) for name, spec in specs if isinstance(spec, WindowSpec)]


def numbers_of(policy: Policy) -> dict[str, tuple[object, ...]]:
    """By limit with a window: all that makes it count as it does."""
    return {name: _numbers(spec, policy) for name, spec in _windowed(policy)}


def _numbers(spec: WindowSpec, policy: Policy) -> tuple[object, ...]:
    """All that makes a limit count as it does; its reply is not of it."""
    return (
        spec.window or policy.window,
        *sorted(spec.model_dump(exclude={"reply", "window"}).items()),
    )


def _refusal(name: str, spec: ReplySpec) -> Refusal:
    reply = Reply(spec.code, spec.enhanced, (spec.text,))
    if spec.then == "drop":
        return Refusal(name, spec.stage, None, None, "", closes=True)
    return Refusal(name, spec.stage, reply, reply.code, reply.text, spec.then == "close")
