"""Strategies: the shipped ones, the interface that every strategy uses (``api``), and
``catalogue``, which finds a strategy by its name and checks its options.
"""
