"""Salts for bodies under one base seed: drawn in blocks, and never given out twice (mesh-dare §4.3)."""

from mathmesh.dare.protection import SALT_OCTETS
from mathmesh.errors import PolicyError
from mathmesh.types import Entropy

_POOL = 64
"""Salts that are drawn at once: asking for randomness costs more than a salt of it."""


class Salts:
    """Gives out salts that `entropy` draws."""

    __slots__ = ("_entropy", "_last", "_pool")

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._pool: list[bytes] = []
        self._last = b""

    def take(self, count: int) -> list[bytes]:
        """The next `count` salts; raises PolicyError when the source of randomness repeats itself."""
        salts = self._pool
        while len(salts) < count:
            block = self._entropy(SALT_OCTETS * _POOL)
            fresh = [block[start : start + SALT_OCTETS] for start in range(0, len(block), SALT_OCTETS)]
            if len({*fresh, *salts[-1:], self._last}) != _POOL + 1 + bool(salts):
                raise PolicyError("source of randomness repeats itself; nothing is encrypted with it")
            salts.extend(fresh)
        self._pool = salts[count:]
        if count:
            self._last = salts[count - 1]
        return salts[:count]
