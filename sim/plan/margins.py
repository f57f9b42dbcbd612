"""The least time between logins that is safe whatever window algorithm the relay uses, and the one
that is the limit itself.

Of n evenly spaced requests any stretch of ``per`` holds at most n where n gaps are longer than
``per``; exactly ``per`` is the edge, which no jitter may touch. So one hundredth more is taken, or
what the jitter needs if that is more. Microseconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..relay.kinds import WindowSpec
from ..relay.policy import Policy
from .cycle import Cycle
from .knobs import Knobs, Setting

MARGIN = 1.01
"""0.505 s in place of 0.5 s for 120 in 60 s."""

DEVIATIONS = 5.0
"""How many standard deviations of jitter the margin covers."""


def least_gap(
    policy: Policy, cycle: Cycle, knobs: Knobs, setting: Setting, *, trickle: bool
) -> int | None:
    """The least safe gap; None where these workers exceed a limit however long they wait.
    ``setting.gap`` is not read.

    ``trickle`` says that a connection may carry a single message, so that it is over sooner than a
    full one.
    """
    return _gap(policy, cycle, knobs, setting, trickle=trickle, safe=True)


def edge_gap(policy: Policy, cycle: Cycle, knobs: Knobs, setting: Setting) -> int | None:
    """The gap at which the limit is met exactly, without any margin."""
    return _gap(policy, cycle, knobs, setting, trickle=False, safe=False)


def _gap(
    policy: Policy, cycle: Cycle, knobs: Knobs, setting: Setting, *, trickle: bool, safe: bool
) -> int | None:
    least = 0.0
    for spec, sharing in _shared(policy, setting):
        most = _turns(spec, knobs, setting, sharing)
        if most < 1:
            return None
        even = spec.per / most
        if safe:
            luck = _luck(cycle, knobs, setting, most)
            even = max(MARGIN * even, (spec.per + DEVIATIONS * luck) / most)
        least = max(least, even)
    if knobs.shape == "pause" and least:
        least -= cycle.connection(1 if trickle else setting.size)
    return (
        max(0, math.ceil(round(least, 3) / knobs.step) * knobs.step)
        if safe
        else max(0, round(least))
    )


def _shared(policy: Policy, setting: Setting) -> Iterator[tuple[WindowSpec, int]]:
    """Each limit with a window, and how many workers share one key of it."""
    for spec, keys in (
        (policy.logins_per_username, setting.usernames),
        (policy.connections_per_ip, setting.ips),
    ):
        if spec is not None:
            yield spec, -(-setting.workers // keys)


def _turns(spec: WindowSpec, knobs: Knobs, setting: Setting, sharing: int) -> float:
    """How many gaps a window must be shorter than."""
    if knobs.shape == "spacing":
        # Each username has one turn a gap; a key sees the share of all turns that its workers take.
        return spec.count * setting.workers / (setting.usernames * sharing)
    return spec.count // sharing


def _luck(cycle: Cycle, knobs: Knobs, setting: Setting, most: float) -> float:
    """The standard deviation of the time that ``most`` gaps take."""
    if knobs.shape == "pause":
        return cycle.deviation(setting.size) * math.sqrt(most)
    return cycle.login_deviation
