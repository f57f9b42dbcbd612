"""Scenario files: the schema (what may stand in one) and the loader (a Scenario, or every mistake
in place, value, remedy).
"""

from .loader import Scenario, build, load_scenario

__all__ = ["Scenario", "build", "load_scenario"]
