"""Judges the limits of further kinds: those that are registered in ``kinds`` but not built in.

The built-in kinds have code of their own in the relay and the session. Every other kind is judged
here, at the moment that it names, so that a new kind needs no change of the relay.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

from ..limits import Limit
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
        is_forced: Callable[[str], bool],
    ) -> None:
        self._limits = limits
        self._refusals = refusals
        self._observer = observer
        self._is_forced = is_forced
        self._at: dict[Moment, list[tuple[Kind, int]]] = defaultdict(list)
        self._counts: dict[int, Counter[str]] = defaultdict(Counter)
        for kind, spec in policy.by_kind():
            if kind not in BUILT_IN:
                self._at[kind.counts.at].append((kind, spec.count))

    def __bool__(self) -> bool:
        return bool(self._at)

    def refusal(
        self, moment: Moment, connection: int, ip: str, username: str | None, now: int
    ) -> Refusal | None:
        """Counts a request and returns the refusal of the first limit that it exceeds. The limits
        after that one do not count it, and nothing counts a forced refusal.
        """
        for kind, count in self._at.get(moment, ()):
            if self._is_forced(kind.name):
                return self._refusals[kind.name]
            limit = self._limits.get(kind.name)
            if limit is not None:
                passed = self._passes(kind, limit, connection, ip, username, now)
            else:
                counts = self._counts[connection]
                counts[kind.name] += 1
                passed = counts[kind.name] <= count
            if not passed:
                return self._refusals[kind.name]
        return None

    def active_block(self, connection: int, ip: str, username: str, now: int) -> Refusal | None:
        """The refusal of a login whose key wrong passwords have blocked, with any password."""
        for kind, limit in self._of_failures():
            if limit.blocked(kind.for_each.key(connection, ip, username), now) is not None:
                return self._refusals[kind.name]
        return None

    def count_success(self, connection: int, ip: str, username: str) -> None:
        """A successful login sets the consecutive counts of its keys back to 0."""
        for kind, limit in self._of_failures():
            if kind.consecutive:
                limit.reset(kind.for_each.key(connection, ip, username))

    def forget(self, connection: int) -> None:
        """The connection has ended."""
        self._counts.pop(connection, None)

    def _of_failures(self) -> Iterator[tuple[Kind, Limit]]:
        for kind, _ in self._at.get("wrong-password", ()):
            limit = self._limits.get(kind.name)
            if limit is not None:
                yield kind, limit

    def _passes(
        self, kind: Kind, limit: Limit, connection: int, ip: str, username: str | None, now: int
    ) -> bool:
        verdict = limit.request(kind.for_each.key(connection, ip, username), now)
        if verdict.block_until is not None:
            holder = kind.for_each.holder(ip, username)
            self._observer.block(limit.name, *holder, now, verdict.block_until)
        return verdict.passed
