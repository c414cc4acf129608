"""Shared keys: co-generation and shares."""
