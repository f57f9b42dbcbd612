"""The series of a result: what was accepted, refused, open and used up, in bins of one width. Knows
rows, not figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..records import BlockRow, Incident
from ..relay.kinds import KINDS
from ..units import seconds
from . import statistics as st
from .facts import Facts
from .result import Series
from .rows import Rows

Levels = tuple[st.Times, NDArray[Any]]
"""A step function: the level from each time on, 0 before."""
FAILURES = ("failed_logins_per_ip", "failed_logins_per_username_ip")


def series(rows: Rows, blocks: Sequence[BlockRow], open_steps: Levels, facts: Facts) -> Series:
    """Everything that a figure needs over time. ``blocks`` are the recorder's."""
    width = st.bin_width(max(facts.end, 1))
    bins = max(1, -(-facts.end // width))
    by_limit: dict[str, list[int]] = {name: [] for name in limits_of(rows.incidents, facts)}
    for row in rows.incidents:
        by_limit[row.limit].append(row.at)
    in_window = {
        name: highest(USES[name](rows, blocks, facts), width, bins)
        if name in USES
        else most_transactions(rows, facts, width, bins)
        for name in facts.policy.limits
    }
    logins = in_window.get("logins_per_username") or highest(
        logins_of_usernames(rows, blocks, facts), width, bins
    )
    return Series(
        t_s=[seconds(index * width) for index in range(bins)],
        accepted=st.per_bin(rows.first_at, width, bins),
        incidents={
            name: st.per_bin(st.times(moments), width, bins) for name, moments in by_limit.items()
        },
        open_connections=st.most_per_bin(*open_steps, width, bins),
        logins_in_window=list(logins),
        in_window=in_window,
    )


def limits_of(incidents: Sequence[Incident], facts: Facts) -> list[str]:
    """The limits of the policy, and those that it had when they refused something."""
    hit = {row.limit for row in incidents}
    return [name for name in KINDS if name in facts.policy.limits or name in hit]


def highest(levels: Iterable[Levels], width: int, bins: int) -> list[int]:
    """The highest level that any of the step functions has in each bin."""
    most = np.zeros(bins, dtype=np.int64)
    for at, level in levels:
        inside = at < bins * width
        inside |= at == bins * width if _ends_up(at, level, bins * width) else inside
        most = np.maximum(most, st.most_per_bin(at[inside], level[inside], width, bins))
    counted: list[int] = most.tolist()
    return counted


def _ends_up(at: st.Times, level: NDArray[Any], end: int) -> bool:
    """Whether something happens at the very end of the last bin, which belongs to the run and so to
    that bin.
    """
    return bool((at == end).any() and level[at == end].max() > 0)


def most_transactions(rows: Rows, facts: Facts, width: int, bins: int) -> list[int]:
    """The transactions that the busiest connection has used, at each moment at which one uses
    another; the refused one included.

    The rows tell acceptances and refusals; a MAIL that came to nothing else left no row and is seen
    only in a refusal. Each moment is a step of its own, a microsecond long, so no steps are needed:
    only the bins that it touches.
    """
    spec = facts.policy.transactions_per_connection
    at, connections = rows.acceptances
    most = _most(at, _running_counts(connections), width, bins)
    over = [row.at for row in rows.incidents if spec and row.limit == "transactions_per_connection"]
    if spec and over:
        most = np.maximum(
            most,
            _most(st.times(over), np.full(len(over), spec.count + 1, dtype=np.int64), width, bins),
        )
    counted: list[int] = most.tolist()
    return counted


def _most(at: st.Times, level: NDArray[np.int64], width: int, bins: int) -> NDArray[np.int64]:
    """The highest level of the moments in each bin, each of which lasts a microsecond."""
    edges = np.arange(bins + 1) * width
    edges[-1] = st.NEVER  # what happens at the very end belongs to the last bin
    most = _highest(level, np.searchsorted(at, edges))
    late = _highest(level, np.searchsorted(at, np.stack([edges[1:-1] - 1, edges[1:-1]]).T.ravel()))[
        ::2
    ]
    most[1:] = np.maximum(most[1:], late)  # the last microsecond of a bin ends in the next one
    return most


def _highest(level: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The highest level between each two of the ascending places ``starts``, 0 where there is none."""
    if len(starts) < 2:
        return np.zeros(0, dtype=np.int64)
    found: NDArray[np.int64] = np.maximum.reduceat(np.append(level, 0), starts[:-1])
    # The last stretch of reduceat runs to the end, and an empty one gives what stands behind it.
    found[-1] = level[starts[-2] : starts[-1]].max(initial=0)
    found[starts[:-1] == starts[1:]] = 0
    return found


def _running_counts(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each element, how many equal ones stand at or before it."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1)) if len(keys) else order
    runs = np.diff(np.append(starts, len(keys)))
    counts = np.empty(len(keys), dtype=np.int64)
    counts[order] = np.arange(1, len(keys) + 1) - np.repeat(starts, runs)
    return counts


def connections_of_ips(rows: Rows, blocks: Sequence[BlockRow], facts: Facts) -> list[Levels]:
    """Connections of each IP in its last ``per``, refused ones included."""
    spec = facts.policy.connections_per_ip
    return [
        st.in_window(times, spec.per if spec else st.MINUTE) for times in rows.opened_by_ip.values()
    ]


def logins_of_usernames(rows: Rows, blocks: Sequence[BlockRow], facts: Facts) -> list[Levels]:
    """Logins of each username in its last ``per`` (60 s without such a limit), refused ones
    included.
    """
    spec = facts.policy.logins_per_username
    return [
        st.in_window(times, spec.per if spec else st.MINUTE)
        for times in rows.logins_by_username.values()
    ]


def failures(rows: Rows, blocks: Sequence[BlockRow], facts: Facts) -> list[tuple[int, str, str]]:
    """Every wrong password that was counted: time, IP and username, in order of time.

    Those are the 535s and the failures that went over a limit: refusals that began a block, or any
    by a limit without.
    """
    began = {(row.from_, row.ip) for row in blocks if row.limit in FAILURES}
    over = [
        row for row in rows.incidents if row.limit in FAILURES and _was_counted(row, began, facts)
    ]
    counted = [(row.at, row.ip, row.username or "") for row in over]
    if not rows.outcomes["failed"]:
        return sorted(counted)
    return sorted(
        counted + [(row.at, row.ip, row.username) for row in rows.logins if row.outcome == "failed"]
    )


def _was_counted(row: Incident, began: set[tuple[int, str | None]], facts: Facts) -> bool:
    spec = getattr(facts.policy, row.limit)
    return (spec is not None and spec.block is None) or (row.at, row.ip) in began


def failures_of_ips(rows: Rows, blocks: Sequence[BlockRow], facts: Facts) -> list[Levels]:
    """Wrong passwords of each IP in its last ``per``."""
    spec = facts.policy.failed_logins_per_ip
    return _by_key(
        ((ip, at) for at, ip, _ in failures(rows, blocks, facts)), spec.per if spec else st.MINUTE
    )


def failures_of_pairs(rows: Rows, blocks: Sequence[BlockRow], facts: Facts) -> list[Levels]:
    """Consecutive wrong passwords of each username and IP in the last ``per``; a success or a
    block's end empties the count.
    """
    spec = facts.policy.failed_logins_per_username_ip
    if spec is None:
        return []
    wrong: dict[tuple[str, str], list[int]] = {}
    for at, ip, username in failures(rows, blocks, facts):
        wrong.setdefault((ip, username), []).append(at)
    resets: dict[tuple[str | None, str | None], list[int]] = {}
    for row in rows.logins if wrong else ():
        if row.outcome == "accepted" and (row.ip, row.username) in wrong:
            resets.setdefault((row.ip, row.username), []).append(row.at)
    for block in blocks:
        if block.limit == "failed_logins_per_username_ip":
            resets.setdefault((block.ip, block.username), []).append(block.until)
    return [
        part
        for key, moments in wrong.items()
        for part in _between(moments, sorted(resets.get(key, [])), spec.per)
    ]


def _between(moments: list[int], resets: list[int], per: int) -> list[Levels]:
    """The counts of the stretches that the resets cut ``moments`` into; each is 0 from its reset
    on.
    """
    ordered = st.times(moments)
    places = np.searchsorted(st.times(resets), ordered, side="left")
    return [
        _cut(st.in_window(ordered[places == place], per), resets, int(place))
        for place in np.unique(places)
    ]


def _cut(levels: Levels, resets: list[int], place: int) -> Levels:
    at, level = levels
    if place == len(resets):
        return levels
    inside = at < resets[place]
    return np.append(at[inside], resets[place]), np.append(level[inside], 0)


def _by_key(events: Iterable[tuple[str, int]], per: int) -> list[Levels]:
    moments: dict[str, list[int]] = {}
    for key, at in events:
        moments.setdefault(key, []).append(at)
    return [st.in_window(st.times(times), per) for times in moments.values()]


USES: dict[str, Callable[[Rows, Sequence[BlockRow], Facts], list[Levels]]] = {
    "connections_per_ip": connections_of_ips,
    "logins_per_username": logins_of_usernames,
    "failed_logins_per_ip": failures_of_ips,
    "failed_logins_per_username_ip": failures_of_pairs,
}
"""How the use of each limit that has a window is read from the rows: a step function for each key.
"""
