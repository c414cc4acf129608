"""Checks the packages against vectors: `python -m tests.conformance`."""
