"""What each limit refused, from the rows of a run, for the diagnosis. Knows rows, no words."""

from __future__ import annotations

from collections.abc import Sequence

from ..records import BlockRow, Incident
from . import statistics as st
from .diagnosis import Hit
from .facts import Facts
from .rows import Rows
from .series import FAILURES, failures


def hits(rows: Rows, blocks: Sequence[BlockRow], facts: Facts) -> list[Hit]:
    """One for each limit that refused something, in the order in which they were first hit."""
    refused: dict[str, list[Incident]] = {}
    for row in rows.incidents:
        refused.setdefault(row.limit, []).append(row)
    return [_hit(limit, those, rows, blocks, facts) for limit, those in refused.items()]


def _hit(
    limit: str, refused: list[Incident], rows: Rows, blocks: Sequence[BlockRow], facts: Facts
) -> Hit:
    first = refused[0]
    own = len(rows.lost & {row.message for row in refused if row.message})
    hit = Hit(first, len(refused), refused[-1].at, own_lost=own)
    if limit == "transactions_per_connection":
        return hit._replace(keys=len({row.connection for row in refused}))
    if limit in FAILURES:
        wrong = failures(rows, blocks, facts)
        return hit._replace(wrong=len(wrong), wrong_at=wrong[0][0] if wrong else 0)
    spec = getattr(facts.policy, limit)
    if spec is None:  # it was taken out of the policy meanwhile
        return hit
    per = spec.per
    if limit == "logins_per_username":
        assert first.username is not None, "a login is refused under its username"
        return _windowed(
            hit,
            rows.logins_by_username[first.username],
            len({row.username for row in refused}),
            per,
        )
    return _windowed(hit, rows.opened_by_ip[first.ip], len({row.ip for row in refused}), per)


def _windowed(hit: Hit, mine: st.Times, keys: int, per: int) -> Hit:
    """``mine`` are the moments of the first key's requests."""
    at = hit.first.at
    nth = int(((mine > at - per) & (mine <= at)).sum())
    return hit._replace(keys=keys, nth=nth, need=st.busiest(mine, per))
