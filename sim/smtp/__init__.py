"""SMTP as the relay speaks it: lines, commands, replies and the table of states.

Pure: bytes in, typed values out. Knows nothing of limits, policies, sockets or time; ``sim.relay``
is where the two meet.
"""
