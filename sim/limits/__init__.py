"""The limiters and the block: pure state machines that are handed the time and answer whether a
request passes.

One limiter a file. Time is integer microseconds and an argument of every call; no clock is read,
nothing sleeps. Knows nothing of SMTP, of what a request is, or of what is answered to one that is
refused.
"""

from .aligned import Aligned
from .blocks import Blocks
from .fixed import Fixed
from .gcra import Gcra
from .limit import PASSED, REFUSED, Limit, Verdict
from .limiter import Key, Limiter, State
from .make import WINDOWS, make_limiter
from .sliding import Sliding
from .sliding_counter import SlidingCounter

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
