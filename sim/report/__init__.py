"""Results for people and their tools: the table, figures, CSV, JUnit. Computes nothing that a Result does not say."""

from .files import write_all
from .table import table

__all__ = ["table", "write_all"]
