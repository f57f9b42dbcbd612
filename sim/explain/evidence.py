"""Explains why a limit refused a request: which earlier requests had filled its window, and when
the request would have passed. ``evidence`` is the entry point.

It replays the key's requests through the policy's own limit, up to the refused one, so the
explanation matches the relay's state at that moment. Times are integer microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..limits import Key, Limit
from ..measure.formatting import lasting, moment, ordinal, plural
from ..measure.story import Story
from ..records import BlockRow, Incident
from ..relay.kinds import KINDS, Kind, LimitSpec, LoginsSpec, WindowSpec
from ..relay.policy import Policy


class Earlier(NamedTuple):
    """An earlier request that counted. ``what`` describes it."""

    at: int
    connection: int
    what: str


class Request(NamedTuple):
    """A request of the refused key. One without ``counts`` was checked and not counted; a ``reset``
    sets the count to 0.
    """

    at: int
    connection: int
    what: str
    counts: bool = True
    reset: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why ``incident`` happened. ``filled`` are the requests that its window still counted, the
    oldest first.

    ``passes_at`` is the earliest time at which the same request would have passed if no other had
    come in between, and None if it would never pass on this connection. ``block`` is the block
    that was active, if any.
    """

    incident: Incident
    key: str
    allowed: str
    filled: tuple[Earlier, ...]
    passes_at: int | None
    block: BlockRow | None

    @property
    def sentences(self) -> tuple[str, str]:
        """What happened, and when the request would have passed."""
        return _happened(self), _passes(self)


def evidence(story: Story, policy: Policy, incident: Incident) -> Evidence:
    """The evidence for one of the story's incidents."""
    kind = KINDS[incident.limit]
    spec = policy.spec(incident.limit)
    assert spec is not None, "the incident comes from this limit"
    allowed = _allowed(kind, spec, policy)
    if not isinstance(spec, WindowSpec):
        filled = _on_connection(story, kind, incident)[-spec.count :]
        return Evidence(incident, kind.named(incident), allowed, filled, None, None)
    limit = spec.limit(incident.limit, policy.window)
    key = kind.key(incident)
    block = _active_block(story, incident)
    at = incident.at
    replay = _Replay(limit, spec, spec.window or policy.window, key)
    earlier = replay.run(_requests(story, spec, incident), min(at, block.from_) if block else at)
    passes = block.until if block else limit.blocked(key, at) or limit.limiter.next_pass(key, at)
    return Evidence(incident, kind.named(incident), allowed, tuple(earlier), passes, block)


def _on_connection(story: Story, kind: Kind, incident: Incident) -> tuple[Earlier, ...]:
    """The messages that were accepted earlier on the connection of ``incident``."""
    number = incident.connection
    accepted = zip(story.accepted_on(number), story.messages_on(number), strict=True)
    return tuple(
        Earlier(
            at,
            number,
            f"{ordinal(place)} {kind.counts.noun}" + (f", message {message}" if message else ""),
        )
        for place, (at, message) in enumerate(accepted, 1)
        if at <= incident.at
    )


def _allowed(kind: Kind, spec: LimitSpec, policy: Policy) -> str:
    """``120 logins in 60 s (fixed window)``."""
    count = plural(spec.count, kind.counts.noun)
    if not isinstance(spec, WindowSpec):
        return f"{count} {kind.for_each.one}"
    if kind.consecutive:
        return f"{count} in a row"
    return f"{count} in {lasting(spec.per)} ({spec.window or policy.window} window)"


def _active_block(story: Story, incident: Incident) -> BlockRow | None:
    """The block that refused the request: one already active, or one that this request started."""
    for row in story.blocks:
        mine = row.ip in (None, incident.ip) and row.username in (None, incident.username)
        if row.limit == incident.limit and mine and row.from_ <= incident.at < row.until:
            return row
    return None


class _Replay(NamedTuple):
    """One key's requests, put through an empty ``limit`` with the window algorithm ``window``."""

    limit: Limit
    spec: WindowSpec
    window: str
    key: Key

    def run(self, requests: Iterator[Request], at: int) -> list[Earlier]:
        """The requests that the limit still counts at ``at``."""
        filled = list[Earlier]()
        for one in requests:
            filled = self._still(filled, one.at)
            if one.reset:
                self.limit.reset(self.key)
                filled = []
            elif one.counts and self.limit.request(self.key, one.at):
                filled.append(Earlier(one.at, one.connection, one.what))
        return self._still(filled, at)

    def _still(self, filled: list[Earlier], at: int) -> list[Earlier]:
        """Those of ``filled`` that count at ``at``. Under every algorithm, a count of 0 means that
        the window has ended.
        """
        per = self.spec.per
        if self.window == "sliding":
            return [one for one in filled if at - one.at < per]
        if self.window == "sliding-counter":
            return [one for one in filled if one.at // per >= at // per - 1]
        return filled if self.limit.limiter.used(self.key, at) else []


def _requests(story: Story, spec: WindowSpec, incident: Incident) -> Iterator[Request]:
    """The earlier requests of the incident's key, in the order in which the relay judged them."""
    match KINDS[incident.limit].counts.at:
        case "connect":
            return _connections(story, incident)
        case "login":
            return _logins(story, spec, incident)
        case "wrong-password":
            return _failures(story, incident)
    return _accepted(story, incident)


def _connections(story: Story, incident: Incident) -> Iterator[Request]:
    kind = KINDS[incident.limit]
    for row in story.opened:
        if row.connection == incident.connection or row.at > incident.at:
            return
        if kind.for_each.key(row.connection, row.ip, None) == kind.key(incident):
            yield Request(row.at, row.connection, f"connection {row.connection}")


def _logins(story: Story, spec: WindowSpec, incident: Incident) -> Iterator[Request]:
    kind = KINDS[incident.limit]
    counts_failed = not isinstance(spec, LoginsSpec) or spec.counts_failed
    resets = isinstance(spec, LoginsSpec) and spec.consecutive == "without-success"
    for row in story.logins:
        if row.at > incident.at or (
            row.connection == incident.connection and row.at == incident.at
        ):
            return
        if kind.for_each.key(row.connection, row.ip, row.username) != kind.key(incident):
            continue
        right = row.outcome == "accepted"
        yield Request(row.at, row.connection, f"login, {row.outcome}", counts_failed or right)
        if right and resets:
            yield Request(row.at, row.connection, "a success empties the count", reset=True)


def _failures(story: Story, incident: Incident) -> Iterator[Request]:
    """The counted wrong passwords and, for a consecutive limit, the successful logins between
    them.
    """
    kind = KINDS[incident.limit]
    block = _active_block(story, incident)
    until = min(incident.at, block.from_) if block else incident.at
    over = {(row.at, row.connection) for row in story.incidents if KINDS[row.limit].failures}
    began = {
        row.from_ for row in story.blocks if KINDS[row.limit].failures and row.ip == incident.ip
    }
    for row in story.logins:
        if row.at >= until:
            return
        if kind.for_each.key(row.connection, row.ip, row.username) != kind.key(incident):
            continue
        if row.outcome == "accepted" and kind.consecutive:
            yield Request(row.at, row.connection, "a success empties the count", reset=True)
        elif row.outcome == "failed" or ((row.at, row.connection) in over and row.at in began):
            yield Request(row.at, row.connection, f"wrong password of {row.username}")


def _accepted(story: Story, incident: Incident) -> Iterator[Request]:
    """The accepted messages of the incident's key."""
    kind = KINDS[incident.limit]
    usernames = {row.connection: row.username for row in story.logins if row.outcome == "accepted"}
    on = [
        row.connection
        for row in story.opened
        if kind.for_each.key(row.connection, row.ip, usernames.get(row.connection))
        == kind.key(incident)
    ]
    moments = sorted((at, number) for number in on for at in story.accepted_on(number))
    for at, number in moments:
        if at < incident.at:
            yield Request(at, number, f"{kind.counts.noun} on connection {number}")


def _happened(found: Evidence) -> str:
    incident = found.incident
    when = moment(found.incident.at)
    answer = (
        "was dropped without a word" if incident.code is None else f"was answered {incident.code}"
    )
    asked = KINDS[incident.limit].request(incident)
    if found.block and found.block.from_ < incident.at:
        began = moment(found.block.from_)
        return (
            f"{asked} {answer} at {when}: a block was running, which began at {began} after "
            f"{found.allowed}."
        )
    return f"{asked} {answer} at {when}: {found.allowed} are allowed, and {_used(found)}."


def _used(found: Evidence) -> str:
    count = len(found.filled)
    if not count:
        return "they were used up"
    span = f"{moment(found.filled[0].at)} and {moment(found.filled[-1].at)}"
    return (
        f"{plural(count, 'request')} between {span} had used them up"
        if count > 1
        else f"one at {moment(found.filled[0].at)} had used it up"
    )


def _passes(found: Evidence) -> str:
    if found.passes_at is None:
        return (
            "It would never have passed on this connection; on a new one it would have passed at "
            "once."
        )
    wait = found.passes_at - found.incident.at
    until = "when the block ends" if found.block else "when its window has room again"
    return (
        f"The earliest time at which it would have passed is {moment(found.passes_at)}, "
        f"{lasting_wait(wait)} later, {until}."
    )


def lasting_wait(micros: int) -> str:
    """A wait in words, to the hundredth of a millisecond if it is short."""
    return moment(micros) if micros >= 10_000 else f"{micros / 1000:.3g} ms"
