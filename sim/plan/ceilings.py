"""The throughput ceilings of a setting in closed form: ``ceilings``, each with its limit and the
numbers behind it, and ``drain``, the time to send a batch.

Ceilings are messages per minute as exact fractions: first the relay's limits, then the sender's own
times. A window passes its whole count at once at its start, so a short run can exceed a ceiling;
:func:`most_passed` gives by how much. Jitter, arrivals and faults are left to the simulation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from ..measure.formatting import number, plural
from ..relay.kinds import LOGINS_PER_USERNAME, Kind, LimitSpec, WindowSpec
from ..relay.policy import Policy
from ..units import MICRO, spoken
from .connection_time import Cycle
from .option_map import Knobs, Setting

MINUTE = 60 * MICRO


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One ceiling. ``per_min`` is None for a limit that sets none by itself; ``term`` shows how it
    is calculated.

    ``reachable`` is False if these workers, usernames and IPs always meet another limit first, with
    any gap. The sender's own times are always reachable.
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
    """Every ceiling of ``setting``: the policy's in the order of its limits, then the sender's."""
    carried = carried_by(policy, setting.size)
    found = [
        _of_limit(kind, spec, policy, cycle, setting, carried) for kind, spec in policy.by_kind()
    ]
    found += _own(cycle, knobs, setting, carried, policy)
    return Ceilings(tuple(found))


def carried_by(policy: Policy, size: int) -> int:
    """Messages that the relay accepts on a connection which tries ``size``."""
    limit = policy.carried
    return size if limit is None else min(size, limit)


def _of_limit(
    kind: Kind, spec: LimitSpec, policy: Policy, cycle: Cycle, setting: Setting, carried: int
) -> Ceiling:
    if kind.failures:
        term = "no login fails while the password is right"
        return Ceiling(kind.name, None, term, reachable=False)
    if not (kind.bounds_throughput and isinstance(spec, WindowSpec)):
        each = "message" if kind.counts.carries == "message" else kind.counts.noun
        term = f"{plural(spec.count, each)} {kind.for_each.one}, {setting.size:,} tried"
        return Ceiling(kind.name, None, term, reachable=True)
    keys = kind.for_each.keys(setting.usernames, setting.ips)
    term = (
        f"{plural(keys, kind.for_each.noun)} x {spec.count:,} {kind.counts.plural} in "
        f"{spoken(spec.per)}"
    )
    if kind.counts.carries == "connection":
        term += f" x {plural(carried, 'message')}"
    busiest = _busiest(kind, policy, cycle, setting, carried)
    reachable = busiest > Fraction(spec.count, spec.per)
    return Ceiling(kind.name, kind.per_minute(spec, keys, carried), term, reachable)


def _busiest(kind: Kind, policy: Policy, cycle: Cycle, setting: Setting, carried: int) -> Fraction:
    """Requests per microsecond of the busiest key if the sender leaves no gap, as far as the limit
    on logins lets its connections in.
    """
    length = max(1, cycle.connection(carried, cut=carried < setting.size))
    sharing = -(-setting.workers // kind.for_each.keys(setting.usernames, setting.ips))
    each = kind.requests(carried)
    own = Fraction(sharing * setting.parallel * each, length)
    logins = policy.logins_per_username
    if kind is LOGINS_PER_USERNAME or logins is None:
        return own
    return min(own, Fraction(min(setting.usernames, sharing) * logins.count * each, logins.per))


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


MARGIN = 1.01
"""0.505 s in place of 0.5 s for 120 in 60 s."""

DEVIATIONS = 5.0
"""How many standard deviations of jitter the margin covers."""


def least_gap(
    policy: Policy, cycle: Cycle, knobs: Knobs, setting: Setting, *, trickle: bool
) -> int | None:
    """The least safe gap; None if these workers exceed a limit with any gap. ``setting.gap`` is
    not used.

    ``trickle`` means that a connection may carry a single message and so end sooner than a full
    one.
    """
    return _gap(policy, cycle, knobs, setting, trickle=trickle, safe=True)


def edge_gap(policy: Policy, cycle: Cycle, knobs: Knobs, setting: Setting) -> int | None:
    """The gap that meets the limit exactly, without a margin."""
    return _gap(policy, cycle, knobs, setting, trickle=False, safe=False)


def _gap(
    policy: Policy, cycle: Cycle, knobs: Knobs, setting: Setting, *, trickle: bool, safe: bool
) -> int | None:
    least = 0.0
    for kind, spec in policy.rates():
        sharing = -(-setting.workers // kind.for_each.keys(setting.usernames, setting.ips))
        connections = spec.count // kind.requests(setting.size)
        most = _turns(connections, knobs, setting, sharing)
        if most < 1:
            return None
        even = spec.per / most
        if safe:
            luck = _luck(cycle, knobs, setting, most)
            even = max(MARGIN * even, (spec.per + DEVIATIONS * luck) / most)
        least = max(least, even)
    if knobs.shape == "pause" and least:
        least -= cycle.connection(1 if trickle else setting.size)
    if not safe:
        return max(0, round(least))
    return max(0, math.ceil(round(least, 3) / knobs.step) * knobs.step)


def _turns(connections: int, knobs: Knobs, setting: Setting, sharing: int) -> float:
    """How many gaps must last longer than a window that lets this many connections of a key
    pass.
    """
    if knobs.shape == "spacing":
        # Each username has one turn per gap; a key gets the share of all turns that its workers
        # take.
        return connections * setting.workers / (setting.usernames * sharing)
    return connections // sharing


def _luck(cycle: Cycle, knobs: Knobs, setting: Setting, most: float) -> float:
    """The standard deviation of the time that ``most`` gaps take."""
    if knobs.shape == "pause":
        return cycle.deviation(setting.size) * math.sqrt(most)
    return cycle.login_deviation
