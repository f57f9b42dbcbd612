"""Where limits and SMTP meet: Policy (limits and the reply for each), Session (one connection), and
Relay (the state that sessions share).
"""

from .kinds import KINDS
from .policy import Policy
from .policy_file import load, shipped
from .relay import Relay
from .session import Session
from .terms import Observer

__all__ = ["KINDS", "Observer", "Policy", "Relay", "Session", "load", "shipped"]
