"""Where limits and SMTP meet: Policy (limits and the reply for each), Session (one connection),
Relay (what sessions share).
"""

from .policy import LIMITS, Policy
from .policy_file import load, shipped
from .relay import Observer, Relay
from .session import Session

__all__ = ["LIMITS", "Observer", "Policy", "Relay", "Session", "load", "shipped"]
