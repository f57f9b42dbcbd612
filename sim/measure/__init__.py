"""Counts what happens in a run and makes its result.

A ``Recorder`` keeps everything of a run in virtual time and ``Rows`` counts it; a
``StreamingRecorder`` counts a live relay as it runs. Both give ``Counts``, which ``result_of``
turns into a ``Result`` with its diagnosis.
"""

from .counts import Counts, RunInfo, result_of
from .expectations import Expectation
from .recorder import Recorder
from .result import Result
from .rows import Rows, SequentialIds
from .streaming import StreamingRecorder

__all__ = [
    "Counts",
    "Expectation",
    "Recorder",
    "Result",
    "Rows",
    "RunInfo",
    "SequentialIds",
    "StreamingRecorder",
    "result_of",
]
