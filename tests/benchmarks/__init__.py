"""Benchmarks: ratios against a named peer on the same work in one run. Not part of the tests."""
