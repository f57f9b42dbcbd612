"""Sweeps: one scenario over many values of its keys, resumable, on this machine's cores or on a
Dask cluster.
"""

from .space import Axis, axis, hypercube, points
from .sweep import Sweep, Swept, run, sweep_of

__all__ = ["Axis", "Sweep", "Swept", "axis", "hypercube", "points", "run", "sweep_of"]
