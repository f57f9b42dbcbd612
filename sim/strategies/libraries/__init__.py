"""Models of mail libraries and mail servers: each sends the same commands as its library, and
has the options of the library under their own names.

A model is correct if the real library does the same at the live relay (``tests/fidelity``). If a
library cannot run there, the model's docstring names the sources that it was written from.
"""
