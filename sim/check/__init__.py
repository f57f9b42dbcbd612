"""What a relay would do to a sender that is configured already: reads the file, runs the library's
model, says what to set.

A file is read as text and never executed. ``check`` is the whole of it; each kind of file has a
module that knows its library.
"""

from .files import KINDS, check
from .found import Checked, Finding, Trial, Way

__all__ = ["KINDS", "Checked", "Finding", "Trial", "Way", "check"]
