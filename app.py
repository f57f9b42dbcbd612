"""The dashboard: `make ui` or `relaysim ui` serve it, on this machine alone. Calls public names,
computes nothing.
"""

from sim.ui.pages import show

show()
