"""Names for the kinds of argument that the sans-IO core is handed from its edges."""

from collections.abc import Callable

Entropy = Callable[[int], bytes]
"""Returns that many octets fit for key material; `os.urandom` at the edges, a seeded source in tests."""
