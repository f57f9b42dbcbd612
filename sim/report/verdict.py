"""A result in one sentence and five numbers: ``sentence`` and ``numbers``."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ..measure.formatting import lasting, moment, plural
from ..measure.result import Result
from ..relay.kinds import KINDS
from ..units import MICRO

Tone = Literal["good", "fair", "bad"]


class Number(NamedTuple):
    """One key number: its label, its value, and a reference value next to it."""

    label: str
    value: str
    beside: str


def sentence(result: Result) -> tuple[Tone, str]:
    """The outcome in one sentence, and its tone."""
    if result.ended == "aborted":
        return "bad", f"The run was aborted: {result.error or 'no reason is known'}."
    sent = result.messages
    hit = result.incidents.total
    if not sent.submitted:
        return "fair", "No message came into the outbox before the run ended."
    if sent.lost:
        return (
            "bad",
            f"{sent.lost:,} of {plural(sent.submitted, 'message')} {'was' if sent.lost == 1 else 'were'} lost.{_why(result)}",
        )
    if sent.waiting:
        tone: Tone = "bad" if hit else "fair"
        still = f"{sent.waiting:,} of {plural(sent.submitted, 'message')} still waited when the run ended at {_time(result.duration_s)}"
        return tone, f"{still}.{_why(result)}"
    if hit:
        return (
            "fair",
            f"All {plural(sent.submitted, 'message')} got through, but not without {plural(hit, 'incident')}.{_why(result)}",
        )
    return (
        "good",
        f"All {plural(sent.submitted, 'message')} got through in {_time(result.duration_s)} without an incident{_pace(result)}.",
    )


def _why(result: Result) -> str:
    """How often the relay refused, with which reply, since when, and the limits that refused, in
    the order in which they were first met.
    """
    if not result.incidents.total:
        failed = result.logins.failed
        return (
            f" {plural(failed, 'login')} had a wrong password."
            if failed
            else " No limit was met: the sender gave them up."
        )
    met = list(dict.fromkeys(one.limit for one in result.incidents.log))
    limits = [KINDS[name].phrase for name in met]
    over = limits[0] if len(limits) == 1 else f"{', '.join(limits[:-1])} and {limits[-1]}"
    codes = sorted(result.incidents.by_code, key=lambda code: -result.incidents.by_code[code])
    refused = plural(result.incidents.total, "request")
    answer = (
        f"answered {refused} with {codes[0]}"
        if codes[0] != "none"
        else f"dropped the connection at {refused}"
    )
    since = f"{'' if result.incidents.total == 1 else 'the first '}at {moment(round((result.incidents.first_s or 0) * MICRO))}"
    return f" The relay {answer}, {since}, over its {'limit' if len(limits) == 1 else 'limits'} of {over}."


def _pace(result: Result) -> str:
    share = result.throughput.utilisation
    return f", at {share:.0%} of the ceiling" if share is not None else ""


def _time(seconds: float) -> str:
    micros = round(seconds * MICRO)
    return moment(micros) if micros >= 10_000 or not micros else lasting(micros)


def numbers(result: Result) -> list[Number]:
    """Accepted a minute, incidents, lost, p99 and the time to drain."""
    rate = result.throughput.mean_per_min
    ceiling = result.throughput.ceiling_per_min
    sent = result.messages
    share = result.throughput.utilisation
    part = f"{share:.0%} of the ceiling, " if share is not None else "ceiling "
    of = "no ceiling" if ceiling is None else f"{part}{ceiling:,.0f}"
    first = result.incidents.first_s
    p99 = result.latency_s.p99
    slowest = result.latency_s.max
    settled = result.ended == "settled"
    return [
        Number("Accepted a minute", "-" if rate is None else f"{rate:,.0f}", of),
        Number(
            "Incidents",
            f"{result.incidents.total:,}",
            "none" if first is None else f"first at {moment(round(first * MICRO))}",
        ),
        Number("Lost", f"{sent.lost:,}", f"of {sent.submitted:,}"),
        Number(
            "99% within",
            "-" if p99 is None else _time(p99),
            "nothing accepted" if slowest is None else f"slowest {_time(slowest)}",
        ),
        Number("Time to drain", _time(result.duration_s) if settled else "never", _drained(result)),
    ]


def _drained(result: Result) -> str:
    sent = result.messages
    if result.ended == "settled":
        return "nothing given up" if not sent.lost else "with losses"
    return f"{sent.waiting:,} left at {_time(result.duration_s)}"
