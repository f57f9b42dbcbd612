"""The observer of a live relay: ``StreamingRecorder`` counts as events happen, ``counts`` makes the
numbers of a result at any time.

A live relay can run for days, so nothing is kept for each message or connection that has ended:
memory is bounded, and each event takes constant time. The full ``Recorder`` keeps a row for each;
both give the same ``Counts``, apart from what a live relay cannot know:

- Latencies are unknown. The first connection counts as the first submission.
- A message that was never accepted is recognised by its recipient or its headers. One that is
  refused at MAIL has neither, unless its RCPT was pipelined, so each attempt counts as a message.
- Peaks and levels of windows are exact to 1/6,000 of the window (``bounded.TICKS``).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple

from ..limits import Key
from ..records import BlockRow, Incident
from ..relay.kinds import KINDS, LOGINS_PER_USERNAME, Kind, LimitSpec, WindowSpec
from ..relay.policy import Policy
from . import statistics as st
from .bounded import RunningCounts, SeenNames, SlidingCount, SlidingCounts, TimeBins
from .counts import Counts, PerBin, RunInfo, counts_messages, was_counted
from .diagnosis import RefusalStats
from .result import LOG_CUT

MOST_PENDING = 100_000
"""Names of messages that were begun and not accepted. After that many, each attempt counts as one
more message.
"""
MOST_KEYS_TOLD_APART = 10_000
"""Keys that a limit refused; further ones are not counted."""
MOST_RUNNING = 100_000
"""Keys of a limit without a window, such as open connections; further ones are not counted."""
LATEST_BLOCKS = 8
"""The latest blocks, among which are all that one wrong password began: one for each limit."""

# Names of the series in the bins, apart from those of the limits.
ACCEPTED = "accepted"
OPEN = "open"
LOGINS = "logins"


class Use(NamedTuple):
    """The use of one limit: its counter, the key of a request (its connection, IP and username),
    and the series that show its highest level.
    """

    kind: Kind
    counter: SlidingCounts | RunningCounts
    key: Callable[[int, str, str | None], Key]
    series: tuple[str, ...]


class StreamingRecorder:
    """Implements ``sim.relay.Observer`` in bounded memory.

    ``origin`` is the relay's time at which this run began, in microseconds; events have the relay's
    time and come in order, and everything inside is relative to ``origin``.
    """

    def __init__(self, policy: Policy, origin: int = 0) -> None:
        self.origin = origin
        self.usernames: set[str] = set()
        self.ips: set[str] = set()
        self._log: list[Incident] = []
        self._blocks: list[BlockRow] = []
        self._latest_blocks: deque[BlockRow] = deque(maxlen=LATEST_BLOCKS)
        self._by_limit: Counter[str] = Counter()
        self._by_code: Counter[int | None] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._refusals: dict[str, RefusalStats] = {}
        self._refused_keys: dict[str, set[object]] = {}
        self._wrong = 0
        self._wrong_at = 0

        self.opened_count = 0
        self._refused = 0
        self._open = 0
        self._most_open = 0
        self._first_opened = 0
        self.accepted_count = 0
        self._duplicated = 0
        self._last_accepted = 0
        self.accepted_rate = SlidingCount(st.MINUTE)
        self._opened_rate = SlidingCount(st.MINUTE)
        self._login_rate = SlidingCount(st.MINUTE)

        self._seen = SeenNames()
        self._pending: set[int] = set()
        self.unnamed = 0
        self._accepted_before_unnamed = 0

        # The IP and the username of each open connection.
        self._requesters: dict[int, tuple[str, str | None]] = {}
        # A heap of the ends of blocks, each of which sets a consecutive count back to 0: the blocks
        # of different limits, or of one whose policy changed, do not end in the order they began.
        self._block_ends: list[tuple[int, str, Key]] = []
        self._uses: dict[str, Use] = {}
        self._bins = TimeBins([ACCEPTED], [OPEN, LOGINS])
        self.change(policy)

    def change(self, policy: Policy) -> None:
        """Continues under another policy. The use of its limits starts from 0, except on
        connections that are open; everything that was counted stays.
        """
        self._policy = policy
        specs = {kind.name: (kind, spec) for kind, spec in policy.by_kind()}
        running = {
            name: use for name, use in self._uses.items() if isinstance(use.counter, RunningCounts)
        }
        self._uses = {
            name: running.get(name) or _use(kind, spec) for name, (kind, spec) in specs.items()
        }
        if LOGINS_PER_USERNAME.name not in specs:
            # A result always shows the logins of the busiest username.
            logins = LOGINS_PER_USERNAME
            self._uses[logins.name] = Use(
                logins, SlidingCounts(st.MINUTE), logins.for_each.key, (LOGINS,)
            )
        self._at_connect = self._counted_at("connect")
        self._at_login = self._counted_at("login")
        self._at_failure = self._counted_at("wrong-password")
        self._at_message = [use for use in self._uses.values() if counts_messages(use.kind)]
        self._per_connection = [use for use in self._uses.values() if use.kind.per_connection]
        self._consecutive = [use for use in self._uses.values() if use.kind.consecutive]
        self._sliding = [
            use for use in self._uses.values() if isinstance(use.counter, SlidingCounts)
        ]
        self._bins.add_series(policy.limits, [_level(name) for name in policy.limits])

    def _counted_at(self, moment: str) -> list[Use]:
        return [use for use in self._uses.values() if use.kind.counts.at == moment]

    # What the relay reports.

    def opened(self, at: int, connection: int, ip: str, refused: str | None) -> None:
        at = self._advanced(at)
        if not self.opened_count:
            self._first_opened = at
        self.opened_count += 1
        self._refused += refused is not None
        self._opened_rate.add(at)
        self._open += 1
        self._most_open = max(self._most_open, self._open)
        self._raise(OPEN, self._open)
        if len(self.ips) < MOST_KEYS_TOLD_APART:
            self.ips.add(ip)
        self._requesters[connection] = (ip, None)
        for use in self._at_connect:
            self._count(use, at, use.key(connection, ip, None))

    def closed(self, at: int, connection: int) -> None:
        self._advanced(at)
        self._open -= 1
        self._requesters.pop(connection, None)
        for use in self._per_connection:
            use.counter.empty(connection)

    def login(self, at: int, connection: int, ip: str, username: str, outcome: str) -> None:
        at = self._advanced(at)
        self._outcomes[outcome] += 1
        self._login_rate.add(at)
        if len(self.usernames) < MOST_KEYS_TOLD_APART:
            self.usernames.add(username)
        for use in self._at_login:
            self._count(use, at, use.key(connection, ip, username))
        if outcome == "failed":
            self._fail(at, connection, ip, username)
        elif outcome == "accepted":
            self._requesters[connection] = (ip, username)
            for use in self._consecutive:
                use.counter.empty(use.key(connection, ip, username))

    def accepted(self, at: int, connection: int, message: str | None) -> None:
        at = self._advanced(at)
        if self._at_message:
            ip, username = self._requesters.get(connection, ("", None))
            for use in self._at_message:
                self._count(use, at, use.key(connection, ip, username))
        if message is not None and not self._seen.add(message):
            self._duplicated += 1
            return
        self.accepted_count += 1
        self._last_accepted = at
        self.accepted_rate.add(at)
        self._bins.counts[ACCEPTED][-1] += 1
        if self._pending:
            self._pending.discard(hash(message))

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
        at = self._advanced(at)
        row = Incident(at, limit, code, text, ip, username, connection, message)
        if len(self._log) < LOG_CUT:
            self._log.append(row)
        self._by_limit[limit] += 1
        self._by_code[code] += 1
        self._bins.counts[limit][-1] += 1
        self._count_refused(row)
        self._note_refusal(row)

    def block(
        self, limit: str, ip: str | None, username: str | None, from_: int, until: int
    ) -> None:
        row = BlockRow(limit, ip, username, from_ - self.origin, until - self.origin)
        self._latest_blocks.append(row)
        if len(self._blocks) < LOG_CUT:
            self._blocks.append(row)
        use = self._uses.get(limit)
        if use is not None and use.kind.consecutive:
            heappush(self._block_ends, (row.until, limit, use.key(0, ip or "", username)))

    # What the live relay reports of transactions that came to nothing.

    def not_sent(self, message: str | None) -> None:
        """A transaction was begun or refused and did not end with an acceptance. ``message`` is its
        name, or None if it has none.
        """
        if message is None or len(self._pending) >= MOST_PENDING:
            if not self.unnamed:
                self._accepted_before_unnamed = self.accepted_count
            self.unnamed += 1
        elif self._seen.seen(message) is False:
            self._pending.add(hash(message))

    def named(self, recipient: str) -> None:
        """The message that ``not_sent`` last reported without a name is for ``recipient``."""
        self.unnamed -= 1
        self.not_sent(recipient)

    def sent_to(self, recipient: str) -> None:
        """A message to ``recipient`` was accepted, perhaps under another name: an earlier attempt
        at it is not lost.
        """
        if self._pending:
            self._pending.discard(hash(recipient))

    @property
    def unsent(self) -> int:
        """The messages that were begun at MAIL or later and never accepted."""
        return len(self._pending) + self.unnamed

    @property
    def doubtful(self) -> int:
        """The messages without a name among ``unsent`` that may have been sent again and accepted
        since.
        """
        return min(self.unnamed, self.accepted_count - self._accepted_before_unnamed)

    # What can be asked at any time.

    def uses(self, at: int) -> dict[str, int]:
        """For each limit of the policy, the use of the busiest key at ``at``."""
        at = self._advanced(at)
        return {name: self._uses[name].counter.highest(at) for name in self._policy.limits}

    def counts(self, info: RunInfo, wanted: int | None) -> Counts:
        """Everything that the result needs at ``info.end``. ``wanted`` is the number of messages
        that are expected, if known.
        """
        self._advanced(info.end + self.origin)
        accepted = self.accepted_count
        submitted = accepted + self.unsent if wanted is None else max(wanted, accepted)
        return Counts(
            submitted=submitted,
            accepted=accepted,
            lost=submitted - accepted,
            doubtful=self.doubtful if wanted is None else 0,
            duplicated=self._duplicated,
            span=self._last_accepted - self._first_opened,
            peak_accepted=self.accepted_rate.peak,
            opened=self.opened_count,
            refused=self._refused,
            most_open=self._most_open,
            peak_opened=self._opened_rate.peak,
            outcomes=self._outcomes.copy(),
            peak_logins=self._login_rate.peak,
            by_limit=self._by_limit.copy(),
            by_code=self._by_code.copy(),
            log=list(self._log),
            blocks=list(self._blocks),
            refusals=[
                stats._replace(wrong=self._wrong, wrong_at=self._wrong_at)
                if KINDS[limit].failures
                else stats
                for limit, stats in self._refusals.items()
            ],
            per_bin=self._per_bin(info),
        )

    def _per_bin(self, info: RunInfo) -> PerBin:
        width, bins = st.bin_layout(info.end)
        # An event can be a moment later than the end that was asked for, so the bins here may just
        # have become wider.
        counts, levels = self._bins.merged(max(width, self._bins.width), bins)
        return PerBin(
            accepted=counts[ACCEPTED],
            incidents=counts,
            open_connections=levels[OPEN],
            logins_in_window=levels[LOGINS],
            in_window={name: levels[_level(name)] for name in info.policy.limits},
        )

    # Counting.

    def _advanced(self, at: int) -> int:
        """Begins the bins up to ``at`` and returns it as a time of this run.

        A new bin starts with the levels at its start, because connections stay open and windows
        keep their events across the edge. Running counts do not: they show a level only at the
        moment at which it rises, as they do in ``Rows``.
        """
        at -= self.origin
        bins = self._bins
        while at >= bins.end:
            start = bins.end
            self._end_blocks(start)
            bins.add_bin()
            self._raise(OPEN, self._open)
            for use in self._sliding:
                level = use.counter.highest(start)
                for name in use.series:
                    self._raise(name, level)
        if self._block_ends:
            self._end_blocks(at)
        return at

    def _end_blocks(self, at: int) -> None:
        ends = self._block_ends
        while ends and ends[0][0] <= at:
            _, limit, key = heappop(ends)
            use = self._uses.get(limit)
            if use is not None:
                use.counter.empty(key)

    def _count(self, use: Use, at: int, key: object) -> None:
        level = use.counter.add(key, at)
        levels = self._bins.levels
        for name in use.series:  # as _raise, without a call for each message
            series = levels[name]
            if level > series[-1]:
                series[-1] = level

    def _raise(self, name: str, level: int) -> None:
        series = self._bins.levels[name]
        if level > series[-1]:
            series[-1] = level

    def _count_refused(self, row: Incident) -> None:
        """Counts a refused request that no other event reports."""
        use = self._uses.get(row.limit)
        spec = self._policy.spec(row.limit)
        if use is None or spec is None:  # an open connection can keep a limit that was removed
            return
        if isinstance(use.counter, RunningCounts):
            # Transactions that ended without an acceptance are not counted one by one, but a
            # refusal shows that all were used up.
            for name in use.series:
                self._raise(name, spec.count + 1)
        elif counts_messages(use.kind):
            self._count(use, row.at, use.kind.key(row))
        elif use.kind.failures and was_counted(
            row, self._policy, {(block.from_, block.ip) for block in self._latest_blocks}
        ):
            self._fail(row.at, row.connection, row.ip, row.username or "")

    def _fail(self, at: int, connection: int, ip: str, username: str) -> None:
        """Counts a wrong password."""
        if not self._wrong:
            self._wrong_at = at
        self._wrong += 1
        for use in self._at_failure:
            self._count(use, at, use.key(connection, ip, username))

    def _note_refusal(self, row: Incident) -> None:
        limit = row.limit
        kind = KINDS[limit]
        use = self._uses.get(limit)
        stats = self._refusals.get(limit)
        key = kind.key(row)
        window = None if use is None or kind.failures else use.counter
        if stats is None:
            stats = RefusalStats(row, 0, row.at)
            if isinstance(window, SlidingCounts):
                stats = stats._replace(nth=window.level(key, row.at))
        if isinstance(window, SlidingCounts):
            need = window.peak(kind.key(stats.first))
            stats = stats._replace(need=max(need, stats.need))
        keys = self._refused_keys.setdefault(limit, set())
        if len(keys) < MOST_KEYS_TOLD_APART:
            keys.add(key)
        self._refusals[limit] = stats._replace(
            refusals=stats.refusals + 1, last_at=row.at, keys=len(keys)
        )


def _use(kind: Kind, spec: LimitSpec) -> Use:
    counter: SlidingCounts | RunningCounts
    if isinstance(spec, WindowSpec):
        counter = SlidingCounts(spec.per)
    else:
        counter = RunningCounts(MOST_RUNNING)
    series: tuple[str, ...] = (_level(kind.name),)
    if kind is LOGINS_PER_USERNAME:
        series = (*series, LOGINS)
    return Use(kind, counter, kind.for_each.key, series)


def _level(limit: str) -> str:
    """The name of the series that shows the use of ``limit``."""
    return f"in {limit}"
