"""The diagnosis: each limit that was hit, in words a person can act on. Knows the rows and the policy, not the strategy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from ..records import BlockRow, Incident
from ..relay.policy import WindowSpec
from . import statistics as st
from .result import Finding
from .series import FAILURES, failures
from .words import lasting, moment, number, ordinal, plural, times

if TYPE_CHECKING:
    from .assemble import Facts
    from .rows import Rows

MARGIN = Fraction(101, 100)
"""Logins that are per / count apart stand exactly on the edge of a window; one hundredth more is safe under every algorithm."""


class Case(NamedTuple):
    """What a finding is made from: the refusals by one limit and everything around them. ``refused`` has at least one."""

    limit: str
    refused: list[Incident]
    rows: Rows
    blocks: Sequence[BlockRow]
    facts: Facts
    cost: str

    @property
    def first(self) -> Incident:
        """The first refusal."""
        return self.refused[0]


def diagnose(rows: Rows, blocks: Sequence[BlockRow], facts: Facts) -> list[Finding]:
    """A finding for each limit that refused something, in the order in which they were first hit; one for losses without."""
    hit = list(dict.fromkeys(row.limit for row in rows.incidents))
    lost = rows.lost
    findings = []
    for limit in hit:
        refused = [row for row in rows.incidents if row.limit == limit]
        cost = _cost(refused, lost, alone=len(hit) == 1)
        write = _gone if getattr(facts.policy, limit) is None else _WRITERS[limit]
        findings.append(write(Case(limit, refused, rows, blocks, facts, cost)))
    return findings if hit or not lost else [_lost(len(lost), rows)]


def _cost(refused: list[Incident], lost: frozenset[str], *, alone: bool) -> str:
    """A sentence on the messages lost: all of the run's; where several limits were hit, also those that this one refused."""
    if not lost:
        return ""
    if alone:
        return f" It cost {plural(len(lost), 'message')}, given up by the sender."
    own = len(lost & {row.message for row in refused if row.message})
    share = f", {own:,} of them when this limit refused their transaction" if own else ""
    return f" This and the other limits cost {plural(len(lost), 'message')}, given up by the sender{share}."


def _often(case: Case, where: str = "") -> str:
    if len(case.refused) == 1:
        return f"That was the only refusal by this limit.{case.cost}"
    last = moment(case.refused[-1].at)
    return f"It happened {times(len(case.refused))}{where}, the last at {last}.{case.cost}"


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
    over, first = ordinal(spec.count + 1), case.first
    keys = len({row.connection for row in case.refused})
    often = _often(case, f", on {plural(keys, 'connection')}")
    ending = {"close": ", then closes it", "drop": " and drops it without a word", "stay": ""}[spec.reply.then]
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
    name = case.first.username
    assert name is not None, "a login is refused under its username"
    mine = case.rows.logins_by_username[name]
    need = st.busiest(mine, spec.per)
    more = max(case.facts.usernames + 1, case.facts.usernames * -(-need // spec.count))
    nth, when = _within(mine, case.first.at, spec.per), moment(case.first.at)
    what = f"{name} asked for its {nth} login within {lasting(spec.per)} at {when}."
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
    ip, mine = case.first.ip, case.rows.opened_by_ip[case.first.ip]
    need = st.busiest(mine, spec.per)
    more = max(case.facts.ips + 1, case.facts.ips * -(-need // spec.count))
    nth, when = _within(mine, case.first.at, spec.per), moment(case.first.at)
    what = f"{ip} opened its {nth} connection within {lasting(spec.per)} at {when}."
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
    wrong = failures(case.rows, case.blocks, case.facts)
    whole = case.limit == "failed_logins_per_ip"
    whom = "an IP" if whole else "a username and IP in a row"
    began = [row for row in case.blocks if row.limit == case.limit and row.from_ <= case.facts.end]
    start = f"The first of {plural(len(wrong), 'wrong password')} came at {moment(wrong[0][0])}. " if wrong else ""
    key = "the IP" if whole else "that username at that IP"
    shut = (
        f", then shuts {key} out for {lasting(spec.block)}; meanwhile even the right password is refused" if spec.block else ""
    )
    within = f" within {lasting(spec.per)}" if whole else ""
    return Finding(
        case.limit,
        f"{start}{_blocked(began)}It refused {plural(len(case.refused), 'login or connection', 'logins or connections')}, "
        f"the first at {moment(case.first.at)}.{case.cost}",
        f"This relay allows {plural(spec.count, 'wrong password')} of {whom}{within}{shut}.",
        "Check the password, and stop logging in after a 535 until somebody has corrected it"
        + (f"; the last block ends at {moment(began[-1].until)}, so wait for that." if _left(case, began) else "."),
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


def _lost(count: int, rows: Rows) -> Finding:
    wrong = rows.outcomes["failed"]
    if wrong:
        why = f"The sender gave them up; {plural(wrong, 'login')} had the wrong password (535)."
        fix = "Check the password, and put a message back into the outbox when its login or connection fails."
    else:
        why = "The sender did not put them back after a connection failed, or ended before the outbox was empty."
        fix = "Catch Refused and Disconnected, put back what was not accepted, and go on until the outbox is empty."
    were = "was" if count == 1 else "were"
    return Finding(None, f"{plural(count, 'message')} {were} lost although no limit refused anything.", why, fix)


def _within(moments: st.Times, at: int, per: int) -> str:
    """The ordinal of the request at ``at`` among those of the last ``per``."""
    return ordinal(int(((moments > at - per) & (moments <= at)).sum()))


def _for_keys(case: Case, kind: str) -> str:
    keys = {row.username if kind == "username" else row.ip for row in case.refused}
    return f", to {plural(len(keys), kind)}" if len(keys) > 1 else ""


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
