"""Hashes, encodings and points of FROST with Ed25519 and with Ed448 (RFC 9591 §6.1 and §6.3)."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from mathmesh.errors import EncodingError, LocalProtocolError
from mathmesh.keys import algorithms, edwards
from mathmesh.threshold import sodium

Element = Any
"""A point as the library of its curve holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One ciphersuite; points are encoded as in RFC 8032, scalars in as many octets, little endian."""

    crv: str
    context: bytes
    challenge_prefix: bytes
    """What stands before the challenge's input, so that the signature is one of RFC 8032."""
    base_point: Callable[[int], bytes]
    decode: Callable[[bytes], Element]
    """Raises VerificationError unless the octets are a point of prime order."""
    load: Callable[[bytes], Element]
    """As `decode`, for octets that we made ourselves and need not check."""
    encode: Callable[[Element], bytes]
    multiply: Callable[[int, Element], Element]
    add: Callable[[Element, Element], Element]

    @property
    def order(self) -> int:
        """Order of the group, the modulus of all scalars."""
        return algorithms.curve(self.crv).order

    @property
    def size(self) -> int:
        """Octets of a scalar and of a point."""
        return algorithms.curve(self.crv).public_size

    def hash(self, label: bytes, *pieces: bytes) -> bytes:
        """H4 and H5, with the labels `msg` and `com`."""
        return edwards.digest(self.crv, self.context, label, *pieces)

    def hash_to_scalar(self, label: bytes, *pieces: bytes) -> int:
        """H1 and H3, with the labels `rho` and `nonce`."""
        return int.from_bytes(self.hash(label, *pieces), "little") % self.order

    def challenge(self, commitment: bytes, public: bytes, message: bytes) -> int:
        """H2 of the group commitment, the group's public key and the message."""
        digest = edwards.digest(self.crv, self.challenge_prefix, commitment, public, message)
        return int.from_bytes(digest, "little") % self.order

    def write_scalar(self, scalar: int) -> bytes:
        """SerializeScalar."""
        return (scalar % self.order).to_bytes(self.size, "little")

    def read_scalar(self, octets: bytes) -> int:
        """DeserializeScalar; raises EncodingError for a wrong size and for numbers that are not reduced."""
        scalar = int.from_bytes(octets, "little")
        if len(octets) != self.size or scalar >= self.order:
            raise EncodingError(f"{self.crv} scalar is malformed")
        return scalar


_SUITES = {
    "Ed25519": Suite(
        crv="Ed25519",
        context=b"FROST-ED25519-SHA512-v1",
        challenge_prefix=b"",
        base_point=sodium.base_point,
        decode=sodium.check,
        load=bytes,
        encode=bytes,
        multiply=sodium.multiply,
        add=sodium.add,
    ),
    "Ed448": Suite(
        crv="Ed448",
        context=b"FROST-ED448-SHAKE256-v1",
        challenge_prefix=edwards.DOM4,
        base_point=partial(edwards.base_point, "Ed448"),
        decode=partial(edwards.decode, "Ed448"),
        load=edwards.load,
        encode=partial(edwards.encode, "Ed448"),
        multiply=lambda scalar, point: point * (scalar % algorithms.ED448.order),
        add=operator.add,
    ),
}


def suite(crv: str) -> Suite:
    """The suite of a signature curve; raises LocalProtocolError for others."""
    found = _SUITES.get(crv)
    if found is None:
        raise LocalProtocolError(f"{crv} keys sign nothing, alone or together")
    return found
