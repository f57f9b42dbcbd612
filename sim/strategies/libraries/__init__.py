"""Models of mail libraries. Each model sends the same commands as its library and has the library's
options, in the library's spelling.

``tests/fidelity`` runs the real libraries against the live relay and compares. A library that
cannot run there has a model of its documented behaviour, which its docstring mentions.
"""
