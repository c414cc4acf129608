"""Signature curves as agreement curves and back, so that one constant-time function serves all four.

edwards25519 is curve25519 in other coordinates (RFC 7748 §4.1). edwards448 is 4-isogenous to curve448
(RFC 7748 §4.2): the way there and back multiplies by four, and takes away any part of small order.
For public points only.
"""

from mathmesh.keys import montgomery
from mathmesh.threshold.point import Point

_ROOT_25519 = 0x70D9120B9F5FF9442D84F723FC03B0813A5E2C2EB482E57D3391FB5500BA81E7
"""The square root of -486664 that takes the base point of RFC 8032 to that of RFC 7748."""

_INVERSE_ROOT_25519 = pow(_ROOT_25519, -1, montgomery.CURVES["X25519"].p)

Spread = tuple[int, int, int]
"""u, v and 1/v."""

DEGREE = {"X25519": 1, "X448": 1, "Ed25519": 1, "Ed448": 4}
"""The factor that the way to the agreement curve and back puts on a point."""

AGREEMENT_CURVE = {"X25519": "X25519", "X448": "X448", "Ed25519": "X25519", "Ed448": "X448"}


def to_montgomery(point: Point) -> Spread:
    """The point on the agreement curve."""
    p = montgomery.CURVES[AGREEMENT_CURVE[point.crv]].p
    if point.crv not in ("Ed25519", "Ed448"):
        return point.first, point.second, point.inverse or pow(point.second, -1, p)
    x, y = point.first, point.second
    if point.crv == "Ed25519":
        inverse = pow((1 - y) * (1 + y) * x, -1, p)
        u = (1 + y) * (1 + y) * x * inverse % p
        v = _ROOT_25519 * u * (1 - y) * (1 + y) * inverse % p
        return u, v, _INVERSE_ROOT_25519 * inverse * (x * (1 - y)) ** 2 % p
    rest = (2 - x * x - y * y) % p
    inverse = pow(x * y * rest, -1, p)
    over_x = inverse * y * rest % p
    u = y * y * over_x * over_x % p
    return u, rest * y * over_x**3 % p, x**3 * inverse * x % p


def from_montgomery(crv: str, u: int, v: int) -> Point:
    """The point of `crv` for a point of its agreement curve, with the factor in `DEGREE`."""
    if crv in ("X25519", "X448"):
        return Point(crv=crv, first=u, second=v)
    p = montgomery.CURVES[AGREEMENT_CURVE[crv]].p
    if crv == "Ed25519":
        inverse = pow(v * (u + 1), -1, p)
        return Point(
            crv=crv,
            first=_ROOT_25519 * u * (u + 1) * inverse % p,
            second=(u - 1) * v * inverse % p,
        )
    u2, v2 = u * u % p, v * v % p
    over_x = (u2 * u2 - 2 * u2 + 4 * v2 + 1) % p
    over_y = (u * (u2 * u2 - 2 * u2 + 1) - 2 * v2 * (u2 + 1)) % p
    inverse = pow(over_x * over_y, -1, p)
    return Point(
        crv=crv,
        first=4 * v * (u2 - 1) * over_y * inverse % p,
        second=-u * (u2 * u2 - 2 * u2 - 4 * v2 + 1) * over_x * inverse % p,
    )
