"""From rows to the result of a run. Knows the recorder's rows and what the door says of the
messages; nothing of the door.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import islice

from ..units import MICRO, seconds
from . import statistics as st
from .alike import block, entry, throughput
from .diagnosis import diagnose
from .expectations import judged
from .facts import Facts
from .hits import hits
from .recorder import Recorder
from .result import (
    LOG_CUT,
    NAMED,
    Connections,
    Incidents,
    Latency,
    Logins,
    Messages,
    Result,
    Throughput,
)
from .rows import Rows
from .series import Levels, limits_of, series


def assemble(recorder: Recorder, facts: Facts) -> Result:
    """The result of a run in virtual time, its expectations judged and its diagnosis written."""
    # A run that was cut by `until` is half-open; one that ended by itself includes the instant at
    # which it did.
    rows = Rows(recorder, facts.end - (facts.ended == "until"), facts.submitted, facts.given_up)
    open_steps = rows.open_steps(facts.end + 1)
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
        latency_s=_latency(rows.waits),
        incidents=_incidents(rows, facts),
        connections=_connections(rows, open_steps),
        logins=_logins(rows),
        blocks=[block(row) for row in recorder.blocks if row.from_ <= facts.end],
        series=series(rows, recorder.blocks, open_steps, facts),
        expectations=[],
        diagnosis=diagnose(
            hits(rows, recorder.blocks, facts),
            recorder.blocks,
            facts,
            lost=len(rows.lost),
            wrong=rows.outcomes["failed"],
        ),
        error=facts.error,
        command=facts.command,
        first_lost=tuple(islice(rows.lost, NAMED)),
    )
    return judged(result, facts.expectations)


def _messages(rows: Rows, facts: Facts) -> Messages:
    submitted = len(facts.submitted)
    accepted = len(rows.first_at)
    lost = len(rows.lost)
    return Messages(
        submitted, accepted, lost, submitted - accepted - lost, len(rows.acceptances[0]) - accepted
    )


def _throughput(rows: Rows, facts: Facts) -> Throughput:
    accepted = rows.first_at
    span = int(accepted[-1]) - rows.first_came if len(accepted) else 0
    return throughput(len(accepted), span, st.busiest(accepted), facts)


def _latency(waits: st.Times) -> Latency:
    if not len(waits):
        return Latency(None, None, None, None, None)
    p50, p95, p99 = (seconds(st.percentile(waits, share)) for share in (0.5, 0.95, 0.99))
    return Latency(
        float(Fraction(int(waits.sum()), len(waits) * MICRO)),
        p50,
        p95,
        p99,
        seconds(int(waits[-1])),
    )


def _incidents(rows: Rows, facts: Facts) -> Incidents:
    by_limit = Counter(row.limit for row in rows.incidents)
    by_code = Counter("none" if row.code is None else str(row.code) for row in rows.incidents)
    log = [entry(row) for row in rows.incidents[:LOG_CUT]]
    return Incidents(
        total=len(rows.incidents),
        by_limit={name: by_limit[name] for name in limits_of(rows.incidents, facts)},
        by_code=dict(sorted(by_code.items())),
        first_s=log[0].t if log else None,
        log=log,
        log_cut=len(rows.incidents) > LOG_CUT,
    )


def _connections(rows: Rows, open_steps: Levels) -> Connections:
    opened = rows.opened_at
    return Connections(
        len(opened), rows.refused, int(open_steps[1].max(initial=0)), st.busiest(opened)
    )


def _logins(rows: Rows) -> Logins:
    outcomes = rows.outcomes
    peak = st.busiest(rows.logins_at)
    return Logins(
        len(rows.logins_at), outcomes["accepted"], outcomes["refused"], outcomes["failed"], peak
    )
