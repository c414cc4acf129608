"""The hub's suite for the link (meshlink.suite), over the `cryptography` library."""

import hashlib
import hmac
import os
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from mathmesh.types import Entropy

Octets = bytes | bytearray | memoryview
BlockFunction = Callable[[Octets, bytearray | memoryview], None]

_BLOCK = 16


class HubSuite:
    """entropy: random octets for ephemeral keys, session ids and challenges."""

    def __init__(self, entropy: Entropy = os.urandom) -> None:
        self.random = entropy

    def sha256(self, data: bytes) -> bytes:
        """SHA-256, 32 octets."""
        return hashlib.sha256(data).digest()

    def hmac(self, key: bytes, data: bytes) -> bytes:
        """HMAC-SHA-256, 32 octets."""
        return hmac.digest(key, data, "sha256")

    def aes_ecb(self, key: bytes) -> BlockFunction:
        """f(source, target) encrypting whole blocks with AES-256."""
        return _encryptor(Cipher(algorithms.AES(key), modes.ECB()))  # noqa: S305 - CCM's counter blocks

    def aes_cbc(self, key: bytes) -> BlockFunction:
        """f(source, target) encrypting whole blocks with AES-256, chained from a zero IV over its calls."""
        return _encryptor(Cipher(algorithms.AES(key), modes.CBC(bytes(_BLOCK))))

    def x25519(self, scalar: bytes, u: bytes) -> bytes:
        """32 octets; all zero for a point of small order."""
        try:
            return X25519PrivateKey.from_private_bytes(scalar).exchange(X25519PublicKey.from_public_bytes(u))
        except ValueError:
            return bytes(32)

    def x25519_base(self, scalar: bytes) -> bytes:
        """Public key of a scalar, 32 octets."""
        return X25519PrivateKey.from_private_bytes(scalar).public_key().public_bytes_raw()

    def x448(self, scalar: bytes, u: bytes) -> bytes:
        """56 octets; all zero for a point of small order."""
        try:
            return X448PrivateKey.from_private_bytes(scalar).exchange(X448PublicKey.from_public_bytes(u))
        except ValueError:
            return bytes(56)


def _encryptor(cipher: "Cipher[modes.ECB] | Cipher[modes.CBC]") -> BlockFunction:
    encryptor = cipher.encryptor()

    def encrypt(source: Octets, target: bytearray | memoryview) -> None:
        target[: len(source)] = encryptor.update(source)

    return encrypt
