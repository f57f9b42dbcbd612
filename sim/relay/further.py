"""Judges the limits of further kinds: those that are registered in ``kinds`` but not built in.

The built-in kinds have code of their own in the relay and the session. Every other kind is judged
here, at the moment that it names, so that a new kind needs no change of the relay.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from ..limits import Key, Limit
from .kinds import BUILT_IN, Kind, Moment
from .policy import Policy
from .terms import Observer, Refusal


class Further:
    """The further limits of one policy. ``limits`` are the state machines of those with a window.

    A limit without a window counts for as long as its connection is open.
    """

    def __init__(
        self,
        policy: Policy,
        limits: Mapping[str, Limit],
        refusals: Mapping[str, Refusal],
        observer: Observer,
    ) -> None:
        self._limits = limits
        self._refusals = refusals
        self._observer = observer
        self._at: dict[Moment, list[tuple[Kind, int]]] = defaultdict(list)
        self._counts: dict[int, Counter[str]] = defaultdict(Counter)
        for kind, spec in policy.by_kind():
            if kind not in BUILT_IN:
                self._at[kind.counts.at].append((kind, spec.count))

    def __bool__(self) -> bool:
        return bool(self._at)

    def counts_at(self, moment: Moment) -> bool:
        """Whether a limit counts at this moment."""
        return moment in self._at

    def refusal(
        self, moment: Moment, connection: int, ip: str, username: str | None, now: int
    ) -> Refusal | None:
        """Counts a request and returns the refusal of the first limit that it exceeds. The limits
        after that one do not count it.
        """
        for kind, count in self._at.get(moment, ()):
            limit = self._limits.get(kind.name)
            if limit is not None:
                key = kind.for_each.key(connection, ip, username)
                passed = self._passes(limit, key, ip, username, now)
            else:
                counts = self._counts[connection]
                counts[kind.name] += 1
                passed = counts[kind.name] <= count
            if not passed:
                return self._refusals[kind.name]
        return None

    def forget(self, connection: int) -> None:
        """The connection has ended."""
        self._counts.pop(connection, None)

    def _passes(self, limit: Limit, key: Key, ip: str, username: str | None, now: int) -> bool:
        verdict = limit.request(key, now)
        if verdict.block_until is not None:
            self._observer.block(limit.name, ip, username, now, verdict.block_until)
        return verdict.passed
