"""From rows to the contract's result. Knows the recorder's rows and what the door says of the messages; nothing of the door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from ..records import Incident, Login, Opened
from ..relay.policy import Policy
from ..units import MICRO, seconds
from . import statistics as st
from .diagnosis import diagnose
from .expectations import Expectation, judged
from .recorder import Recorder
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
    Throughput,
)
from .series import series


@dataclass(frozen=True, slots=True)
class Facts:
    """What the door knows and the relay does not. Times are microseconds.

    ``submitted`` maps each message's id to the time at which it came into the outbox; ``given_up`` are the ids that the sender
    gave up, whether or not the relay has accepted them; ``end`` is the run's end, and rows after it did not happen.
    """

    scenario: str
    title: str
    policy: Policy
    sender: str
    seed: int | None
    end: int
    ended: str
    submitted: Mapping[str, int]
    given_up: frozenset[str]
    usernames: int = 1
    ips: int = 1
    expectations: Sequence[Expectation] = field(default=())
    error: str | None = None
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """The recorder's rows that happened before the run's end, in order of time.

    ``acceptances`` has the times and the connections of every acceptance, ``first_accepted`` each message's first, and
    ``first_at`` those in order of time.
    """

    opened: list[Opened]
    closed_at: dict[int, int]
    logins: list[Login]
    incidents: list[Incident]
    first_accepted: dict[str, int]
    first_at: st.Times
    acceptances: tuple[st.Times, st.Times]


def assemble(recorder: Recorder, facts: Facts) -> Result:
    """The result of a run in virtual time, its expectations judged and its diagnosis written."""
    rows = _rows(recorder, facts)
    result = Result(
        scenario=facts.scenario,
        title=facts.title,
        policy=facts.policy.name,
        sender=facts.sender,
        seed=facts.seed,
        duration_s=seconds(facts.end),
        ended=facts.ended,
        passed=True,
        messages=_messages(rows, facts),
        throughput=_throughput(rows, facts),
        latency_s=_latency(rows, facts),
        incidents=_incidents(rows, facts),
        connections=_connections(rows, facts.end),
        logins=_logins(rows),
        blocks=[
            Block(row.limit, BlockKey(row.ip, row.username), seconds(row.from_), seconds(row.until))
            for row in recorder.blocks
            if row.from_ <= facts.end
        ],
        series=series(rows, recorder.blocks, _open_steps(rows, facts.end), facts),
        expectations=[],
        diagnosis=diagnose(rows, recorder.blocks, facts),
        error=facts.error,
        command=facts.command,
    )
    return judged(result, facts.expectations)


def _rows(recorder: Recorder, facts: Facts) -> Rows:
    # A run that was cut by `until` is half-open; one that ended by itself includes the instant at which it did.
    last = facts.end - (facts.ended == "until")
    at, on = np.array(recorder.accepted_at, dtype=np.int64), np.array(recorder.accepted_on, dtype=np.int64)
    order = np.argsort(at, kind="stable")
    order = order[: np.searchsorted(at[order], last, side="right")]
    first = _first_accepted(recorder, order)
    return Rows(
        opened=sorted(row for row in recorder.opened_rows if row.at <= last),
        closed_at=recorder.closed_at,
        logins=sorted((row for row in recorder.logins if row.at <= last), key=lambda row: row.at),
        incidents=sorted((row for row in recorder.incidents if row.at <= last), key=lambda row: row.at),
        first_accepted=first,
        first_at=st.times(list(first.values())),
        acceptances=(at[order], on[order]),
    )


def _first_accepted(recorder: Recorder, order: st.Times) -> dict[str, int]:
    """When each message was first accepted, from the rows in ``order`` of time."""
    places = order.tolist()
    ids, at = recorder.accepted_ids, recorder.accepted_at
    # Backwards, so that the first of several acceptances of one message is what stays.
    return {message: at[place] for place in reversed(places) if (message := ids[place]) is not None}


def _messages(rows: Rows, facts: Facts) -> Messages:
    submitted, accepted = len(facts.submitted), len(rows.first_accepted)
    lost = len(facts.given_up - rows.first_accepted.keys())
    return Messages(submitted, accepted, lost, submitted - accepted - lost, len(rows.acceptances[0]) - accepted)


def _throughput(rows: Rows, facts: Facts) -> Throughput:
    ceiling = facts.policy.ceiling(facts.usernames, facts.ips)
    accepted = rows.first_at
    mean: Fraction | None = Fraction(0)
    if len(accepted):
        span = int(accepted[-1]) - min(facts.submitted.values())
        mean = Fraction(len(accepted) * st.MINUTE, span) if span else None
    return Throughput(
        mean_per_min=None if mean is None else float(mean),
        peak_per_min=st.busiest(accepted),
        ceiling_per_min=None if ceiling is None else float(ceiling),
        utilisation=None if mean is None or ceiling is None else float(mean / ceiling),
    )


def _latency(rows: Rows, facts: Facts) -> Latency:
    if not rows.first_accepted:
        return Latency(None, None, None, None, None)
    waits = st.times([at - facts.submitted[message] for message, at in rows.first_accepted.items()])
    p50, p95, p99 = (seconds(st.percentile(waits, share)) for share in (0.5, 0.95, 0.99))
    return Latency(float(Fraction(int(waits.sum()), len(waits) * MICRO)), p50, p95, p99, seconds(int(waits[-1])))


def _incidents(rows: Rows, facts: Facts) -> Incidents:
    by_limit = Counter(row.limit for row in rows.incidents)
    by_code = Counter("none" if row.code is None else str(row.code) for row in rows.incidents)
    log = [
        LogEntry(seconds(row.at), row.limit, row.code, row.text, row.ip, row.username, row.connection, row.message)
        for row in rows.incidents[:LOG_CUT]
    ]
    return Incidents(
        total=len(rows.incidents),
        by_limit={name: by_limit[name] for name in facts.policy.limits},
        by_code=dict(sorted(by_code.items())),
        first_s=log[0].t if log else None,
        log=log,
        log_cut=len(rows.incidents) > LOG_CUT,
    )


def _open_steps(rows: Rows, end: int) -> tuple[st.Times, st.Times]:
    never = end + 1
    starts = st.times([row.at for row in rows.opened])
    ends = st.times([min(rows.closed_at.get(row.connection, never), never) for row in rows.opened])
    at, level = st.steps(starts, ends)
    return at, level


def _connections(rows: Rows, end: int) -> Connections:
    _, level = _open_steps(rows, end)
    opened = st.times([row.at for row in rows.opened])
    refused = sum(row.refused is not None for row in rows.opened)
    return Connections(len(opened), refused, int(level.max(initial=0)), st.busiest(opened))


def _logins(rows: Rows) -> Logins:
    outcomes = Counter(row.outcome for row in rows.logins)
    peak = st.busiest(st.times([row.at for row in rows.logins]))
    return Logins(len(rows.logins), outcomes["accepted"], outcomes["refused"], outcomes["failed"], peak)
