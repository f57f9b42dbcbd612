"""What no sender with this setting can exceed, in closed form: each ceiling with the limit that
makes it and its numbers.

Messages a minute as exact fractions. The relay's own limits first, then what the sender's own times
allow. Where a limit counts by windows, the first of them passes its whole count at once:
:func:`most_passed` says how much that adds to a short run. Knows nothing of luck: jitter, arrivals
and faults are the simulation's.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..measure.words import number, plural
from ..relay.kinds import WindowSpec
from ..relay.policy import Policy
from ..units import MICRO, spoken
from .cycle import Cycle
from .knobs import Knobs, Setting

MINUTE = 60 * MICRO

FAILURES = ("failed_logins_per_ip", "failed_logins_per_username_ip")
"""Limits on wrong passwords: out of reach while the password is right."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One ceiling. ``per_min`` is None for a limit that sets none by itself; ``term`` are its
    numbers in words.

    ``reachable`` says whether these workers, usernames and IPs could meet the limit at all, however
    short their gap, before they meet another; one of the sender's own times is always met.
    """

    limit: str
    per_min: Fraction | None
    term: str
    reachable: bool

    def to_dict(self) -> dict[str, object]:
        """As in the plan's JSON."""
        per_min = None if self.per_min is None else float(self.per_min)
        return {
            "limit": self.limit,
            "per_min": per_min,
            "term": self.term,
            "reachable": self.reachable,
        }


@dataclass(frozen=True, slots=True)
class Ceilings:
    """All ceilings of a setting. ``binding`` is the lowest; ``slack`` how much higher each other
    is, as a share of itself.
    """

    all: tuple[Ceiling, ...]

    @property
    def binding(self) -> Ceiling:
        """The lowest ceiling; the workers' one is always there."""
        return min(
            (one for one in self.all if one.per_min is not None), key=lambda one: one.per_min or 0
        )

    @property
    def per_min(self) -> Fraction:
        """The lowest ceiling, messages a minute."""
        found = self.binding.per_min
        assert found is not None, "binding has one"
        return found

    @property
    def slack(self) -> dict[str, float]:
        """For each limit with a ceiling: the share of it that stays unused when the binding one is
        met.
        """
        return {one.limit: float(1 - self.per_min / one.per_min) for one in self.all if one.per_min}

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The limits that this setting can never meet."""
        return tuple(one.limit for one in self.all if not one.reachable)


def ceilings(policy: Policy, cycle: Cycle, knobs: Knobs, setting: Setting) -> Ceilings:
    """Every ceiling of ``setting``, the policy's in their own order and then the sender's own."""
    carried = carried_by(policy, setting.size)
    found: list[Ceiling] = []
    for name in policy.limits:
        if name == "transactions_per_connection":
            found.append(_transactions(policy, setting))
        elif name in FAILURES:
            found.append(
                Ceiling(name, None, "no login fails while the password is right", reachable=False)
            )
        else:
            found.append(_windowed(name, policy, cycle, setting, carried))
    found += _own(cycle, knobs, setting, carried, policy)
    return Ceilings(tuple(found))


def carried_by(policy: Policy, size: int) -> int:
    """Messages that one connection gets through."""
    limit = policy.transactions_per_connection
    return size if limit is None else min(size, limit.count)


def _transactions(policy: Policy, setting: Setting) -> Ceiling:
    limit = policy.transactions_per_connection
    assert limit, "it is one of the policy's limits"
    term = f"{plural(limit.count, 'message')} a connection, {setting.size:,} tried"
    return Ceiling("transactions_per_connection", None, term, reachable=True)


def _windowed(name: str, policy: Policy, cycle: Cycle, setting: Setting, carried: int) -> Ceiling:
    spec: WindowSpec = getattr(policy, name)
    keys, noun = (
        (setting.usernames, "username") if name == "logins_per_username" else (setting.ips, "IP")
    )
    what = "logins" if name == "logins_per_username" else "connections"
    term = f"{plural(keys, noun)} x {spec.count:,} {what} in {spoken(spec.per)} x {plural(carried, 'message')}"
    reachable = _busiest(name, policy, cycle, setting, carried) > Fraction(spec.count, spec.per)
    return Ceiling(name, Fraction(keys * spec.count * carried * MINUTE, spec.per), term, reachable)


def _busiest(name: str, policy: Policy, cycle: Cycle, setting: Setting, carried: int) -> Fraction:
    """Connections a microsecond of the busiest key without any gap, as far as the limit on logins
    lets them in.
    """
    length = max(1, cycle.connection(carried, cut=carried < setting.size))
    keys = setting.usernames if name == "logins_per_username" else setting.ips
    sharing = -(-setting.workers // keys)
    own = Fraction(sharing * setting.parallel, length)
    logins = policy.logins_per_username
    if name == "logins_per_username" or logins is None:
        return own
    return min(own, Fraction(min(setting.usernames, sharing) * logins.count, logins.per))


def _own(
    cycle: Cycle, knobs: Knobs, setting: Setting, carried: int, policy: Policy
) -> list[Ceiling]:
    cut = carried < setting.size
    length = cycle.connection(carried, cut=cut)
    many = setting.workers * setting.parallel
    behind = setting.gap if knobs.shape == "pause" else 0
    each = Fraction(carried * MINUTE, max(1, length + behind))
    took = f"{number(length / MICRO)} s a connection" + (
        f" and {spoken(behind)} pause" if behind else ""
    )
    found = [
        Ceiling(
            "workers",
            many * each,
            f"{plural(many, 'worker')} x {plural(carried, 'message')} in {took}",
            reachable=True,
        )
    ]
    if knobs.shape != "pause" and setting.gap:
        keys, noun = (
            (setting.usernames, "username")
            if knobs.shape == "spacing"
            else (setting.workers, "worker")
        )
        term = f"{plural(keys, noun)} x {plural(carried, 'message')} every {spoken(setting.gap)}"
        found.append(
            Ceiling(knobs.gap, Fraction(keys * carried * MINUTE, setting.gap), term, reachable=True)
        )
    return found


def drain(policy: Policy, cycle: Cycle, knobs: Knobs, setting: Setting, messages: int) -> int:
    """Microseconds from the first submission to the last acceptance of a batch, where no limit
    refuses and nothing is random.
    """
    carried = carried_by(policy, setting.size)
    length = cycle.connection(carried, cut=carried < setting.size)
    connections = -(-messages // setting.size)
    last = messages - (connections - 1) * setting.size
    tail = cycle.to_acceptance(min(carried, last))
    groups = _groups(knobs, setting, length)
    low = 0
    high = length * connections + setting.gap * connections
    while low < high:  # the first instant by which so many connections have begun
        middle = (low + high) // 2
        if sum(_begun(group, middle) for group in groups) >= connections:
            high = middle
        else:
            low = middle + 1
    return low + tail


def _groups(knobs: Knobs, setting: Setting, length: int) -> list[tuple[int, int, int]]:
    """Workers that wait for each other: how many, the time between two of them, and the time of one
    round.
    """
    many = setting.workers * setting.parallel
    if knobs.shape == "pause":
        return [(many, 0, max(1, length + setting.gap))]
    keys = setting.usernames if knobs.shape == "spacing" else setting.workers
    sizes = [many // keys + (index < many % keys) for index in range(keys)]
    return [(size, setting.gap, max(1, length, size * setting.gap)) for size in sizes]


def _begun(group: tuple[int, int, int], at: int) -> int:
    many, apart, round_ = group
    rounds, rest = divmod(at, round_)
    return rounds * many + (many if not apart else min(many, rest // apart + 1))


def most_passed(window: str, count: int, per: int, elapsed: int) -> int:
    """The most requests of one key that a limit lets through within ``elapsed`` microseconds of the
    first, asked all the time.

    A window passes its whole count at its start, so that a run of T has T / per + 1 counts in place
    of T / per: that is what a short run exceeds its ceiling by. ``aligned`` may pass one more,
    where the first request comes just before a window's end. ``gcra`` and ``sliding-counter`` pass
    one burst and then refill evenly.
    """
    if window in ("gcra", "sliding-counter"):
        return count + elapsed * count // per
    return count * (elapsed // per + 1 + (window == "aligned" and elapsed > 0))
