"""What happened, counted: Recorder (rows as they come), Result (the answer), statistics and the
diagnosis in words.
"""

from .assemble import assemble
from .expectations import Expectation
from .facts import Facts
from .live import live_result
from .recorder import Recorder
from .result import Result
from .submitted import Numbered
from .tally import Tally

__all__ = [
    "Expectation",
    "Facts",
    "Numbered",
    "Recorder",
    "Result",
    "Tally",
    "assemble",
    "live_result",
]
