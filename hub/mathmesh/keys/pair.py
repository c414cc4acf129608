"""Key pairs on the curves of the Mesh: keys from seeds and composite keys that are bare scalars.

Where the two differ:
 * A seed key is clamped and signs as RFC 8032 says. It is written as `PrivateKeyECDH` with its seed.
 * A composite key is the sum of contributions modulo the group order. It is never clamped, is written with
   a `z` behind the curve name, and signs with a nonce from a secret prefix and fresh octets: the reference
   leaves its prefix empty, so that one signature gives the private scalar away.
"""

import hmac
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from mathmesh.codec import b64
from mathmesh.errors import EncodingError, LocalProtocolError, VerificationError
from mathmesh.keys import algorithms, edwards, fingerprint, hkdf, montgomery, openssl, scalars
from mathmesh.types import Entropy

PUBLIC_TAG = "PublicKeyECDH"
PRIVATE_TAG = "PrivateKeyECDH"
DIRECT_SCALAR = "z"
PREFIX_INFO = b"mesh-hub eddsa prefix"

_PREFIX_OCTETS = 57
_FRESH_OCTETS = 32


class PublicKey:
    """A public key as published; equal when curve and octets are."""

    def __init__(self, crv: str, octets: bytes) -> None:
        """`octets` as in the `Public` member: 32 or 57, for agreement keys also 56 or 33 (with sign).

        Raises EncodingError for an unknown curve, a wrong size or a malformed sign octet.
        """
        curve = algorithms.curve(crv)
        if len(octets) not in curve.public_sizes:
            raise EncodingError(f"{crv} public key has the wrong size")
        if not curve.signs:
            montgomery.coordinate(crv, octets)
        self.crv = crv
        self.octets = bytes(octets)

    @property
    def udf_bytes(self) -> bytes:
        """Fingerprint in its 64-octet working form."""
        return fingerprint.key_udf_bytes(self.crv, self.octets)

    @property
    def udf(self) -> str:
        """Fingerprint at 140 bits, the `Udf` and `kid` members."""
        return fingerprint.key_udf(self.crv, self.octets)

    @property
    def u(self) -> bytes:
        """u coordinate of an agreement key, without the sign octet."""
        return self.octets[: montgomery.CURVES[self.crv].size]

    def verify(self, signature: bytes, message: bytes) -> None:
        """Checks a pure EdDSA signature with empty context; raises VerificationError unless it holds."""
        if not algorithms.curve(self.crv).signs:
            raise VerificationError(f"key {self.udf} is for agreement and signs nothing")
        if not openssl.signature_holds(self.crv, self.octets, signature, message):
            raise VerificationError(f"signature does not hold under key {self.udf}")

    def to_json(self) -> dict[str, Any]:
        """The tagged JSON object."""
        return {PUBLIC_TAG: {"crv": self.crv, "Public": b64.encode(self.octets)}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "PublicKey":
        """Key of a tagged object; raises EncodingError when it is malformed."""
        members = _members(value, PUBLIC_TAG)
        return cls(_text(members, "crv"), _octets(members, "Public"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PublicKey):
            return NotImplemented
        return self.crv == other.crv and self.octets == other.octets

    def __hash__(self) -> int:
        return hash((self.crv, self.octets))

    def __repr__(self) -> str:
        return f"PublicKey({self.crv}, {self.udf})"


class PrivateKey:
    """A private key; make one with `from_seed`, `from_scalar`, `from_json` or `generate`."""

    def __init__(self, crv: str, scalar: int, prefix: bytes, key_seed: bytes | None) -> None:
        self.crv = crv
        self.scalar = scalar
        self.key_seed = key_seed
        self._prefix = prefix

    @classmethod
    def from_seed(cls, crv: str, key_seed: bytes) -> "PrivateKey":
        """Key of a seed: 32 octets for the 25519 curves, 56 for the 448 ones (Ed448 also takes 57)."""
        algorithms.curve(crv)
        scalar, prefix = scalars.expand(crv, key_seed)
        return cls(crv, scalar, prefix, bytes(key_seed))

    @classmethod
    def from_scalar(cls, crv: str, scalar: int) -> "PrivateKey":
        """Composite key of a scalar, reduced modulo the order; raises EncodingError when that is zero."""
        curve = algorithms.curve(crv)
        scalar %= curve.order
        if scalar == 0:
            raise EncodingError(f"{crv} private scalar is zero")
        octets = scalar.to_bytes(curve.scalar_size, "little")
        prefix = hkdf.hkdf(octets, PREFIX_INFO, _PREFIX_OCTETS) if curve.signs else b""
        return cls(crv, scalar, prefix, None)

    @cached_property
    def public(self) -> PublicKey:
        """The public key. X448 keys carry the sign of v; X25519 keys do so when they are composite."""
        if self.crv == "X25519" and self.key_seed is not None:
            return PublicKey(self.crv, self.signed_public[: montgomery.CURVES[self.crv].size])
        return PublicKey(self.crv, self.signed_public)

    @cached_property
    def signed_public(self) -> bytes:
        """Public octets with all that is needed to combine them: 33 or 57 for agreement keys."""
        if algorithms.curve(self.crv).signs:
            return edwards.base_point(self.crv, self.scalar)
        u = openssl.base_point(self.crv, scalars.clampable(self.crv, self.scalar))
        u_next = openssl.base_point(self.crv, scalars.clampable(self.crv, self.scalar + 1))
        point = montgomery.recover(self.crv, int.from_bytes(u, "little"), int.from_bytes(u_next, "little"))
        return montgomery.encode(self.crv, point)

    def sign(self, message: bytes, entropy: Entropy) -> bytes:
        """Pure EdDSA signature with empty context.

        Seed keys sign deterministically. Composite keys take 32 octets of `entropy` for each signature.
        Raises LocalProtocolError for an agreement key.
        """
        if not algorithms.curve(self.crv).signs or not self._prefix:
            raise LocalProtocolError(f"a {self.crv} key cannot sign")
        nonce = self._prefix if self.key_seed is not None else self._prefix + entropy(_FRESH_OCTETS)
        return edwards.sign(self.crv, self.scalar, self.public.octets, nonce, message)

    def agree(self, peer: PublicKey) -> bytes:
        """Shared secret: the u coordinate, 32 or 56 octets, as input to a key derivation.

        Raises LocalProtocolError for keys of other curves, VerificationError for a peer of small order.
        """
        if algorithms.curve(self.crv).signs or peer.crv != self.crv:
            raise LocalProtocolError(f"a {self.crv} key cannot agree with a {peer.crv} key")
        return openssl.agree(self.crv, scalars.clampable(self.crv, self.scalar), peer.u)

    def to_json(self) -> dict[str, Any]:
        """The tagged JSON object, key material included."""
        if self.key_seed is not None:
            return {PRIVATE_TAG: {"crv": self.crv, "Private": b64.encode(self.key_seed)}}
        octets = self.scalar.to_bytes(algorithms.curve(self.crv).scalar_size, "little")
        return {PRIVATE_TAG: {"crv": self.crv + DIRECT_SCALAR, "Private": b64.encode(octets)}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "PrivateKey":
        """Key of a tagged object.

        Raises EncodingError when it is malformed, VerificationError when its `Public` is of another key.
        """
        members = _members(value, PRIVATE_TAG)
        crv = _text(members, "crv")
        octets = _octets(members, "Private")
        if crv.endswith(DIRECT_SCALAR):
            key = cls.from_scalar(crv[: -len(DIRECT_SCALAR)], int.from_bytes(octets, "little"))
        else:
            key = cls.from_seed(crv, octets)
        if members.get("Public") is not None:
            public = _octets(members, "Public")
            if public not in (key.public.octets, key.signed_public):
                raise VerificationError("private key object holds the public key of another pair")
        return key

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PrivateKey):
            return NotImplemented
        mine, theirs = (key.scalar.to_bytes(64, "little") + (key.key_seed or b"") for key in (self, other))
        return self.crv == other.crv and hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        return hash(self.public)

    def __repr__(self) -> str:
        return f"PrivateKey({self.crv}, of {self.public.udf})"


def generate(crv: str, entropy: Entropy) -> PrivateKey:
    """Fresh key from as much entropy as its seed has octets."""
    return PrivateKey.from_seed(crv, entropy(algorithms.curve(crv).private_size))


def _members(value: Mapping[str, Any], tag: str) -> Mapping[str, Any]:
    members = value.get(tag) if isinstance(value, Mapping) else None
    if not isinstance(members, Mapping):
        raise EncodingError(f"key object is not a {tag}")
    return members


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise EncodingError(f"key object lacks the text member {name}")
    return value


def _octets(members: Mapping[str, Any], name: str) -> bytes:
    value = members.get(name)
    if isinstance(value, bytes):
        return value
    return b64.decode(_text(members, name))
