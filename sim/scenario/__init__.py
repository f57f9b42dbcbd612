"""Scenario files: the model of a file (`schema`), dotted keys (`keys`), and the loader, which
returns a Scenario or reports every mistake with its place, value and remedy.
"""

from .loader import Scenario, build, load_scenario

__all__ = ["Scenario", "build", "load_scenario"]
