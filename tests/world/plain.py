"""A relay's verdicts on logins and connections once more, in as few lines as they need, over a log
of everything that counted.

Slow and plain, to compare a run's record with. Knows the brute-force windows of
``tests/limits/brute.py`` and the order of checks at AUTH; nothing of sessions, bytes or virtual
time. Times are integer microseconds.
"""

from __future__ import annotations

from typing import Any

from sim.relay import Policy
from sim.relay.kinds import WindowSpec
from tests.limits.brute import BRUTE, COUNTS_REFUSED


class PlainLimit:
    """One limit of ``policy``, or one that lets everything pass where the policy has none."""

    def __init__(self, policy: Policy, name: str) -> None:
        spec = getattr(policy, name)
        self.spec: WindowSpec | None = spec
        self.logs: dict[Any, list[int]] = {}
        self.ends: dict[Any, int] = {}
        if spec:
            window = spec.window or policy.window
            self.used = BRUTE[window]
            self.counts = (
                COUNTS_REFUSED[window] if spec.count_refused is None else spec.count_refused
            )

    def blocked(self, key: Any, now: int) -> bool:
        return now < self.ends.get(key, 0)

    def request(self, key: Any, now: int) -> bool:
        spec = self.spec
        if spec is None:
            return True
        log = self.logs.setdefault(key, [])
        passed = self.used(log, now, spec.count, spec.per) < spec.count
        if passed or self.counts:
            log.append(now)
        if not passed and spec.block:
            self.ends[key] = now + spec.block
            log.clear()
        return passed

    def reset(self, key: Any) -> None:
        self.logs.pop(key, None)


class PlainRelay:
    """The verdicts of one relay on connections and logins."""

    def __init__(self, policy: Policy) -> None:
        self.connections = PlainLimit(policy, "connections_per_ip")
        self.logins = PlainLimit(policy, "logins_per_username")
        self.by_ip = PlainLimit(policy, "failed_logins_per_ip")
        self.by_pair = PlainLimit(policy, "failed_logins_per_username_ip")

    def login(self, username: str, ip: str, right: bool, now: int) -> tuple[str, str | None]:
        """The outcome, and the limit that refused."""
        pair = (username, ip)
        if not self.logins.request(username, now):
            return "refused", "logins_per_username"
        if self.by_ip.blocked(ip, now):
            return "refused", "failed_logins_per_ip"
        if self.by_pair.blocked(pair, now):
            return "refused", "failed_logins_per_username_ip"
        if right:
            self.by_pair.reset(pair)
            return "accepted", None
        over_pair = not self.by_pair.request(pair, now)
        over_ip = not self.by_ip.request(ip, now)
        if over_ip or over_pair:
            return "refused", "failed_logins_per_ip" if over_ip else "failed_logins_per_username_ip"
        return "failed", None
