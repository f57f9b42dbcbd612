"""Why a limit refused one request: which earlier requests had filled its window, and when it would
have passed.

The requests of the key are put through the policy's own limit once more, up to the one that was
refused, so that what is said here is what the relay knew. Times are integer microseconds. Knows the
story of a run and its policy, not the sender.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..limits import Key, Limit
from ..measure.story import Story
from ..measure.words import lasting, moment, ordinal, plural
from ..records import BlockRow, Incident
from ..relay.policy import LoginsSpec, Policy, WindowSpec

FAILURES = ("failed_logins_per_ip", "failed_logins_per_username_ip")


class Earlier(NamedTuple):
    """A request that counted: when, on which connection, and what it was."""

    at: int
    connection: int
    what: str


class Request(NamedTuple):
    """What a key asked. A ``reset`` is no request: it empties the count. ``counts`` tells a look
    from a request that is counted.
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

    ``passes_at`` is the earliest time from the refusal on at which the same request would have
    passed had none come in between, None where it never would: on this connection, for the limit of
    transactions. ``block`` is the one that was running, if any.
    """

    incident: Incident
    key: str
    allowed: str
    filled: tuple[Earlier, ...]
    passes_at: int | None
    block: BlockRow | None

    @property
    def sentences(self) -> tuple[str, str]:
        """What happened, and when it would have passed."""
        return _happened(self), _passes(self)


def evidence(story: Story, policy: Policy, incident: Incident) -> Evidence:
    """The evidence for one of the story's incidents."""
    if incident.limit == "transactions_per_connection":
        return _transactions(story, policy, incident)
    spec = getattr(policy, incident.limit)
    assert isinstance(spec, WindowSpec), "every other limit has a window"
    limit = spec.limit(incident.limit, policy.window)
    who = _key_of(incident)
    block = _running(story, incident)
    at = incident.at
    filled = _replayed(
        limit,
        spec,
        policy,
        _requests(story, policy, incident),
        who,
        min(at, block.from_) if block else at,
    )
    passes = block.until if block else limit.blocked(who, at) or limit.limiter.next_pass(who, at)
    return Evidence(
        incident, _named(incident), _allowed(spec, policy, incident), tuple(filled), passes, block
    )


def _transactions(story: Story, policy: Policy, incident: Incident) -> Evidence:
    spec = policy.transactions_per_connection
    assert spec, "its incidents come from this limit"
    accepted = zip(
        story.accepted_on(incident.connection), story.messages_on(incident.connection), strict=True
    )
    filled = tuple(
        Earlier(
            at,
            incident.connection,
            f"{ordinal(place)} transaction" + (f", message {message}" if message else ""),
        )
        for place, (at, message) in enumerate(accepted, 1)
        if at <= incident.at
    )
    key = f"connection {incident.connection}"
    return Evidence(
        incident,
        key,
        f"{plural(spec.count, 'transaction')} a connection",
        filled[-spec.count :],
        None,
        None,
    )


def _key_of(incident: Incident) -> str | tuple[str, str]:
    """The key as the limit knows it."""
    name = incident.username or ""
    keys: dict[str, str | tuple[str, str]] = {
        "logins_per_username": name,
        "failed_logins_per_username_ip": (name, incident.ip),
    }
    return keys.get(incident.limit, incident.ip)


def _named(incident: Incident) -> str:
    key = _key_of(incident)
    return key if isinstance(key, str) else f"{key[0]} at {key[1]}"


def _allowed(spec: WindowSpec, policy: Policy, incident: Incident) -> str:
    nouns = {"connections_per_ip": "connection", "logins_per_username": "login"}
    noun = nouns.get(incident.limit, "wrong password")
    if incident.limit == "failed_logins_per_username_ip":
        return f"{plural(spec.count, noun)} in a row"
    return (
        f"{plural(spec.count, noun)} in {lasting(spec.per)} ({spec.window or policy.window} window)"
    )


def _running(story: Story, incident: Incident) -> BlockRow | None:
    """The block that answered: one that was running, or that this request itself began."""
    for row in story.blocks:
        mine = row.ip in (None, incident.ip) and row.username in (None, incident.username)
        if row.limit == incident.limit and mine and row.from_ <= incident.at < row.until:
            return row
    return None


def _replayed(
    limit: Limit, spec: WindowSpec, policy: Policy, asked: Iterator[Request], who: Key, at: int
) -> list[Earlier]:
    """Puts the requests before the refused one through ``limit``; returns those that it still
    counts at ``at``.
    """
    filled = list[Earlier]()
    window = spec.window or policy.window
    for one in asked:
        filled = _still(filled, limit, spec, window, one.at, who)
        if one.reset:
            limit.reset(who)
            filled = []
        elif one.counts and limit.request(who, one.at):
            filled.append(Earlier(one.at, one.connection, one.what))
    return _still(filled, limit, spec, window, at, who)


def _still(
    filled: list[Earlier], limit: Limit, spec: WindowSpec, window: str, at: int, who: Key
) -> list[Earlier]:
    """Those of ``filled`` that count at ``at``. A count of none means that a window has ended,
    whatever the algorithm.
    """
    if window == "sliding":
        return [one for one in filled if at - one.at < spec.per]
    if window == "sliding-counter":
        return [one for one in filled if one.at // spec.per >= at // spec.per - 1]
    return filled if limit.limiter.used(who, at) else []


def _requests(story: Story, policy: Policy, incident: Incident) -> Iterator[Request]:
    """Everything that the incident's key asked before it, in the order in which the relay judged
    it.
    """
    if incident.limit == "connections_per_ip":
        for row in story.opened:
            if row.connection == incident.connection or row.at > incident.at:
                return
            if row.ip == incident.ip:
                yield Request(row.at, row.connection, f"connection {row.connection}")
    elif incident.limit == "logins_per_username":
        yield from _logins(story, policy, incident)
    else:
        yield from _failures(story, policy, incident)


def _logins(story: Story, policy: Policy, incident: Incident) -> Iterator[Request]:
    spec = policy.logins_per_username
    assert isinstance(spec, LoginsSpec), "its incidents come from this limit"
    for row in story.logins:
        if row.at > incident.at or (
            row.connection == incident.connection and row.at == incident.at
        ):
            return
        if row.username != incident.username:
            continue
        right = row.outcome == "accepted"
        yield Request(
            row.at, row.connection, f"login, {row.outcome}", counts=spec.counts_failed or right
        )
        if right and spec.consecutive == "without-success":
            yield Request(row.at, row.connection, "a success empties the count", reset=True)


def _failures(story: Story, policy: Policy, incident: Incident) -> Iterator[Request]:
    """Wrong passwords that were counted, and for the limit in a row the successes between them."""
    pair = incident.limit == "failed_logins_per_username_ip"
    block = _running(story, incident)
    until = min(incident.at, block.from_) if block else incident.at
    over = {(row.at, row.connection) for row in story.incidents if row.limit in FAILURES}
    began = {row.from_ for row in story.blocks if row.limit in FAILURES and row.ip == incident.ip}
    for row in story.logins:
        if row.at >= until:
            return
        if row.ip != incident.ip or (pair and row.username != incident.username):
            continue
        if row.outcome == "accepted" and pair:
            yield Request(row.at, row.connection, "a success empties the count", reset=True)
        elif row.outcome == "failed" or ((row.at, row.connection) in over and row.at in began):
            yield Request(row.at, row.connection, f"wrong password of {row.username}")


def _happened(found: Evidence) -> str:
    incident = found.incident
    when = moment(found.incident.at)
    answer = (
        "was dropped without a word" if incident.code is None else f"was answered {incident.code}"
    )
    asked = {
        "transactions_per_connection": f"Message {incident.message} on {found.key}"
        if incident.message
        else f"A MAIL on {found.key}",
        "connections_per_ip": f"Connection {incident.connection} of {found.key}",
    }.get(incident.limit, f"The login of {incident.username} on connection {incident.connection}")
    if found.block and found.block.from_ < incident.at:
        began = moment(found.block.from_)
        return f"{asked} {answer} at {when}: a block was running, which began at {began} after {found.allowed}."
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
        return "It would never have passed on this connection; on a new one it would have passed at once."
    wait = found.passes_at - found.incident.at
    until = "when the block ends" if found.block else "when its window has room again"
    return f"The earliest time at which it would have passed is {moment(found.passes_at)}, {lasting_wait(wait)} later, {until}."


def lasting_wait(micros: int) -> str:
    """A wait as a person says it, to the hundredth of a second where it is short."""
    return moment(micros) if micros >= 10_000 else f"{micros / 1000:.3g} ms"
