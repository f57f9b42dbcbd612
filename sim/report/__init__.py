"""Results, plans and sweeps for people and their tools: the table, figures, CSV, JUnit. Computes
nothing that they do not say.

Plans and sweeps are in ``report.plan`` and ``report.sweep``, to be imported by themselves: they
need scipy, which ``run`` does not.
"""

from .files import write_all
from .table import table

__all__ = ["table", "write_all"]
