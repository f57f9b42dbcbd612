"""The diagnosis: a finding for each limit that refused something, in words that a user can act on.

Reads the policy and ``RefusalStats``, of which there is one for each of these limits. The words for
a limit come from its ``Kind``. Knows nothing of the strategy.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from ..records import BlockRow, Incident
from ..relay.kinds import KINDS, USERNAME_AND_IP, Kind, LimitSpec, WindowSpec
from ..relay.policy import Policy
from .formatting import lasting, moment, number, ordinal, plural, times
from .result import Finding

MARGIN = Fraction(101, 100)
"""Requests that are exactly per / count apart are on the edge of a window; 1% more is safe under
every window algorithm.
"""
ENDINGS = {"close": ", then closes it", "drop": " and drops it without a word", "stay": ""}


class RefusalStats(NamedTuple):
    """The refusals of one limit. ``keys`` counts the connections, usernames or IPs; ``own_lost``
    the lost messages that it refused.

    The first refused request was the ``nth`` of its key in the last ``per``; ``need`` is the most
    that its key made in any ``per``. ``wrong`` is the number of wrong passwords that were counted,
    ``wrong_at`` the time of the first. Each is 0 for a limit to which it does not apply.
    """

    first: Incident
    refusals: int
    last_at: int
    keys: int = 1
    nth: int = 0
    need: int = 0
    own_lost: int = 0
    wrong: int = 0
    wrong_at: int = 0


class Context(NamedTuple):
    """The run that is diagnosed: its policy, the size of its sender, its end and its blocks."""

    policy: Policy
    usernames: int
    ips: int
    end: int
    blocks: Sequence[BlockRow]


class Case(NamedTuple):
    """The input of one finding. ``cost`` is a sentence about the lost messages, or empty."""

    kind: Kind
    stats: RefusalStats
    context: Context
    cost: str

    @property
    def first(self) -> Incident:
        """The first refusal."""
        return self.stats.first


def diagnose(
    refusals: Sequence[RefusalStats], context: Context, *, lost: int, doubtful: int, wrong: int
) -> list[Finding]:
    """A finding for each limit that refused something, in their order, or one for ``lost`` messages
    if none did; and one for ``doubtful`` messages. ``wrong`` counts the 535s.
    """
    findings = []
    for stats in refusals:
        cost = _cost(stats, lost, alone=len(refusals) == 1)
        findings.append(_finding(Case(KINDS[stats.first.limit], stats, context, cost)))
    if lost and not refusals:
        findings.append(_lost(lost, wrong))
    if doubtful:
        findings.append(_doubtful(doubtful))
    return findings


def _finding(case: Case) -> Finding:
    spec = case.context.policy.spec(case.kind.name)
    if spec is None:
        return _gone(case)
    if not isinstance(spec, WindowSpec):
        return _untimed(case, spec)
    return _failures(case, spec) if case.kind.failures else _timed(case, spec)


def _cost(stats: RefusalStats, lost: int, *, alone: bool) -> str:
    """A sentence about the lost messages: all of the run, and if several limits refused something,
    also those that this one refused.
    """
    if not lost:
        return ""
    if alone:
        return f" It cost {plural(lost, 'message')}, given up by the sender."
    share = ""
    if stats.own_lost:
        share = f", {stats.own_lost:,} of them when this limit refused their transaction"
    return (
        f" This and the other limits cost {plural(lost, 'message')}, given up by the sender{share}."
    )


def _often(case: Case, where: str = "") -> str:
    stats = case.stats
    if stats.refusals == 1:
        return f"That was the only refusal by this limit.{case.cost}"
    last = moment(stats.last_at)
    return f"It happened {times(stats.refusals)}{where}, the last at {last}.{case.cost}"


def _gone(case: Case) -> Finding:
    """A limit that was removed from the policy while the relay ran."""
    return Finding(
        case.kind.name,
        f"It refused something for the first time at {moment(case.first.at)}. {_often(case)}",
        "The policy had this limit then, and has it no more.",
        "Look at what happened before the policy was changed.",
    )


def _untimed(case: Case, spec: LimitSpec) -> Finding:
    """A limit without a window, such as the transactions of a connection."""
    kind = case.kind
    often = _often(case, f", on {plural(case.stats.keys, kind.for_each.noun)}")
    attempt = kind.attempt(case.first, ordinal(spec.count + 1))
    allowed = f"{plural(spec.count, kind.counts.noun)} {kind.for_each.one}"
    return Finding(
        kind.name,
        f"{attempt} at {moment(case.first.at)}. {often}",
        f"This relay allows {allowed}{_answer(case)}{ENDINGS[spec.reply.then]}.",
        kind.remedy(spec.count, nth=ordinal(spec.count), spacing="", more=""),
    )


def _timed(case: Case, spec: WindowSpec) -> Finding:
    """A limit with a window, such as the logins of a username."""
    kind = case.kind
    noun = kind.for_each.noun
    per = lasting(spec.per)
    attempt = kind.attempt(case.first, ordinal(case.stats.nth))
    to_keys = f", to {plural(case.stats.keys, noun)}" if case.stats.keys > 1 else ""
    window = spec.window or case.context.policy.window
    return Finding(
        kind.name,
        f"{attempt} within {per} at {moment(case.first.at)}. {_often(case, to_keys)}",
        f"This relay allows {plural(spec.count, kind.counts.noun)} of one {noun} per {per} "
        f"({window} window){_answer(case)}.",
        kind.remedy(
            spec.count,
            nth=ordinal(spec.count),
            spacing=_spacing(spec),
            more=plural(_keys_needed(case, spec), noun),
        ),
    )


def _keys_needed(case: Case, spec: WindowSpec) -> int:
    """How many usernames or IPs would stay below the limit with the same requests."""
    keys = case.kind.for_each.keys(case.context.usernames, case.context.ips)
    return max(keys + 1, keys * -(-case.stats.need // spec.count))


def _failures(case: Case, spec: WindowSpec) -> Finding:
    """A limit of wrong passwords."""
    kind = case.kind
    stats = case.stats
    began = [
        row
        for row in case.context.blocks
        if row.limit == kind.name and row.from_ <= case.context.end
    ]
    start = ""
    if stats.wrong:
        wrong = plural(stats.wrong, "wrong password")
        start = f"The first of {wrong} came at {moment(stats.wrong_at)}. "
    refused = plural(stats.refusals, "login or connection", "logins or connections")
    within = "" if kind.consecutive else f" within {lasting(spec.per)}"
    ending = "."
    if began and began[-1].until > case.context.end:
        ending = f"; the last block ends at {moment(began[-1].until)}, so wait for that."
    remedy = kind.remedy(spec.count, nth=ordinal(spec.count), spacing="", more="")
    return Finding(
        kind.name,
        f"{start}{_blocked(began)}It refused {refused}, "
        f"the first at {moment(case.first.at)}.{case.cost}",
        f"This relay allows {plural(spec.count, kind.counts.noun)} of {kind.whom}{within}"
        f"{_shut_out(kind, spec)}.",
        f"{remedy}{ending}",
    )


def _shut_out(kind: Kind, spec: WindowSpec) -> str:
    if not spec.block:
        return ""
    key = f"the {kind.for_each.noun}"
    if kind.for_each is USERNAME_AND_IP:
        key = "that username at that IP"
    return (
        f", then shuts {key} out for {lasting(spec.block)}; "
        "meanwhile even the right password is refused"
    )


def _blocked(began: Sequence[BlockRow]) -> str:
    """A sentence about the first block and how many followed, or nothing without any."""
    if not began:
        return ""
    row = began[0]
    whom = " at ".join(part for part in (row.username, row.ip) if part)
    more = f", the first of {plural(len(began), 'block')}" if len(began) > 1 else ""
    return f"{whom} was shut out from {moment(row.from_)} until {moment(row.until)}{more}. "


def _lost(count: int, wrong: int) -> Finding:
    if wrong:
        logins = plural(wrong, "login")
        why = f"The sender gave them up; {logins} had the wrong password (535)."
        fix = (
            "Check the password, and put a message back into the outbox when its login or "
            "connection fails."
        )
    else:
        why = (
            "The sender did not put them back after a connection failed, or ended before the "
            "outbox was empty."
        )
        fix = (
            "Catch Refused and Disconnected, put back what was not accepted, and go on until the "
            "outbox is empty."
        )
    were = "was" if count == 1 else "were"
    return Finding(
        None,
        f"{plural(count, 'message')} {were} lost although no limit refused anything.",
        why,
        fix,
    )


def _doubtful(count: int) -> Finding:
    """Lost messages that may have been accepted after all, in a live run."""
    were = "was" if count == 1 else "were"
    return Finding(
        None,
        f"{plural(count, 'message')} that {were} refused at MAIL may have been sent again since; "
        "each counts as lost all the same.",
        "MAIL does not say which message it begins, so the relay cannot tell one that is tried "
        "again from another.",
        "Say with --messages how many there are (messages= in a test): then so many less the "
        "accepted are lost.",
    )


def _answer(case: Case) -> str:
    return "" if case.first.code is None else f" and answers the next with {case.first.code}"


def _spacing(spec: WindowSpec) -> str:
    # Rounded up to a whole millisecond: rounding down could be on the edge of the window again.
    millis = -(-Fraction(spec.per) * MARGIN // (spec.count * 1_000))
    return f"{number(millis / 1_000)} s"
