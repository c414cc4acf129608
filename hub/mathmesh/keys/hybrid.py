"""Key pairs of ML-KEM-768 and X448 together, an extension of ours: safe while either of the two holds.

The secret that both sides get follows from both results and from everything that was sent, so that neither
half can be exchanged. Not understood by other implementations of the Mesh.
"""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from mathmesh.codec import b64
from mathmesh.errors import EncodingError
from mathmesh.keys import digest, hkdf, openssl
from mathmesh.keys.pair import PrivateKey, PublicKey, generate
from mathmesh.types import Entropy

ALGORITHM = "MLKEM768-X448"
CONTENT_TYPE = "application/vnd.mesh-hub.mlkem768-x448"
"""What the identifier of a public key is a digest of, beside its octets."""
PUBLIC_TAG = "PublicKeyHybrid"
PRIVATE_TAG = "PrivateKeyHybrid"
SEED_OCTETS = 32

KEM_PUBLIC_OCTETS = 1184
KEM_CIPHERTEXT_OCTETS = 1088
_KEM_SEED_OCTETS = 64
_CURVE = "X448"
_CURVE_SEED_OCTETS = 56
_LABEL = b"mesh-hub MLKEM768-X448 "
_SECRET_OCTETS = 64


class HybridPublicKey:
    """A public key: 1184 octets of ML-KEM-768, then 57 of X448."""

    crv = ALGORITHM

    def __init__(self, octets: bytes) -> None:
        """Raises EncodingError for another size or a malformed X448 key."""
        if len(octets) != KEM_PUBLIC_OCTETS + 57:
            raise EncodingError(f"{ALGORITHM} public key has the wrong size")
        self.octets = bytes(octets)
        self.curve = PublicKey(_CURVE, self.octets[KEM_PUBLIC_OCTETS:])

    @property
    def udf(self) -> str:
        """Identifier: the content digest of the octets under a content type of ours."""
        return digest.content_digest(self.octets, CONTENT_TYPE)

    def to_json(self) -> dict[str, Any]:
        """The tagged JSON object."""
        return {PUBLIC_TAG: {"alg": ALGORITHM, "Public": b64.encode(self.octets)}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "HybridPublicKey":
        """Key of a tagged object; raises EncodingError when it is malformed."""
        return cls(_octets(value, PUBLIC_TAG, "Public"))

    def encapsulate(self, entropy: Entropy) -> tuple[bytes, bytes, PublicKey]:
        """A fresh secret of 64 octets, and the ML-KEM ciphertext and X448 key that carry it to the owner.

        ML-KEM takes randomness of its own, X448 that of `entropy`.
        """
        inner, ciphertext = openssl.kem_encapsulate(self.octets[:KEM_PUBLIC_OCTETS])
        ephemeral = generate(_CURVE, entropy)
        secret = _combine(inner, ephemeral.agree(self.curve), ciphertext, ephemeral.public, self)
        return secret, ciphertext, ephemeral.public

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HybridPublicKey) and self.octets == other.octets

    def __hash__(self) -> int:
        return hash(self.octets)

    def __repr__(self) -> str:
        return f"HybridPublicKey({self.udf})"


class HybridPrivateKey:
    """A private key, which is its seed of 32 octets."""

    crv = ALGORITHM

    def __init__(self, seed: bytes) -> None:
        """Raises EncodingError unless `seed` has 32 octets."""
        if len(seed) != SEED_OCTETS:
            raise EncodingError(f"{ALGORITHM} private key has the wrong size")
        self.seed = bytes(seed)
        self._kem_seed = hkdf.hkdf(self.seed, _LABEL + b"kem", _KEM_SEED_OCTETS)
        self._curve = PrivateKey.from_seed(_CURVE, hkdf.hkdf(self.seed, _LABEL + b"x448", _CURVE_SEED_OCTETS))

    @classmethod
    def generate(cls, entropy: Entropy) -> "HybridPrivateKey":
        """A fresh key."""
        return cls(entropy(SEED_OCTETS))

    @cached_property
    def public(self) -> HybridPublicKey:
        """The public key."""
        return HybridPublicKey(openssl.kem_public(self._kem_seed) + self._curve.signed_public)

    def decapsulate(self, ciphertext: bytes, ephemeral: PublicKey) -> bytes:
        """The secret of `HybridPublicKey.encapsulate`; altered inputs give another one.

        Raises VerificationError for a ciphertext of another size and for an X448 key of small order.
        """
        inner = openssl.kem_decapsulate(self._kem_seed, ciphertext)
        return _combine(inner, self._curve.agree(ephemeral), ciphertext, ephemeral, self.public)

    def to_json(self) -> dict[str, Any]:
        """The tagged JSON object, key material included."""
        return {PRIVATE_TAG: {"alg": ALGORITHM, "Private": b64.encode(self.seed)}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "HybridPrivateKey":
        """Key of a tagged object; raises EncodingError when it is malformed."""
        return cls(_octets(value, PRIVATE_TAG, "Private"))

    def __repr__(self) -> str:
        return f"HybridPrivateKey(of {self.public.udf})"


def _combine(
    inner: bytes, outer: bytes, ciphertext: bytes, ephemeral: PublicKey, recipient: HybridPublicKey
) -> bytes:
    sent = hashlib.sha512(ciphertext + ephemeral.octets + recipient.octets).digest()
    return hkdf.hkdf(inner + outer, _LABEL + sent, _SECRET_OCTETS)


def _octets(value: Mapping[str, Any], tag: str, name: str) -> bytes:
    members = value.get(tag) if isinstance(value, Mapping) else None
    if not isinstance(members, Mapping) or members.get("alg") != ALGORITHM:
        raise EncodingError(f"key object is not a {tag} of {ALGORITHM}")
    text = members.get(name)
    if not isinstance(text, str):
        raise EncodingError(f"key object lacks the text member {name}")
    return b64.decode(text)
