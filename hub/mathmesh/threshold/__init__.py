"""Shared keys: co-generation, shares, agreement and signature by several parties."""
