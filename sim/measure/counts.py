"""One result for both doors: ``result_of(counts, info)``.

``Counts`` holds every number that a result needs. ``Rows.counts`` makes it from the rows of a run
in virtual time, ``StreamingRecorder.counts`` from the counters of a live relay. ``RunInfo`` holds
what only the caller knows, such as the scenario and how the run ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from ..records import BlockRow, Incident
from ..relay.kinds import KINDS, Kind, WindowSpec
from ..relay.policy import Policy
from ..units import MICRO, seconds
from . import statistics as st
from .diagnosis import Context, RefusalStats, diagnose
from .expectations import Expectation, judged
from .result import (
    LOG_CUT,
    Block,
    BlockKey,
    Connections,
    Incidents,
    Latency,
    LogEntry,
    Logins,
    Messages,
    Result,
    Series,
    Throughput,
)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The scenario and the end of a run: all that a result needs besides the counts. ``end`` is in
    microseconds.

    ``ended`` is "settled", "until" or "aborted"; ``usernames`` and ``ips`` are how many the sender
    has.
    """

    scenario: str
    title: str
    policy: Policy
    sender: str
    seed: int | None
    end: int
    ended: str
    usernames: int = 1
    ips: int = 1
    expectations: Sequence[Expectation] = field(default=())
    error: str | None = None
    command: str | None = None

    @property
    def last(self) -> int:
        """The last microsecond of the run: a run that ``until`` ends is half-open, any other
        includes the instant at which it ended.
        """
        return self.end - (self.ended == "until")


@dataclass(frozen=True, slots=True)
class PerBin:
    """The series of a result as one value for each bin; see ``Series`` for their meaning.

    ``incidents`` may omit a limit that refused nothing.
    """

    accepted: list[int]
    incidents: Mapping[str, list[int]]
    open_connections: list[int]
    logins_in_window: list[int]
    in_window: dict[str, list[int]]


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """All that was counted in a run. Times are microseconds, peaks are per minute.

    ``doubtful`` of the lost messages may have been accepted after all; ``span`` is the time from
    the first submission to the last acceptance; ``waits`` are the latencies in ascending order,
    empty if unknown. ``log`` holds the first incidents, ``first_lost`` the ids of the first lost
    messages if known. ``outcomes`` counts logins, ``by_limit`` and ``by_code`` incidents.
    """

    submitted: int
    accepted: int
    lost: int
    duplicated: int
    span: int
    peak_accepted: int
    opened: int
    refused: int
    most_open: int
    peak_opened: int
    outcomes: Mapping[str, int]
    peak_logins: int
    by_limit: Mapping[str, int]
    by_code: Mapping[int | None, int]
    log: Sequence[Incident]
    blocks: Sequence[BlockRow]
    refusals: Sequence[RefusalStats]
    per_bin: PerBin
    waits: st.Times = field(default_factory=lambda: st.times(()))
    doubtful: int = 0
    first_lost: tuple[str, ...] = ()


def counts_messages(kind: Kind) -> bool:
    """Whether a limit counts messages, at MAIL or later in the transaction."""
    return kind.counts.at not in ("connect", "login", "wrong-password")


def was_counted(row: Incident, policy: Policy, began: set[tuple[int, str | None]]) -> bool:
    """Whether a login that a limit of wrong passwords refused was itself counted as one.

    It was if it exceeded the limit: then it began a block, or the limit has no block. ``began``
    holds the start and the IP of the blocks (None for a limit that is not for each IP).
    """
    spec = policy.spec(row.limit)
    if isinstance(spec, WindowSpec) and spec.block is None:
        return True
    return (row.at, row.ip) in began or (row.at, None) in began


def result_of(counts: Counts, info: RunInfo) -> Result:
    """The result of a run, with its diagnosis and its judged expectations."""
    wrong = counts.outcomes.get("failed", 0)
    limits = _limits(counts, info)
    result = Result(
        scenario=info.scenario,
        title=info.title,
        policy=info.policy.name,
        sender=info.sender,
        seed=info.seed,
        duration_s=seconds(info.end),
        ended=info.ended,
        passed=True,
        messages=_messages(counts),
        throughput=_throughput(counts, info),
        latency_s=_latency(counts.waits),
        incidents=_incidents(counts, limits),
        connections=Connections(
            counts.opened, counts.refused, counts.most_open, counts.peak_opened
        ),
        logins=Logins(
            sum(counts.outcomes.values()),
            counts.outcomes.get("accepted", 0),
            counts.outcomes.get("refused", 0),
            wrong,
            counts.peak_logins,
        ),
        blocks=[_block(row) for row in counts.blocks],
        series=_series(counts.per_bin, limits, info.end),
        expectations=[],
        diagnosis=diagnose(
            counts.refusals,
            Context(info.policy, info.usernames, info.ips, info.end, counts.blocks),
            lost=counts.lost - counts.doubtful,
            doubtful=counts.doubtful,
            wrong=wrong,
        ),
        error=info.error,
        command=info.command,
        first_lost=counts.first_lost,
    )
    return judged(result, info.expectations)


def _limits(counts: Counts, info: RunInfo) -> list[str]:
    """The limits of the policy, and those that refused something before the policy changed."""
    return [name for name in KINDS if name in info.policy.limits or counts.by_limit.get(name)]


def _messages(counts: Counts) -> Messages:
    waiting = counts.submitted - counts.accepted - counts.lost
    return Messages(counts.submitted, counts.accepted, counts.lost, waiting, counts.duplicated)


def _throughput(counts: Counts, info: RunInfo) -> Throughput:
    ceiling = info.policy.ceiling(info.usernames, info.ips)
    mean = _mean(counts.accepted, counts.span)
    return Throughput(
        mean_per_min=None if mean is None else float(mean),
        peak_per_min=counts.peak_accepted,
        ceiling_per_min=None if ceiling is None else float(ceiling),
        utilisation=None if mean is None or ceiling is None else float(mean / ceiling),
    )


def _mean(accepted: int, span: int) -> Fraction | None:
    """Messages per minute; None for messages that took no time."""
    if not accepted:
        return Fraction(0)
    return Fraction(accepted * st.MINUTE, span) if span else None


def _latency(waits: st.Times) -> Latency:
    if not len(waits):
        return Latency(None, None, None, None, None)
    p50, p95, p99 = (seconds(st.percentile(waits, share)) for share in (0.5, 0.95, 0.99))
    mean = float(Fraction(int(waits.sum()), len(waits) * MICRO))
    return Latency(mean, p50, p95, p99, seconds(int(waits[-1])))


def _incidents(counts: Counts, limits: Sequence[str]) -> Incidents:
    total = sum(counts.by_limit.values())
    codes = {"none" if code is None else str(code): count for code, count in counts.by_code.items()}
    log = [_entry(row) for row in counts.log[:LOG_CUT]]
    return Incidents(
        total=total,
        by_limit={name: counts.by_limit.get(name, 0) for name in limits},
        by_code=dict(sorted(codes.items())),
        first_s=log[0].t if log else None,
        log=log,
        log_cut=total > LOG_CUT,
    )


def _entry(row: Incident) -> LogEntry:
    return LogEntry(seconds(row.at), *row[1:])


def _block(row: BlockRow) -> Block:
    return Block(row.limit, BlockKey(row.ip, row.username), seconds(row.from_), seconds(row.until))


def _series(per_bin: PerBin, limits: Sequence[str], end: int) -> Series:
    width, bins = st.bin_layout(end)
    return Series(
        t_s=[seconds(index * width) for index in range(bins)],
        accepted=per_bin.accepted,
        incidents={name: per_bin.incidents.get(name) or [0] * bins for name in limits},
        open_connections=per_bin.open_connections,
        logins_in_window=per_bin.logins_in_window,
        in_window=per_bin.in_window,
    )
