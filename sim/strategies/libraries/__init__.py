"""Models of the mail libraries that people run: each does on the wire what its library does,
options in its own spelling.

A model is right when the real library, run against the live relay, does the same
(``tests/fidelity``). Where a library cannot be run there, its model says that it was written from
documented behaviour. None knows a limit.
"""
