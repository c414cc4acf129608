"""Every algorithm that envelopes and sequences can be made with, and which of them a caller lets be used.

`INTEROPERABLE` is what the published reference really runs and the default everywhere. `OWN` adds what
our own policy may ask for: A256GCM (the reference takes the name and runs CBC), S256, and a key exchange that
holds against quantum computers (an extension of ours).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mathmesh.errors import PolicyError
from mathmesh.keys import openssl

A256CBC = "A256CBC"
A256GCM = "A256GCM"
S512 = "S512"
S256 = "S256"
NONE = "none"
HYBRID = "MLKEM768-X448"

BLOCK = 16
KEY_OCTETS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """A cipher of bodies; the key has 32 octets. `maximum` is the longest plaintext under one key."""

    name: str
    iv_octets: int
    gcm: bool
    maximum: int
    encrypt: Callable[[bytes, bytes, bytes], bytes]
    decrypt: Callable[[bytes, bytes, bytes], bytes]

    def length(self, plaintext: int) -> int:
        """Octets of the ciphertext of so many octets of plaintext."""
        return plaintext + BLOCK if self.gcm else BLOCK * (plaintext // BLOCK + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A digest of bodies."""

    name: str
    octets: int
    new: Callable[..., Any]


ENCRYPTIONS = {
    A256CBC: Encryption(
        name=A256CBC,
        iv_octets=16,
        gcm=False,
        maximum=1 << 62,
        encrypt=openssl.encrypt_cbc,
        decrypt=openssl.decrypt_cbc,
    ),
    A256GCM: Encryption(
        name=A256GCM,
        iv_octets=12,
        gcm=True,
        maximum=(1 << 36) - 32,
        encrypt=openssl.encrypt_gcm,
        decrypt=openssl.decrypt_gcm,
    ),
}
DIGESTS = {
    S512: Digest(name=S512, octets=64, new=hashlib.sha512),
    S256: Digest(name=S256, octets=32, new=hashlib.sha256),
}
EXCHANGES = ("X25519", "X448", "Ed25519", "Ed448", HYBRID)
"""Curves of the recipients' keys; `dare.exchange` has the rules of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suites:
    """Names of the algorithms that may be used; anything else is refused, never replaced."""

    enc: frozenset[str]
    dig: frozenset[str]
    kex: frozenset[str]

    def encryption(self, name: object) -> Encryption | None:
        """The cipher that an `enc` member names, None for none; raises PolicyError if not allowed."""
        if name is None or name == NONE:
            return None
        if not isinstance(name, str) or name not in self.enc:
            allowed = " or ".join(sorted(self.enc))
            raise PolicyError(
                f"encryption algorithm {name!r} is not one we use; ask the sender for {allowed}"
            )
        return ENCRYPTIONS[name]

    def digest(self, name: object) -> Digest:
        """The digest that a `dig` or `alg` member names, S512 without a name; raises PolicyError."""
        if name is None or name == NONE:
            return DIGESTS[S512]
        if not isinstance(name, str) or name not in self.dig:
            allowed = " or ".join(sorted(self.dig))
            raise PolicyError(f"digest algorithm {name!r} is not one we use; ask the sender for {allowed}")
        return DIGESTS[name]

    def check_exchange(self, name: str) -> None:
        """Raises PolicyError unless keys of this algorithm may be recipients."""
        if name not in self.kex:
            raise PolicyError(f"key exchange {name} is off; allow it or name a recipient with another key")


INTEROPERABLE = Suites(enc=frozenset((A256CBC,)), dig=frozenset((S512,)), kex=frozenset(EXCHANGES) - {HYBRID})
OWN = Suites(enc=frozenset(ENCRYPTIONS), dig=frozenset(DIGESTS), kex=frozenset(EXCHANGES))
