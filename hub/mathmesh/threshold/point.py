"""Points that threshold operations receive, send and add up (draft-hallambaker-threshold §5, protocol book).

For public points only: the arithmetic is not constant time. Agreement points are written with the sign of v,
in 57 octets for X448 and 33 for X25519 (the draft says 57 for both and shows 33); signature points as
RFC 8032 says. What a key derivation takes is the u coordinate alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce

from mathmesh.errors import EncodingError, LocalProtocolError, VerificationError
from mathmesh.keys import algorithms, edwards, montgomery

_SMALL_ORDER = "the point is of small order; refuse its sender"

_P25519 = montgomery.CURVES["X25519"].p
_P448 = montgomery.CURVES["X448"].p

EDWARDS = {
    "Ed25519": (_P25519, -1, -121665 * pow(121666, -1, _P25519) % _P25519),
    "Ed448": (_P448, 1, -39081),
}
"""p, a and d of a·x² + y² = 1 + d·x²·y² (RFC 8032)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of its curve, not of small order: (u, v) of an agreement curve, (x, y) of a signature curve."""

    crv: str
    first: int
    second: int
    inverse: int | None = field(default=None, compare=False, repr=False)
    """1/v, when reading an agreement point found it on the way."""

    @classmethod
    def decode(cls, crv: str, octets: bytes) -> "Point":
        """The point in `octets`.

        Raises EncodingError for a wrong size and for an agreement point without its sign octet, which can be
        agreed with but not combined; VerificationError off the curve and for points of small order.
        """
        if len(octets) not in algorithms.curve(crv).public_sizes:
            raise EncodingError(f"{crv} point has the wrong size")
        if crv in EDWARDS:
            x, y = edwards.coordinates(crv, octets)
            _check_edwards(crv, x, y)
            return cls(crv=crv, first=x, second=y)
        u, v, inverse = montgomery.decode_with_inverse(crv, octets)
        _check_montgomery(crv, u)
        return cls(crv=crv, first=u, second=v, inverse=inverse)

    @property
    def octets(self) -> bytes:
        """The encoding that `decode` reads."""
        if self.crv not in EDWARDS:
            return montgomery.encode(self.crv, (self.first, self.second))
        size = algorithms.curve(self.crv).public_size
        return (self.second | (self.first & 1) << 8 * size - 1).to_bytes(size, "little")

    @property
    def agreement(self) -> bytes:
        """u alone, 32 or 56 octets, the input of a key derivation.

        Raises LocalProtocolError for a point of a signature curve.
        """
        if self.crv in EDWARDS:
            raise LocalProtocolError(f"{self.crv} is for signatures; no key is derived from its points")
        return self.first.to_bytes(montgomery.CURVES[self.crv].size, "little")


def combine(points: Iterable[Point]) -> Point:
    """Sum of the points, as of the partial results of all parties.

    Raises VerificationError when some of them cancel each other out, LocalProtocolError when there are none
    and when they are of several curves.
    """
    found = list(points)
    if not found:
        raise LocalProtocolError("no partial result to combine")
    return reduce(_add, found)


def _add(one: Point, two: Point) -> Point:
    if one.crv != two.crv:
        raise LocalProtocolError(f"a {one.crv} point cannot be combined with a {two.crv} point")
    if one.crv in EDWARDS:
        x, y = _add_edwards(one, two)
        return Point(crv=one.crv, first=x, second=y)
    u, v = montgomery.add(one.crv, (one.first, one.second), (two.first, two.second))
    return Point(crv=one.crv, first=u, second=v)


def _add_edwards(one: Point, two: Point) -> tuple[int, int]:
    p, a, d = EDWARDS[one.crv]
    cross, straight = one.first * two.second % p, one.second * two.first % p
    upright, level = one.second * two.second % p, a * one.first * two.first % p
    product = d * cross * straight % p
    inverse = pow((1 + product) * (1 - product), -1, p)
    x = (cross + straight) * (1 - product) * inverse % p
    y = (upright - level) * (1 + product) * inverse % p
    if x == 0:
        raise VerificationError("the two points cancel each other out; refuse them")
    return x, y


def _check_montgomery(crv: str, u: int) -> None:
    p = montgomery.CURVES[crv].p
    square = (u * u - 1) % p
    fourfold = 4 * montgomery.square_of_v(crv, u) % p
    # Doubling gives square² / fourfold, and twice 0, 1 or -1 is of order one or two.
    if u == 0 or square == 0 or square * square % p in (fourfold, p - fourfold):
        raise VerificationError(_SMALL_ORDER)


def _check_edwards(crv: str, x: int, y: int) -> None:
    p, a, _ = EDWARDS[crv]
    # Points of order eight, which edwards448 has not, double to a point with y = 0.
    if x == 0 or y == 0 or (y * y - a * x * x) % p == 0:
        raise VerificationError(_SMALL_ORDER)
