"""Affine arithmetic on curve25519 and curve448 (RFC 7748), for public points only: it is not constant time.

A signed public key is the u coordinate, little endian, and one octet that is 0x80 when v is odd, else 0.
"""

from dataclasses import dataclass

from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import edwards

ODD = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class Montgomery:
    """v² = u³ + A·u² + u modulo p, with the base point whose v the Mesh reference uses."""

    size: int
    p: int
    a: int
    u: int
    v: int


CURVES = {
    "X25519": Montgomery(
        size=32,
        p=2**255 - 19,
        a=486662,
        u=9,
        v=14781619447589544791020593568409986887264606134616475288964881837755586237401,
    ),
    "X448": Montgomery(
        size=56,
        p=2**448 - 2**224 - 1,
        a=156326,
        u=5,
        v=int(
            "3552939267855681752641275020637833348089763993877142718318808984351"
            "69088786967410002932673765864550910142774147268105838985595290606362"
        ),
    ),
}

Point = tuple[int, int]

_ROOT_OF_MINUS_ONE = pow(2, (CURVES["X25519"].p - 1) // 4, CURVES["X25519"].p)


def decode(crv: str, octets: bytes) -> Point:
    """The point of a signed public key.

    Raises EncodingError when the sign octet is missing or malformed, VerificationError off the curve.
    """
    u, v, _ = decode_with_inverse(crv, octets)
    return u, v


def decode_with_inverse(crv: str, octets: bytes) -> tuple[int, int, int]:
    """The point as `decode` gives it and 1/v, which costs nothing beside the square root."""
    curve = CURVES[crv]
    if len(octets) != curve.size + 1:
        raise EncodingError(f"{crv} public key lacks the octet with the sign of v and cannot be combined")
    u = coordinate(crv, octets)
    v, inverse = _root_and_inverse(square_of_v(crv, u), curve.p)
    if v % 2 != octets[-1] // ODD:
        v, inverse = -v % curve.p, -inverse % curve.p
    return u, v, inverse


def square_of_v(crv: str, u: int) -> int:
    """v² of the points with this u, a number that has no root when there are none."""
    curve = CURVES[crv]
    return ((u + curve.a) * u + 1) * u % curve.p


def coordinate(crv: str, octets: bytes) -> int:
    """u of a public key with or without sign octet, reduced modulo p as RFC 7748 §5 says."""
    curve = CURVES[crv]
    if len(octets) > curve.size and octets[-1] not in (0, ODD):
        raise EncodingError(f"{crv} public key ends in a malformed sign octet")
    u = int.from_bytes(octets[: curve.size], "little")
    return u % 2**255 % curve.p if crv == "X25519" else u % curve.p


def encode(crv: str, point: Point) -> bytes:
    """Signed public key of a point."""
    return point[0].to_bytes(CURVES[crv].size, "little") + bytes([ODD if point[1] % 2 else 0])


def recover(crv: str, u: int, u_next: int) -> Point:
    """The point s·B, from its u coordinate and that of (s+1)·B, by the formula of Okeya and Sakurai."""
    return recover_from(crv, (CURVES[crv].u, CURVES[crv].v), u, u_next)


def recover_from(crv: str, base: Point, u: int, u_next: int) -> Point:
    """The point Q, from its u coordinate, a point P with v ≠ 0 and the u coordinate of P + Q."""
    return u, recover_v(crv, base[0], pow(base[1], -1, CURVES[crv].p), u, u_next)


def recover_v(crv: str, u_p: int, inverse: int, u: int, u_next: int) -> int:
    """v of Q as in `recover_from`, when 1/v of P is known already."""
    curve = CURVES[crv]
    numerator = (u_p * u + 1) * (u_p + u + 2 * curve.a) - 2 * curve.a - (u_p - u) ** 2 * u_next
    return numerator % curve.p * inverse * ((curve.p + 1) // 2) % curve.p


def add(crv: str, first: Point, second: Point) -> Point:
    """Sum of two points; raises VerificationError when it is the point at infinity."""
    curve = CURVES[crv]
    (u1, v1), (u2, v2) = first, second
    if u1 != u2:
        rise, run = v2 - v1, u2 - u1
    elif v1 == v2 and v1 != 0:
        rise, run = 3 * u1 * u1 + 2 * curve.a * u1 + 1, 2 * v1
    else:
        raise VerificationError("the two public keys cancel each other out; refuse them")
    slope = rise * pow(run, -1, curve.p) % curve.p
    u = (slope * slope - curve.a - u1 - u2) % curve.p
    return u, (slope * (u1 - u) - v1) % curve.p


def _root_and_inverse(square: int, p: int) -> tuple[int, int]:
    if p % 4 == 3:
        inverse = edwards.power(square, (p - 3) // 4, p)
        root = square * inverse % p
    else:
        inverse = edwards.power(square, (p - 5) // 8, p)
        root = square * inverse % p
        if root * root % p != square:
            root, inverse = root * _ROOT_OF_MINUS_ONE % p, inverse * _ROOT_OF_MINUS_ONE % p
    if root * root % p != square:
        raise VerificationError("public key is not a point of its curve; refuse its owner")
    return root, inverse
