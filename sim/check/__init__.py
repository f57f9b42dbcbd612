"""Checks an existing configuration: :func:`check` reads the file, runs the library's model with its
settings, and reports the messages that a relay would refuse and the settings to use instead.

The file is read as text and never executed. Each kind of file has a module that knows its library.
"""

from .found import Checked, CheckRun, Finding, Usage
from .judge import KINDS, check

__all__ = ["KINDS", "CheckRun", "Checked", "Finding", "Usage", "check"]
