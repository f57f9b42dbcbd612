"""The gap between logins: ``least_gap``, safe under every window algorithm, and ``edge_gap``, which
meets the limit exactly.

If n gaps are longer than ``per``, any window of ``per`` holds at most n evenly spaced requests.
Jitter must not shorten n gaps to ``per``, so the safe gap is 1% longer, or more if the jitter needs
it. Times are microseconds.
"""

from __future__ import annotations

import math

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
    """How many gaps must last longer than a window that lets this many connections of a key pass."""
    if knobs.shape == "spacing":
        # Each username has one turn per gap; a key gets the share of all turns that its workers take.
        return connections * setting.workers / (setting.usernames * sharing)
    return connections // sharing


def _luck(cycle: Cycle, knobs: Knobs, setting: Setting, most: float) -> float:
    """The standard deviation of the time that ``most`` gaps take."""
    if knobs.shape == "pause":
        return cycle.deviation(setting.size) * math.sqrt(most)
    return cycle.login_deviation
