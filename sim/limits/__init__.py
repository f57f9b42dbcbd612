"""The limiters and the block: pure state machines that decide whether a request passes.

One window algorithm per file; ``Limit`` combines one with a block. Time is integer microseconds and
an argument of every call: no module here reads a clock or sleeps.
"""

from .aligned import Aligned
from .fixed import Fixed
from .gcra import Gcra
from .limit import PASSED, REFUSED, WINDOWS, Blocks, Limit, Verdict, make_limiter
from .sliding import Sliding
from .sliding_counter import SlidingCounter
from .window import Key, Limiter, State

__all__ = [
    "PASSED",
    "REFUSED",
    "WINDOWS",
    "Aligned",
    "Blocks",
    "Fixed",
    "Gcra",
    "Key",
    "Limit",
    "Limiter",
    "Sliding",
    "SlidingCounter",
    "State",
    "Verdict",
    "make_limiter",
]
