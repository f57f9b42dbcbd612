"""SMTP as the relay speaks it: lines, commands, replies and the table of states.

Pure: bytes in, typed values out. ``sim.relay`` combines it with limits and policies.
"""
