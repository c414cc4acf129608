"""The device's suite for the link (meshlink.suite), and its random numbers.

    random block = HMAC(pool, "mh1 rnd" || boot(4) || call(4) || system random(32) || ticks_us(4))

A weak generator behind os.urandom (a radio that is still off) thus repeats nothing.
"""

import hashlib
import os

from meshdevice import aes, runtime
from meshdevice.x25519 import base, x25519

_BLOCK = 64
_RANDOM = b"mh1 rnd"
_PIECE = 32


def sha256(data: bytes) -> bytes:
    """SHA-256, 32 octets."""
    return hashlib.sha256(data).digest()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256, 32 octets."""
    if len(key) > _BLOCK:
        key = sha256(key)
    pad = bytearray(_BLOCK)
    pad[: len(key)] = key
    for i in range(_BLOCK):
        pad[i] ^= 0x36
    digest = hashlib.sha256(pad)
    digest.update(data)
    inner = digest.digest()
    for i in range(_BLOCK):
        pad[i] ^= 0x36 ^ 0x5C
    digest = hashlib.sha256(pad)
    digest.update(inner)
    return digest.digest()


class DeviceSuite:
    """pool: the 32 octets kept on flash; boot: number of this cold boot."""

    def __init__(self, pool: bytes, boot: int) -> None:
        self.pool = pool
        self._boot = boot.to_bytes(4, "big")
        self._calls = 0
        self.sha256 = sha256
        self.hmac = hmac_sha256
        self.aes_ecb = aes.ecb
        self.aes_cbc = aes.cbc
        self.x25519 = x25519
        self.x25519_base = base

    def x448(self, scalar: bytes, u: bytes) -> bytes:
        """X448, 56 octets, all zero for a point of small order. Only an adoption loads its code."""
        from meshdevice.x448 import x448

        return x448(scalar, u)

    def random(self, count: int) -> bytes:
        """`count` octets that nobody can tell from random and that never come twice."""
        out = b""
        while len(out) < count:
            self._calls += 1
            fresh = self._calls.to_bytes(4, "big") + os.urandom(_PIECE)
            fresh += (runtime.ticks_us() & 0xFFFFFFFF).to_bytes(4, "big")
            out += hmac_sha256(self.pool, _RANDOM + self._boot + fresh)
        return out[:count]

    def mix(self, entropy: bytes) -> bytes:
        """Stir a peer's entropy in and return the new pool; the old one cannot be computed from it."""
        self.pool = hmac_sha256(self.pool, entropy)
        return self.pool
