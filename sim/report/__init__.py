"""Results and plans for people and their tools: the table, figures, CSV, JUnit. Computes nothing that a Result or Plan does not say."""

from .files import write_all
from .plan import print_plan, write_plan
from .table import table

__all__ = ["print_plan", "table", "write_all", "write_plan"]
