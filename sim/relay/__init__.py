"""Where limits and SMTP meet: Policy (limits and the reply for each), Session (one connection),
Relay (what sessions share).
"""

from .policy import LIMITS, Policy, load, shipped
from .relay import Relay, Witness
from .session import Session

__all__ = ["LIMITS", "Policy", "Relay", "Session", "Witness", "load", "shipped"]
