"""The planner: the settings for a demand with their proof, or why there are none.

``plan(by_deadline(50_000, within), strategy="paced")`` gives a :class:`Plan`. Closed form first,
simulation as the proof.
"""

from .answer import Plan
from .demand import Demand, at_rate, beside_campaign, by_deadline, of_day, of_trace
from .plan import Way, plan
from .search import Resources, Standard

__all__ = [
    "Demand",
    "Plan",
    "Resources",
    "Standard",
    "Way",
    "at_rate",
    "beside_campaign",
    "by_deadline",
    "of_day",
    "of_trace",
    "plan",
]
