"""Strategies: ``api`` is the only thing that one sees; the shipped ones, one a file; ``catalogue``
finds and checks them.
"""
