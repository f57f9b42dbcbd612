"""Why one request was refused, and what would avoid it: the requests that filled its window, and
the smallest change of a setting.

Both are pure: `evidence` reads the story of a run, `remedies` asks for runs and is told their
results. Nothing here runs anything.
"""

from .evidence import Earlier, Evidence, evidence
from .remedies import Change, Remedy, remedies

__all__ = ["Change", "Earlier", "Evidence", "Remedy", "evidence", "remedies"]
