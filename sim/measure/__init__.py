"""What happened, counted: Recorder (rows as they come), Result (the contract's answer), statistics and the diagnosis in words."""

from .assemble import Facts, assemble
from .expectations import Expectation, parse_expectations
from .recorder import Recorder
from .result import Result
from .submitted import Numbered

__all__ = ["Expectation", "Facts", "Numbered", "Recorder", "Result", "assemble", "parse_expectations"]
