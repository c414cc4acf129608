"""Addition of public keys and of private scalars, the group that threshold operations work in."""

from mathmesh.errors import LocalProtocolError
from mathmesh.keys import algorithms, edwards, montgomery, openssl, scalars
from mathmesh.keys.pair import PublicKey

_PROBE_SCALAR = 1


def same_curve(first: str, second: str) -> str:
    """The curve both name; raises LocalProtocolError when they differ."""
    if first != second:
        raise LocalProtocolError(f"a {first} key cannot be combined with a {second} key")
    return first


def add_public(first: PublicKey, second: PublicKey) -> PublicKey:
    """Sum of two public points.

    Raises EncodingError when an agreement key lacks its sign octet, VerificationError when a point is off
    its curve or of small order, and when the two cancel out.
    """
    crv = same_curve(first.crv, second.crv)
    if algorithms.curve(crv).signs:
        return PublicKey(crv, edwards.add(crv, first.octets, second.octets))
    points = [montgomery.decode(crv, key.octets) for key in (first, second)]
    total = PublicKey(crv, montgomery.encode(crv, montgomery.add(crv, *points)))
    for key in (first, second, total):
        openssl.agree(crv, scalars.clampable(crv, _PROBE_SCALAR), key.u)
    return total


def add_scalars(crv: str, first: int, second: int) -> int:
    """Sum modulo the order of the prime subgroup."""
    return (first + second) % algorithms.curve(crv).order
