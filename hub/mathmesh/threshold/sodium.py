"""The only user of `pynacl`: points of edwards25519 with secret scalars, in libsodium's constant time."""

from nacl import bindings

from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys.algorithms import ED25519


def base_point(scalar: int) -> bytes:
    """Encoding of scalar times the base point; raises EncodingError when the scalar is zero."""
    return bindings.crypto_scalarmult_ed25519_base_noclamp(_octets(scalar))


def multiply(scalar: int, point: bytes) -> bytes:
    """Encoding of scalar times a point that `check` has accepted; raises as `base_point` does."""
    return bindings.crypto_scalarmult_ed25519_noclamp(_octets(scalar), point)


def add(one: bytes, two: bytes) -> bytes:
    """Encoding of the sum of points that `check` has accepted; it may be the neutral point."""
    return bindings.crypto_core_ed25519_add(one, two)


def check(point: bytes) -> bytes:
    """The same octets; raises VerificationError unless they are a point of prime order."""
    if len(point) != ED25519.public_size or not bindings.crypto_core_ed25519_is_valid_point(point):
        raise VerificationError("point is not one of prime order; refuse its sender")
    return point


def _octets(scalar: int) -> bytes:
    reduced = scalar % ED25519.order
    if reduced == 0:
        raise EncodingError("Ed25519 scalar is zero")
    return reduced.to_bytes(ED25519.scalar_size, "little")
