"""The dashboard's script where there is no ``app.py``: in an installed package. Calls public names,
computes nothing.
"""

from sim.ui.pages import show

show()
