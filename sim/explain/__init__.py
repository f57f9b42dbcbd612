"""Why one request was refused, and how to avoid it: the requests that filled its window, and the
smallest change of a setting.

:func:`evidence` reads the story of a run. :func:`remedies` is a generator that asks its caller for
runs. Nothing here runs anything itself.
"""

from .evidence import Earlier, Evidence, evidence
from .remedies import Change, Remedy, remedies

__all__ = ["Change", "Earlier", "Evidence", "Remedy", "evidence", "remedies"]
