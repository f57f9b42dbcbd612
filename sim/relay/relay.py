"""A relay: the limits of one policy at work, and the state that its sessions share.

``connect`` judges a connection and makes its session; ``judge_login`` is how the sessions ask about
credentials. Time is an argument of every call, in integer microseconds.
"""

from __future__ import annotations

from collections.abc import Callable

from ..limits import Key, Limit, State
from ..smtp.commands import Credentials
from ..smtp.replies import BAD_CREDENTIALS, Reply
from . import shortcuts
from .further import Further
from .kinds import KINDS, WindowSpec
from .policy import Policy
from .session import Session
from .terms import Judge, Observer, Peer, Refusal, Terms
from .transcript import TranscribedSession, Transcript

Accounts = Callable[[str, str, int], bool]
"""Whether a username and password are right at a time in microseconds."""

ORDER_AT_AUTH = (
    "logins_per_username",
    "further",  # limits of kinds that are not built in
    "failed_logins_per_ip",
    "failed_logins_per_username_ip",
    "credentials",
)
"""The order of the checks at AUTH: the first that refuses answers, and the later ones are not
asked. A login therefore counts for its username even if a block then refuses it, and a wrong
password counts as a failure only if no limit refused the login.
"""


class Relay:
    """The limits of one policy at work.

    ``tls`` is ``none``, ``starttls`` or ``implicit``; with ``plain_auth`` AUTH needs no TLS. With
    ``transcribe``, ``transcripts`` has the Transcript of each connection by its number.
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
        self.tls = tls
        self.plain_auth = plain_auth
        self.login_required = login_required
        self.limits: dict[str, Limit] = {}
        self._accounts = accounts
        self._observer = observer
        self._numbers: dict[str, tuple[object, ...]] = {}
        self._ever_failed = False  # if not, a success has no count to empty
        self._ever_blocked = False  # if not, no login can meet a block
        self._opened = 0
        self._apply(policy)

    @property
    def observer(self) -> Observer:
        """Is called for everything that happens in sessions that begin from now on."""
        return self._observer

    @observer.setter
    def observer(self, observer: Observer) -> None:
        self._observer = observer
        self.terms.observer = observer

    def change(self, policy: Policy) -> None:
        """Continues under another policy.

        A limit whose numbers differ starts from zero and without blocks; the others keep their
        counts. An open connection keeps its limit of transactions and its largest message.
        """
        self._apply(policy)

    def forget(self) -> None:
        """Empties every count and ends every block."""
        self.limits = {}
        self._numbers = {}
        self._apply(self.policy)

    def restore(
        self, limit: str, key: Key, block: int | None, state: State | None, now: int
    ) -> None:
        """Restores what ``limits[limit].state`` returned in an earlier process. Call it before any
        connection, and in the order in which the blocks and states end.
        """
        self.limits[limit].restore(key, block, state, now)
        self._ever_failed = self._ever_failed or KINDS[limit].failures
        if block is not None:
            self._note_block()

    def connect(self, ip: str, now: int, *, secure: bool | None = None) -> Session:
        """TCP accepts a connection from ``ip``. ``connections_per_ip`` may refuse it, and so may a
        block that answers at the greeting.

        ``secure``: it is encrypted from the start; None if ``tls`` is ``implicit``.
        """
        self._opened = number = self._opened + 1
        refusal = self._refusal_of_connection(ip, now)
        session: Session
        if self._further is not None:
            # A session with shortcuts would not see the commands that these limits count.
            refusal = refusal or self._further.refusal("connect", number, ip, None, now)
        if self._further is not None and self.transcripts is None:
            session = Session(self.terms, number, ip, secure)
        elif self.transcripts is None:
            session = shortcuts.QuickSession(self.terms, number, ip, secure)
        else:
            session = transcribed = TranscribedSession(self.terms, number, ip, secure)
            self.transcripts[number] = transcribed.transcript
        if refusal is None:
            self._observer.opened(now, number, ip, None)
        else:
            at_greeting = refusal.stage == "greeting"
            self._observer.opened(now, number, ip, refusal.limit if at_greeting else None)
            session.refuse_later(refusal)
        return session

    def judge_login(self, peer: Peer, login: Credentials, now: int) -> Refusal | Reply | None:
        """Decides on a login by the checks of ORDER_AT_AUTH; None accepts it."""
        for check in self._checks:
            refused = check(peer, login, now)
            if refused is not None:
                outcome = "refused" if isinstance(refused, Refusal) else "failed"
                self._observer.login(now, peer.number, peer.ip, login.username, outcome)
                return refused
        self._observer.login(now, peer.number, peer.ip, login.username, "accepted")
        return None

    def _apply(self, policy: Policy) -> None:
        numbers = numbers_of(policy)
        self.limits = {
            name: self.limits[name]
            if self._numbers.get(name) == numbers[name]
            else spec.limit(name, policy.window)
            for name, spec in _windowed(policy)
        }
        self.policy = policy
        self._numbers = numbers
        self.terms = Terms(
            policy,
            self._observer,
            self.judge_login,
            tls=self.tls,
            plain_auth=self.plain_auth,
            login_required=self.login_required,
        )
        further = Further(policy, self.limits, self.terms.refusals, self._observer, self._is_forced)
        self._further = further if further else None
        self.terms.further = self._further
        self._by_ip = self.limits.get("connections_per_ip")
        self._logins = self.limits.get("logins_per_username")
        self._failed_ip = self.limits.get("failed_logins_per_ip")
        self._failed_pair = self.limits.get("failed_logins_per_username_ip")
        failed_ip = self.terms.refusals.get("failed_logins_per_ip")
        self._blocks_at_greeting = failed_ip is not None and failed_ip.stage == "greeting"
        self._request_of_ip = (
            None if self._blocks_at_greeting else shortcuts.request_of(self._by_ip)
        )
        spec = policy.logins_per_username
        self._counts_success = spec is not None and (
            not spec.counts_failed or spec.consecutive == "without-success"
        )
        self._choose_checks()

    def _choose_checks(self) -> None:
        """Puts the checks that can refuse something into ORDER_AT_AUTH. As long as there was no
        block, those for blocks cannot.
        """
        checks: dict[str, Judge] = {"credentials": self._check_credentials}
        if self._logins is not None:
            checks["logins_per_username"] = self._check_of_logins(self._logins)
        if self._further is not None:
            checks["further"] = self._check_further
        if self._ever_blocked and self._failed_ip is not None:
            checks["failed_logins_per_ip"] = self._check_block_of_ip
        if self._ever_blocked and self._failed_pair is not None:
            checks["failed_logins_per_username_ip"] = self._check_block_of_pair
        self._checks = [checks[name] for name in ORDER_AT_AUTH if name in checks]

    def _is_forced(self, limit: str) -> bool:
        """Whether this request is to be refused by ``limit`` whatever it counts; see ``forced``."""
        return False

    def _note_block(self) -> None:
        if not self._ever_blocked:
            self._ever_blocked = True
            self._choose_checks()

    def _refusal_of_connection(self, ip: str, now: int) -> Refusal | None:
        request = self._request_of_ip
        if request is not None:
            return None if request(ip, now) else self.terms.refusals["connections_per_ip"]
        if self._by_ip is not None and not self._request(self._by_ip, ip, now, ip, None):
            return self.terms.refusals["connections_per_ip"]
        if self._blocks_at_greeting and self._failed_ip is not None:
            return self._block_refusal(self._failed_ip, ip, now)
        return None

    # The checks at AUTH.

    def _check_of_logins(self, limit: Limit) -> Judge:
        spec = self.policy.logins_per_username
        if spec is None or not spec.counts_failed:
            return self._check_logins_without_counting
        request = shortcuts.request_of(limit)
        if request is None:
            return self._check_logins
        return shortcuts.login_check(request, self.terms.refusals["logins_per_username"])

    def _check_logins(self, peer: Peer, login: Credentials, now: int) -> Refusal | None:
        limit = self._logins
        if limit is None or self._request(limit, login.username, now, None, login.username):
            return None
        return self.terms.refusals[limit.name]

    def _check_logins_without_counting(
        self, peer: Peer, login: Credentials, now: int
    ) -> Refusal | None:
        """Only a success counts, and whether it is one is known after the last check."""
        limit = self._logins
        if limit is None:
            return None
        blocked = limit.blocked(login.username, now) is not None
        if not blocked and limit.limiter.would_pass(login.username, now):
            return None
        return self.terms.refusals[limit.name]

    def _check_further(self, peer: Peer, login: Credentials, now: int) -> Refusal | None:
        further = self._further
        if further is None:
            return None
        who = (peer.number, peer.ip, login.username)
        return further.refusal("login", *who, now) or further.active_block(*who, now)

    def _check_block_of_ip(self, peer: Peer, login: Credentials, now: int) -> Refusal | None:
        limit = self._failed_ip
        return None if limit is None else self._block_refusal(limit, peer.ip, now)

    def _check_block_of_pair(self, peer: Peer, login: Credentials, now: int) -> Refusal | None:
        limit = self._failed_pair
        if limit is None:
            return None
        return self._block_refusal(limit, (login.username, peer.ip), now)

    def _check_credentials(
        self, peer: Peer, login: Credentials, now: int
    ) -> Refusal | Reply | None:
        if not self._accounts(login.username, login.password, now):
            return self._count_failure(peer, login.username, now)
        if self._ever_failed or self._counts_success:
            self._count_success(peer.ip, login.username, now)
        if self._further is not None:
            self._further.count_success(peer.number, peer.ip, login.username)
        return None

    def _count_success(self, ip: str, username: str, now: int) -> None:
        """A success ends the consecutive failures of its username and IP. The IP's own count of
        failures stays.
        """
        if self._failed_pair is not None:
            self._failed_pair.reset((username, ip))
        spec = self.policy.logins_per_username
        limit = self._logins
        if limit is None or spec is None:
            return
        if not spec.counts_failed:
            self._request(limit, username, now, None, username)
        if spec.consecutive == "without-success":
            limit.reset(username)

    def _count_failure(self, peer: Peer, username: str, now: int) -> Refusal | Reply:
        """A failure counts in both limits. If it exceeds both, the IP's answers."""
        self._ever_failed = True
        ip = peer.ip
        refusal: Refusal | None = None
        if self._further is not None:
            refusal = self._further.refusal("wrong-password", peer.number, ip, username, now)
        pair = self._failed_pair
        whole = self._failed_ip
        if pair is not None and not self._request(pair, (username, ip), now, ip, username):
            refusal = self.terms.refusals[pair.name]
        if whole is not None and not self._request(whole, ip, now, ip, None):
            refusal = self.terms.refusals[whole.name]
        return refusal or BAD_CREDENTIALS

    def _block_refusal(self, limit: Limit, key: Key, now: int) -> Refusal | None:
        return None if limit.blocked(key, now) is None else self.terms.refusals[limit.name]

    def _request(
        self, limit: Limit, key: Key, now: int, ip: str | None, username: str | None
    ) -> bool:
        verdict = limit.request(key, now)
        if verdict.block_until is not None:
            self._note_block()
            self._observer.block(limit.name, ip, username, now, verdict.block_until)
        return verdict.passed


def _windowed(policy: Policy) -> list[tuple[str, WindowSpec]]:
    return [(kind.name, spec) for kind, spec in policy.by_kind() if isinstance(spec, WindowSpec)]


def numbers_of(policy: Policy) -> dict[str, tuple[object, ...]]:
    """For each limit with a window, everything that determines how it counts."""
    return {name: _numbers(spec, policy) for name, spec in _windowed(policy)}


def _numbers(spec: WindowSpec, policy: Policy) -> tuple[object, ...]:
    """Everything that determines how a limit counts, which its reply does not."""
    fields = spec.model_dump(exclude={"reply", "window"})
    return (spec.window or policy.window, *sorted(fields.items()))
