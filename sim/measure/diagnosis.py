"""The diagnosis: each limit that was hit, in words a person can act on. Knows the policy and what
was hit, not the strategy.

What was hit comes as a :class:`Hit` for each limit: from the rows of a run (``hits``), or from a
recorder that keeps none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

from ..records import BlockRow, Incident
from ..relay.kinds import WindowSpec
from .facts import Facts
from .result import Finding
from .series import FAILURES
from .words import lasting, moment, number, ordinal, plural, times

MARGIN = Fraction(101, 100)
"""Logins that are per / count apart stand exactly on the edge of a window; one hundredth more is
safe under every algorithm.
"""


class Hit(NamedTuple):
    """What one limit refused. ``keys`` counts the connections, usernames or IPs; ``own_lost`` the
    lost messages that it refused.

    ``nth`` is which of its key's requests in the last ``per`` the first refused one was, ``need``
    the most that its key made in any ``per``. ``wrong`` passwords were counted, the first at
    ``wrong_at``.
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


class Case(NamedTuple):
    """What a finding is made from: a hit and everything around it."""

    hit: Hit
    blocks: Sequence[BlockRow]
    facts: Facts
    cost: str

    @property
    def limit(self) -> str:
        """The policy's key."""
        return self.hit.first.limit

    @property
    def first(self) -> Incident:
        """The first refusal."""
        return self.hit.first


def diagnose(
    hits: Sequence[Hit], blocks: Sequence[BlockRow], facts: Facts, *, lost: int, wrong: int
) -> list[Finding]:
    """A finding for each hit, in their order; one for ``lost`` messages without any. ``wrong``
    counts the 535s.
    """
    findings = []
    for hit in hits:
        limit = hit.first.limit
        cost = _cost(hit, lost, alone=len(hits) == 1)
        write = _gone if getattr(facts.policy, limit) is None else _WRITERS[limit]
        findings.append(write(Case(hit, blocks, facts, cost)))
    return findings if hits or not lost else [_lost(lost, wrong)]


def _cost(hit: Hit, lost: int, *, alone: bool) -> str:
    """A sentence on the messages lost: all of the run's; where several limits were hit, also those
    that this one refused.
    """
    if not lost:
        return ""
    if alone:
        return f" It cost {plural(lost, 'message')}, given up by the sender."
    share = (
        f", {hit.own_lost:,} of them when this limit refused their transaction"
        if hit.own_lost
        else ""
    )
    return (
        f" This and the other limits cost {plural(lost, 'message')}, given up by the sender{share}."
    )


def _often(case: Case, where: str = "") -> str:
    if case.hit.refusals == 1:
        return f"That was the only refusal by this limit.{case.cost}"
    return f"It happened {times(case.hit.refusals)}{where}, the last at {moment(case.hit.last_at)}.{case.cost}"


def _gone(case: Case) -> Finding:
    """A limit that was taken out of the policy while the relay ran."""
    return Finding(
        case.limit,
        f"It refused something for the first time at {moment(case.first.at)}. {_often(case)}",
        "The policy had this limit then, and has it no more.",
        "Look at what happened before the policy was changed.",
    )


def _transactions(case: Case) -> Finding:
    spec = case.facts.policy.transactions_per_connection
    assert spec, "its incidents come from this limit"
    over = ordinal(spec.count + 1)
    first = case.first
    often = _often(case, f", on {plural(case.hit.keys, 'connection')}")
    ending = {"close": ", then closes it", "drop": " and drops it without a word", "stay": ""}[
        spec.reply.then
    ]
    return Finding(
        case.limit,
        f"Connection {first.connection} tried a {over} transaction at {moment(first.at)}. {often}",
        f"This relay allows {plural(spec.count, 'transaction')} a connection{_answer(case)}{ending}.",
        "Open a new connection for every message."
        if spec.count == 1
        else f"Reconnect after every {ordinal(spec.count)} message, before the relay ends the connection.",
    )


def _answer(case: Case) -> str:
    return "" if case.first.code is None else f" and answers the next with {case.first.code}"


def _logins(case: Case) -> Finding:
    spec = case.facts.policy.logins_per_username
    assert spec, "its incidents come from this limit"
    more = max(case.facts.usernames + 1, case.facts.usernames * -(-case.hit.need // spec.count))
    nth = ordinal(case.hit.nth)
    when = moment(case.first.at)
    what = f"{case.first.username} asked for its {nth} login within {lasting(spec.per)} at {when}."
    return Finding(
        case.limit,
        f"{what} {_often(case, _for_keys(case, 'username'))}",
        f"This relay allows {plural(spec.count, 'login')} of one username per {lasting(spec.per)} "
        f"({_window(case, spec)} window){_answer(case)}.",
        f"Space logins of a username at least {_spacing(spec)} apart over all workers, send more messages on each login, "
        f"or use {plural(more, 'username')}.",
    )


def _connections(case: Case) -> Finding:
    spec = case.facts.policy.connections_per_ip
    assert spec, "its incidents come from this limit"
    more = max(case.facts.ips + 1, case.facts.ips * -(-case.hit.need // spec.count))
    nth = ordinal(case.hit.nth)
    when = moment(case.first.at)
    what = f"{case.first.ip} opened its {nth} connection within {lasting(spec.per)} at {when}."
    return Finding(
        case.limit,
        f"{what} {_often(case, _for_keys(case, 'IP'))}",
        f"This relay allows {plural(spec.count, 'connection')} of one IP per {lasting(spec.per)} "
        f"({_window(case, spec)} window){_answer(case)}.",
        f"Open connections of an IP at least {_spacing(spec)} apart over all workers and usernames, send more messages "
        f"on each, or use {plural(more, 'IP')}.",
    )


def _failed(case: Case) -> Finding:
    spec = getattr(case.facts.policy, case.limit)
    whole = case.limit == "failed_logins_per_ip"
    whom = "an IP" if whole else "a username and IP in a row"
    began = [row for row in case.blocks if row.limit == case.limit and row.from_ <= case.facts.end]
    wrong = case.hit.wrong
    since = moment(case.hit.wrong_at)
    start = f"The first of {plural(wrong, 'wrong password')} came at {since}. " if wrong else ""
    key = "the IP" if whole else "that username at that IP"
    shut = (
        f", then shuts {key} out for {lasting(spec.block)}; meanwhile even the right password is refused"
        if spec.block
        else ""
    )
    within = f" within {lasting(spec.per)}" if whole else ""
    return Finding(
        case.limit,
        f"{start}{_blocked(began)}It refused {plural(case.hit.refusals, 'login or connection', 'logins or connections')}, "
        f"the first at {moment(case.first.at)}.{case.cost}",
        f"This relay allows {plural(spec.count, 'wrong password')} of {whom}{within}{shut}.",
        "Check the password, and stop logging in after a 535 until somebody has corrected it"
        + (
            f"; the last block ends at {moment(began[-1].until)}, so wait for that."
            if _left(case, began)
            else "."
        ),
    )


def _left(case: Case, began: list[BlockRow]) -> bool:
    """Whether a block was still running when the run ended."""
    return bool(began) and began[-1].until > case.facts.end


def _blocked(began: list[BlockRow]) -> str:
    """Whom the first block shut out, and how many followed."""
    if not began:
        return ""
    row = began[0]
    whom = " at ".join(part for part in (row.username, row.ip) if part)
    more = f", the first of {plural(len(began), 'block')}" if len(began) > 1 else ""
    return f"{whom} was shut out from {moment(row.from_)} until {moment(row.until)}{more}. "


def _lost(count: int, wrong: int) -> Finding:
    if wrong:
        why = f"The sender gave them up; {plural(wrong, 'login')} had the wrong password (535)."
        fix = "Check the password, and put a message back into the outbox when its login or connection fails."
    else:
        why = "The sender did not put them back after a connection failed, or ended before the outbox was empty."
        fix = "Catch Refused and Disconnected, put back what was not accepted, and go on until the outbox is empty."
    were = "was" if count == 1 else "were"
    return Finding(
        None,
        f"{plural(count, 'message')} {were} lost although no limit refused anything.",
        why,
        fix,
    )


def _for_keys(case: Case, kind: str) -> str:
    return f", to {plural(case.hit.keys, kind)}" if case.hit.keys > 1 else ""


def _window(case: Case, spec: WindowSpec) -> str:
    return spec.window or case.facts.policy.window


def _spacing(spec: WindowSpec) -> str:
    # Rounded up to a whole millisecond, for rounding down could land on the edge again.
    return f"{number(-(-Fraction(spec.per) * MARGIN // (spec.count * 1_000)) / 1_000)} s"


_WRITERS: dict[str, Callable[[Case], Finding]] = {
    "transactions_per_connection": _transactions,
    "connections_per_ip": _connections,
    "logins_per_username": _logins,
    **dict.fromkeys(FAILURES, _failed),
}
