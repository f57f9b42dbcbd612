"""From a Tally to a result. Knows what a live relay does not: latency and seed are null, no message
waits.
"""

from __future__ import annotations

from ..units import seconds
from . import statistics as st
from .alike import block, entry, throughput
from .diagnosis import diagnose
from .expectations import judged
from .facts import Facts
from .result import (
    LOG_CUT,
    Connections,
    Finding,
    Incidents,
    Latency,
    Logins,
    Messages,
    Result,
    Series,
)
from .tally import ACCEPTED, BUSIEST, OPEN, Tally
from .words import plural


def live_result(tally: Tally, facts: Facts, wanted: int | None) -> Result:
    """The result of a live relay at ``facts.end``, microseconds of this run; ``wanted`` messages
    were to come, if that is known.
    """
    tally.roll(facts.end + tally.origin)
    messages = _messages(tally, wanted)
    doubtful = tally.doubtful if wanted is None else 0
    span = tally.last_accepted - (tally.first_opened or 0)
    result = Result(
        scenario=facts.scenario,
        title=facts.title,
        policy=facts.policy.name,
        sender=facts.sender,
        seed=None,
        duration_s=seconds(facts.end),
        ended=facts.ended,
        passed=True,
        messages=messages,
        throughput=throughput(tally.accepted_count, span, tally.accepted_rate.peak, facts),
        latency_s=Latency(None, None, None, None, None),
        incidents=_incidents(tally, facts),
        connections=Connections(
            tally.opened_count, tally.refused, tally.most_open, tally.opened_rate.peak
        ),
        logins=_logins(tally),
        blocks=[block(row) for row in tally.blocks],
        series=_series(tally, facts),
        expectations=[],
        diagnosis=[
            *diagnose(
                tally.found(),
                tally.blocks,
                facts,
                lost=messages.lost - doubtful,
                wrong=tally.outcomes["failed"],
            ),
            *([_doubt(doubtful)] if doubtful else []),
        ],
        error=facts.error,
        command=facts.command,
    )
    return judged(result, facts.expectations)


def _messages(tally: Tally, wanted: int | None) -> Messages:
    accepted = tally.accepted_count
    submitted = accepted + tally.unsent if wanted is None else max(wanted, accepted)
    return Messages(submitted, accepted, submitted - accepted, 0, tally.duplicated)


def _doubt(count: int) -> Finding:
    """Said beside what is lost, for it may be fewer."""
    were = "was" if count == 1 else "were"
    return Finding(
        None,
        f"{plural(count, 'message')} that {were} refused at MAIL may have been sent again since; each counts as lost all the same.",
        "MAIL does not say which message it begins, so the relay cannot tell one that is tried again from another.",
        "Say with --messages how many there are (messages= in a test): then so many less the accepted are lost.",
    )


def _incidents(tally: Tally, facts: Facts) -> Incidents:
    total = tally.by_limit.total()
    log = [entry(row) for row in tally.log]
    return Incidents(
        total=total,
        by_limit={name: tally.by_limit[name] for name in tally.limits},
        by_code=dict(sorted(tally.by_code.items())),
        first_s=log[0].t if log else None,
        log=log,
        log_cut=total > LOG_CUT,
    )


def _logins(tally: Tally) -> Logins:
    found = tally.outcomes
    return Logins(
        found.total(), found["accepted"], found["refused"], found["failed"], tally.login_rate.peak
    )


def _series(tally: Tally, facts: Facts) -> Series:
    width = st.bin_width(max(facts.end, 1))
    bins = max(1, -(-facts.end // width))
    counts, levels = tally.bins.merged(max(width, tally.bins.width), bins)
    return Series(
        t_s=[seconds(index * width) for index in range(bins)],
        accepted=counts[ACCEPTED],
        incidents={name: counts[name] for name in tally.limits},
        open_connections=levels[OPEN],
        logins_in_window=levels[BUSIEST],
        in_window={name: levels[f"in {name}"] for name in facts.policy.limits},
    )
