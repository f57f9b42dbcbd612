"""``refusal`` explains why no setting meets a demand: the limit that forbids it, and the changes
that would meet it.

It uses the closed form, and simulation only to find how many more usernames or IPs are needed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from ..measure.formatting import lasting, moment, number, plural
from ..units import MICRO
from .ceilings import Ceilings, ceilings, drain
from .option_map import Setting
from .readings import windows
from .search import LONGER, Resources, Search

MINUTE = 60 * MICRO
FIRST_PART = "until=20m"
"""Twenty windows show whether a pace is kept."""

MOST_WORKERS = 1_000
"""More of them are not proposed."""

MORE = 5
"""How many further usernames are tried by simulation, where the closed form cannot tell."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """``limit`` forbids it. ``nearest`` is the safe setting that comes nearest, ``changes`` what
    would have to be different.
    """

    limit: str
    why: str
    ceilings: Ceilings
    nearest: Setting
    per_min: float
    drain_s: float
    changes: dict[str, float]


def refusal(search: Search) -> Refusal:
    """The refusal of the demand with all the resources there are."""
    demand = search.demand
    most = search.resources
    best = _safest(search, _best(search, most.usernames, most.ips))
    found = search.ceilings(best)
    limit = min(
        (one for one in found.all if one.per_min and one.limit in search.policy.limits),
        key=lambda one: one.per_min or 0,
        default=None,
    )
    if search.in_one_window(most.usernames, most.ips):
        limit = None  # none of them can be met
    asked = demand.per_min
    safe = found.per_min
    quickest = search.cycle.to_acceptance(1)
    bound = demand.p99 if demand.p99 is not None else demand.within
    if bound is not None and quickest > bound:
        name = "round_trips"
        why = (
            f"one message alone needs {number(quickest / MICRO)} s from connecting to its "
            "acceptance, and "
            f"{lasting(bound)} are allowed"
        )
    elif limit is not None and limit.per_min is not None and asked > limit.per_min:
        name = limit.limit
        why = (
            f"the relay lets {number(float(limit.per_min))} messages a minute through "
            f"({limit.term})"
        )
    elif limit is not None and asked == limit.per_min:
        name = limit.limit
        why = (
            f"that is the limit itself ({limit.term}), without any margin: whatever comes a "
            "moment early is refused"
        )
    elif limit is not None and asked > safe and found.binding.limit != "workers":
        name = limit.limit
        why = (
            f"it leaves too little margin to {number(float(limit.per_min or 0))} messages a "
            f"minute ({limit.term}); "
            f"{number(float(safe))} are safe under every window algorithm"
        )
    elif asked > safe or (demand.batch and not search.enough(best)):
        name, why = _own(search, best, found, limit.limit if limit else "workers")
    else:
        name = limit.limit if limit and found.binding.limit != "workers" else "workers"
        why = "no setting within these resources did it in every replication"
        if demand.p99 is not None:
            why = (
                f"at {number(float(asked))} of at most {number(float(safe))} safe messages a "
                "minute they wait for each other "
                f"longer than that"
            )
    per_min = float(safe)
    drain_s = search.drain(best) / MICRO
    if not search.knobs.plain:  # its model knows better than the closed form
        run = search.trials.run(best, [0])[0]
        per_min = run.throughput.mean_per_min or 0.0
        drain_s = run.duration_s
    changes = _changes(search, best, name, per_min)
    return Refusal(name, f"{why}.{_told(changes)}", found, best, per_min, drain_s, changes)


def _own(search: Search, best: Setting, found: Ceilings, limit: str) -> tuple[str, str]:
    """The sender's own times forbid it: its first and last connection, or too few workers."""
    demand = search.demand
    short = search.in_one_window(best.usernames, best.ips)
    if not short and demand.batch and found.per_min >= demand.per_min:
        many = plural(demand.messages, "message")
        time = moment(search.drain(best))
        return (
            limit,
            (
                f"{many} take {time} at {number(float(found.per_min))} a minute, with the first "
                "and the last connection"
            ),
        )
    own = next(one for one in found.all if one.limit == "workers")
    per_min = number(float(own.per_min or 0))
    if demand.batch:
        return (
            "workers",
            f"{own.term} are {per_min} messages a minute, and take {moment(search.drain(best))}",
        )
    return "workers", f"{own.term} are {per_min} messages a minute"


def _best(search: Search, usernames: int, ips: int) -> Setting:
    """The quickest safe setting that these usernames and IPs allow; of equals the one with the
    fewest workers.
    """
    most = search.resources.workers
    made = [search.least(many, min(usernames, many), min(ips, many)) for many in range(1, most + 1)]
    settings = [one for one in made if one is not None]
    if not settings:
        return Setting(1, 1, 1, search.size, 60 * MICRO)
    if search.demand.batch:
        times = [search.drain(one) for one in settings]
        return next(
            one for one, time in zip(settings, times, strict=True) if time <= min(times) * 1.001
        )
    rates = [search.ceilings(one).per_min for one in settings]
    return next(
        one
        for one, rate in zip(settings, rates, strict=True)
        if rate >= max(rates) * Fraction(999, 1000)
    )


def _safest(search: Search, setting: Setting) -> Setting:
    """``setting``, with a longer gap where its library keeps its pace only so nearly that a relay
    would refuse it.
    """
    for longer in (1.0, *LONGER) if not search.knobs.plain else ():
        tried = replace(
            setting, gap=math.ceil(setting.gap * longer / search.knobs.step) * search.knobs.step
        )
        runs = [
            search.trials.run(tried, [0], [*reading.overrides, FIRST_PART])[0]
            for reading in windows(search.policy)
        ]
        if not any(run.incidents.total for run in runs):
            return tried
    return setting


def _changes(search: Search, best: Setting, limit: str, per_min: float) -> dict[str, float]:
    """What would make it feasible: so many usernames (and IPs), or so much time, or so many
    messages in the time there is.
    """
    demand = search.demand
    changes = dict[str, float]()
    if limit == "workers":
        changes.update(_more_workers(search))
    elif limit != "round_trips":
        changes.update(_more_keys(search))
    if demand.rate or not demand.batch:
        if per_min < demand.per_min:
            changes["per_min"] = per_min
    else:
        assert demand.within is not None, "a batch has a deadline"
        time = math.ceil(search.drain(best) / MICRO * 1.005)
        fits = _most_within(search, best, demand.within)
        if (
            time * MICRO > demand.within
        ):  # else the closed form thinks that it can be done, and the simulation knows better
            changes["within_s"] = time
        if 0 < fits < demand.messages:
            changes["messages"] = fits
    return changes


def _most_within(search: Search, setting: Setting, within: int) -> int:
    """The most messages that the closed form drains in time: at the safe pace, or in one burst
    within a window.
    """
    bursts = [
        spec.count // kind.requests(setting.size) * setting.size
        for kind, spec in search.policy.rates()
    ]
    paced = _fitting(search, setting, within, search.demand.messages)
    burst = _fitting(search, replace(setting, gap=0), within, min(bursts, default=0))
    return max(paced, burst)


def _fitting(search: Search, setting: Setting, within: int, most: int) -> int:
    low = 0
    high = most
    while low < high:
        middle = (low + high + 1) // 2
        size = min(setting.size, middle)
        if (
            drain(search.policy, search.cycle, search.knobs, replace(setting, size=size), middle)
            <= within * 0.995
        ):
            low = middle
        else:
            high = middle - 1
    return low


def _more_workers(search: Search) -> dict[str, float]:
    """The fewest workers that would do with the usernames and IPs there are."""
    most = search.resources
    for many in range(most.workers + 1, MOST_WORKERS + 1):
        setting = search.least(many, min(most.usernames, many), min(most.ips, many))
        if setting is not None and search.enough(setting):
            return {"workers": many}
    return {}


def _more_keys(search: Search) -> dict[str, float]:
    """The fewest usernames, with as many IPs as they need, that would do; empty where more of them
    would not help.
    """
    have = search.resources
    demand = search.demand
    if not search.policy.rates():
        return {}
    per_username = ceilings(search.policy, search.cycle, search.knobs, _best(search, 1, 1)).per_min
    least = have.usernames + (have.ips >= _ips_for(search, have.usernames))
    even = demand.per_min / per_username
    for usernames in range(
        max(least, math.ceil(even)) if not demand.batch else least,
        max(least, math.ceil(even)) + MORE,
    ):
        workers = max(
            have.workers,
            4 * usernames * math.ceil(search.cycle.connection(search.size) / MICRO + 1),
        )
        for ips in range(have.ips, max(have.ips, _ips_for(search, usernames)) + 1):
            wider = Search(
                search.trials,
                search.cycle,
                search.quick,
                Resources(usernames, ips, workers),
                search.standard,
            )
            suited = wider.suited(usernames, ips)
            if not suited:
                continue
            if demand.batch or any(
                search.trials.holds(one, [0]) for one in (suited[0], suited[len(suited) // 3])
            ):
                return _keys(usernames, ips, have)
    return {}


def _keys(usernames: int, ips: int, have: Resources) -> dict[str, float]:
    found: dict[str, float] = {"usernames": usernames} if usernames > have.usernames else {}
    return {**found, "ips": ips} if ips > have.ips else found


def _ips_for(search: Search, usernames: int) -> int:
    """The fewest IPs whose limits let as many messages pass as those of the usernames."""
    rates: dict[str, Fraction] = {}
    for kind, spec in search.policy.rates():
        resource = kind.for_each.resource
        if resource is not None:
            one = kind.per_minute(spec, 1, search.size)
            rates[resource] = min(one, rates.get(resource, one))
    if len(rates) < 2:
        return 1
    return math.ceil(usernames * rates["usernames"] / rates["ips"])


def _told(changes: dict[str, float]) -> str:
    """The changes as the end of a sentence."""
    parts = []
    if "usernames" in changes or "ips" in changes:
        keys = [
            plural(int(changes[name]), noun)
            for name, noun in (("usernames", "username"), ("ips", "IP"))
            if name in changes
        ]
        parts.append(" and ".join(keys))
    if "workers" in changes:
        parts.append(plural(int(changes["workers"]), "worker"))
    if "within_s" in changes:
        parts.append(f"{lasting(round(changes['within_s'] * MICRO))} of time")
    if "messages" in changes:
        parts.append(f"{plural(int(changes['messages']), 'message')} instead")
    if "per_min" in changes:
        parts.append(f"at most {number(changes['per_min'])} messages a minute")
    return f" What would do: {', or '.join(parts)}." if parts else ""
