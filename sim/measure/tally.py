"""The witness of a relay that runs for days: counts, series and a capped log, nothing kept for a
message or a connection.

For what is open and for the few keys that matter it holds a number each, so its memory does not
grow with what was sent. Times come in order. ``Tally.result`` gives the live result; knows nothing
of ports, nor of who asks.

What a live relay cannot know, and what stands in its place: the first submission is the first
connection; a message that was never accepted is known by its recipient or its headers, and one that
was refused at MAIL, before it said either, counts as a message of its own, also where the sender
tries it again, unless its RCPT came with it.
"""

from __future__ import annotations

from collections import Counter, deque

from ..records import BlockRow, Incident
from ..relay.kinds import KINDS
from ..relay.policy import Policy
from .bins import Bins
from .diagnosis import Hit
from .distinct import Distinct
from .moving import Moving, MovingByKey
from .result import LOG_CUT
from .series import FAILURES
from .statistics import MINUTE

MOST_PENDING = 100_000
"""Names of messages that were begun and not accepted; beyond them each attempt counts as one more.
"""
MOST_HIT = 10_000
"""Keys that a limit has refused; beyond them no more are told apart."""

TRANSACTIONS = "transactions_per_connection"
CONNECTIONS = "connections_per_ip"
LOGINS = "logins_per_username"
WHOLE = "failed_logins_per_ip"
PAIR = "failed_logins_per_username_ip"
OPEN = "open"
BUSIEST = "busiest"
ACCEPTED = "accepted"


class Tally:
    """Implements ``sim.relay.Witness``. ``origin`` is the relay's time at which this run began, in
    microseconds.
    """

    def __init__(self, policy: Policy, origin: int = 0) -> None:
        self.origin = origin
        self.log: list[Incident] = []
        self.blocks: list[BlockRow] = []
        self.by_limit: Counter[str] = Counter()
        self.by_code: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.opened_count = self.refused = self.open = self.most_open = 0
        self.accepted_count = self.duplicated = self.unnamed = self._before_unnamed = 0
        self.pending: set[int] = set()
        self.first_opened: int | None = None
        self.last_accepted = 0
        self.accepted_rate = Moving(MINUTE)
        self.opened_rate = Moving(MINUTE)
        self.login_rate = Moving(MINUTE)
        self.hits: dict[str, Hit] = {}
        self.usernames: set[str] = set()
        self.ips: set[str] = set()
        self._hit_keys: dict[str, set[object]] = {}
        self._distinct = Distinct()
        self._used: dict[int, int] = {}
        self._wrong = (0, 0)
        self._block_ends: deque[tuple[int, object]] = (
            deque()
        )  # each empties its key's consecutive count
        self._take_up(policy)
        self.bins = Bins(
            [ACCEPTED, *policy.limits], [OPEN, BUSIEST, *(f"in {name}" for name in policy.limits)]
        )

    def change(self, policy: Policy) -> None:
        """The relay goes on under another policy: the use of its limits is counted afresh, what has
        happened stays.
        """
        self._take_up(policy)
        for name in policy.limits:
            self.bins.counts.setdefault(name, [0] * self.bins.size)
            self.bins.levels.setdefault(f"in {name}", [0] * self.bins.size)

    def _take_up(self, policy: Policy) -> None:
        self.policy = policy
        per = {
            name: getattr(getattr(policy, name), "per", MINUTE)
            for name in (CONNECTIONS, LOGINS, WHOLE, PAIR)
        }
        self._uses = {name: MovingByKey(length) for name, length in per.items()}
        self._has = frozenset(policy.limits)
        self._count = (
            policy.transactions_per_connection.count if policy.transactions_per_connection else None
        )

    # What the relay tells.

    def opened(self, at: int, connection: int, ip: str, refused: str | None) -> None:
        """As in Witness."""
        at = self._rolled(at)
        if self.first_opened is None:
            self.first_opened = at
        self.opened_count += 1
        self.refused += refused is not None
        self.opened_rate.add(at)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        levels = self.bins.levels
        if self.open > levels[OPEN][-1]:
            levels[OPEN][-1] = self.open
        if len(self.ips) < MOST_HIT:
            self.ips.add(ip)
        if CONNECTIONS in self._has:
            self._raise(CONNECTIONS, self._uses[CONNECTIONS].add(ip, at))

    def closed(self, at: int, connection: int) -> None:
        """As in Witness."""
        self._rolled(at)
        self.open -= 1
        self._used.pop(connection, None)

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        """As in Witness."""
        at = self._rolled(at)
        self.outcomes[outcome] += 1
        self.login_rate.add(at)
        if len(self.usernames) < MOST_HIT:
            self.usernames.add(username)
        use = self._uses[LOGINS].add(username, at)
        busiest = self.bins.levels[BUSIEST]
        busiest[-1] = max(busiest[-1], use)
        if LOGINS in self._has:
            self._raise(LOGINS, use)
        if outcome == "failed":
            self._fail(at, ip, username)
        elif outcome == "accepted":
            self._uses[PAIR].empty((ip, username))

    def accepted(self, at: int, connection: int, message: str | None) -> None:
        """As in Witness."""
        at = self._rolled(at)
        if self._count is not None:
            self._used[connection] = used = self._used.get(connection, 0) + 1
            self._raise(TRANSACTIONS, used)
        if message is not None and not self._distinct.add(message):
            self.duplicated += 1
            return
        self.accepted_count += 1
        self.last_accepted = at
        self.accepted_rate.add(at)
        self.bins.counts[ACCEPTED][-1] += 1
        if self.pending:
            self.pending.discard(hash(message))

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
        """As in Witness."""
        at = self._rolled(at)
        row = Incident(at, limit, code, text, ip, username, connection, message)
        if len(self.log) < LOG_CUT:
            self.log.append(row)
        self.by_limit[limit] += 1
        self.by_code["none" if code is None else str(code)] += 1
        self.bins.counts[limit][-1] += 1
        if limit == TRANSACTIONS and self._count is not None:
            self._raise(TRANSACTIONS, self._count + 1)
        if limit in FAILURES and self._was_counted(row):
            self._fail(at, ip, username or "")
        self._note_hit(row)

    def block(
        self, limit: str, ip: str | None, username: str | None, from_: int, until: int
    ) -> None:
        """As in Witness."""
        if len(self.blocks) < LOG_CUT:
            self.blocks.append(
                BlockRow(limit, ip, username, from_ - self.origin, until - self.origin)
            )
        if limit == PAIR:
            self._block_ends.append((until - self.origin, (ip, username)))

    # What the byte door tells beyond that.

    def not_sent(self, message: str | None) -> None:
        """A transaction was begun, or refused, and came to nothing; ``message`` None: nothing is
        known of it.
        """
        if message is None or len(self.pending) >= MOST_PENDING:
            if not self.unnamed:
                self._before_unnamed = self.accepted_count
            self.unnamed += 1
        elif self._distinct.seen(message) is False:
            self.pending.add(hash(message))

    def named(self, recipient: str) -> None:
        """What had no name when ``not_sent`` told of it last is for ``recipient``."""
        self.unnamed -= 1
        self.not_sent(recipient)

    def sent_to(self, recipient: str) -> None:
        """A message to ``recipient`` was accepted, under another name perhaps: an earlier attempt
        at it is not lost.
        """
        if self.pending:
            self.pending.discard(hash(recipient))

    @property
    def limits(self) -> list[str]:
        """The limits of the policy, and those that it had when they refused something."""
        return [name for name in KINDS if name in self._has or self.by_limit[name]]

    @property
    def unsent(self) -> int:
        """Messages that were seen at MAIL or later and never accepted."""
        return len(self.pending) + self.unnamed

    @property
    def doubtful(self) -> int:
        """Of those the ones without a name that may be among the accepted all the same: sent again
        later.
        """
        return min(self.unnamed, self.accepted_count - self._before_unnamed)

    def uses(self, at: int) -> dict[str, int]:
        """How much of each limit's budget its busiest key has in use at ``at``, as in the last bin
        of ``series.in_window``.
        """
        at = self._rolled(at)
        moving = {name: use.highest(at) for name, use in self._uses.items()}
        moving[TRANSACTIONS] = max(self._used.values(), default=0)
        return {name: moving[name] for name in self.policy.limits}

    def roll(self, at: int) -> None:
        """Nothing has happened up to ``at``."""
        self._rolled(at)

    # How it is counted.

    def _rolled(self, at: int) -> int:
        """Begins the bins up to ``at`` and returns it as time of this run; what lasts is carried
        over into each.
        """
        at -= self.origin
        bins = self.bins
        while at >= bins.end:
            start = bins.end
            self._end_blocks(start)
            bins.add_bin()
            levels = bins.levels
            levels[OPEN][-1] = max(levels[OPEN][-1], self.open)
            levels[BUSIEST][-1] = max(levels[BUSIEST][-1], self._uses[LOGINS].highest(start))
            for name, use in self._uses.items():
                if name in self._has:
                    self._raise(name, use.highest(start))
        if self._block_ends:
            self._end_blocks(at)
        return at

    def _end_blocks(self, at: int) -> None:
        ends = self._block_ends
        while ends and ends[0][0] <= at:
            self._uses[PAIR].empty(ends.popleft()[1])

    def _raise(self, limit: str, level: int) -> None:
        series = self.bins.levels[f"in {limit}"]
        if level > series[-1]:
            series[-1] = level

    def _fail(self, at: int, ip: str, username: str) -> None:
        """One more wrong password that was counted."""
        count, first = self._wrong
        self._wrong = (count + 1, first if count else at)
        for name, key in ((WHOLE, ip), (PAIR, (ip, username))):
            use = self._uses[name].add(key, at)
            if name in self._has:
                self._raise(name, use)

    def _was_counted(self, row: Incident) -> bool:
        """A failure that went over began a block, or met a limit that has none."""
        spec = getattr(self.policy, row.limit)
        if spec is not None and spec.block is None:
            return True
        return any(block.from_ == row.at and block.ip == row.ip for block in self.blocks[-2:])

    def _note_hit(self, row: Incident) -> None:
        limit = row.limit
        key: object = {TRANSACTIONS: row.connection, LOGINS: row.username}.get(limit, row.ip)
        use = self._uses.get(limit)
        nth = use.level(key, row.at) if use is not None else 0
        before = self.hits.get(limit)
        hit = before or Hit(row, 0, row.at, nth=nth)
        keys = self._hit_keys.setdefault(limit, set())
        if len(keys) < MOST_HIT:
            keys.add(key)
        first = hit.first.username if limit == LOGINS else hit.first.ip
        need = use.peak(first) if use is not None else 0
        self.hits[limit] = hit._replace(
            refusals=hit.refusals + 1, last_at=row.at, keys=len(keys), need=max(need, hit.need)
        )

    def found(self) -> list[Hit]:
        """What each limit refused, in the order in which they were first hit."""
        count, first = self._wrong
        return [
            hit._replace(wrong=count, wrong_at=first) if name in FAILURES else hit
            for name, hit in self.hits.items()
        ]
