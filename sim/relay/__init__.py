"""Where limits and SMTP meet: Policy (limits and the reply for each), Session (one connection),
Relay (what sessions share).
"""

from .kinds import KINDS
from .policy import Policy
from .policy_file import load, shipped
from .relay import Observer, Relay
from .session import Session

__all__ = ["KINDS", "Observer", "Policy", "Relay", "Session", "load", "shipped"]
