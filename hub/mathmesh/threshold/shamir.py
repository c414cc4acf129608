"""Shamir shares of a secret, UDFs of type S (draft-hallambaker-mesh-udf §4.6, protocol book).

We use a polynomial of degree t - 1 and exactly t shares; the drafts' text says degree t. A share carries
no checksum and no name of its set. What can be noticed is: shares of other sizes or thresholds, surplus
shares that lie on another polynomial, and values outside the field's range. `recovery` checks the rest.
"""

from collections.abc import Sequence

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, PolicyError, VerificationError
from mathmesh.types import Entropy

MINIMUM_THRESHOLD = 2
MAXIMUM_SHARES = 15
MAXIMUM_OCTETS = 64

PRIME_OFFSETS = (
    *(1, 1, 43, 15, 15, 21, 81, 13, 15, 13, 7, 61, 111, 25, 451, 51),
    *(85, 175, 253, 7, 87, 427, 27, 133, 235, 375, 423, 735, 357, 115, 81, 297),
    *(175, 57, 45, 127, 61, 37, 91, 27, 15, 241, 231, 55, 105, 127, 115, 231),
    *(207, 181, 37, 235, 163, 1093, 187, 211, 21, 841, 445, 165, 777, 583, 133, 75),
)
"""At index n - 1 the distance from 2^(8n) to the next prime, for secrets of n octets."""


def prime(octets: int) -> int:
    """Field prime for secrets of 1 to 64 octets."""
    if not 0 < octets <= MAXIMUM_OCTETS:
        raise EncodingError("a shared secret has 1 to 64 octets")
    return (1 << 8 * octets) + PRIME_OFFSETS[octets - 1]


def split(secret: bytes, threshold: int, count: int, entropy: Entropy) -> list[str]:
    """`count` share UDFs of which any `threshold` recover `secret`; raises PolicyError on other limits."""
    if not MINIMUM_THRESHOLD <= threshold <= count <= MAXIMUM_SHARES:
        raise PolicyError("share a secret among 2 to 15, with a threshold of at least 2 and at most as many")
    field = prime(len(secret))
    while True:
        coefficients = [_uniform(field, entropy) for _ in range(threshold - 1)]
        shares = split_with(secret, coefficients, count)
        if shares is not None:
            return shares


def split_with(secret: bytes, coefficients: Sequence[int], count: int) -> list[str] | None:
    """Shares on the polynomial with these coefficients of x, x², …; None when one of them does not fit."""
    field = prime(len(secret))
    shares = []
    for x in range(1, count + 1):
        value = 0
        for coefficient in reversed([int.from_bytes(secret, "big"), *coefficients]):
            value = (value * x + coefficient) % field
        if value >> 8 * len(secret):
            return None
        head = bytes([(len(coefficients) + 1) << 4 | (x - 1)])
        shares.append(udf.text(udf.SHARE, head + value.to_bytes(len(secret), "big")))
    return shares


def recover(shares: Sequence[str]) -> bytes:
    """The secret behind at least as many shares as their threshold, of which exactly that many are used.

    Shares beyond the threshold must agree with the others. With none to spare, a share that was altered
    gives another secret: compare an identifier, as `recovery.recover` does.
    Raises EncodingError for anything that is no share, VerificationError for shares that do not belong
    together or are too few.
    """
    points, threshold, octets = _points(shares)
    field = prime(octets)
    if not _on_one_polynomial(points, threshold, field):
        raise VerificationError(_odd_share(points, threshold, field))
    value = _value_at(0, dict(list(points.items())[:threshold]), field)
    if value >> 8 * octets:
        raise VerificationError("shares do not belong together")
    return value.to_bytes(octets, "big")


def _points(shares: Sequence[str]) -> tuple[dict[int, int], int, int]:
    """Value of each share by its number, the threshold, and the size of the secret in octets."""
    points: dict[int, int] = {}
    kinds = set()
    for share in shares:
        code, data = udf.parse(share)
        if code != udf.SHARE or len(data) < 2:
            raise EncodingError("a share is a UDF that begins with S")
        if udf.text(code, data) != udf.canonical(share):
            raise EncodingError("a share has characters after its end or bits set in its last one")
        kinds.add((data[0] >> 4, len(data) - 1))
        x, value = (data[0] & 15) + 1, int.from_bytes(data[1:], "big")
        if x > MAXIMUM_SHARES:
            raise EncodingError("a share has a number above 15")
        if points.setdefault(x, value) != value:
            raise VerificationError("two different shares carry the same number")
    if len(kinds) != 1:
        raise VerificationError("shares are of different secrets")
    threshold, octets = kinds.pop()
    if threshold < MINIMUM_THRESHOLD or len(points) < threshold:
        raise VerificationError(f"{len(points)} shares are too few, {threshold} are needed")
    return points, threshold, octets


def _on_one_polynomial(points: dict[int, int], threshold: int, field: int) -> bool:
    chosen = dict(list(points.items())[:threshold])
    return all(_value_at(x, chosen, field) == value for x, value in points.items() if x not in chosen)


def _odd_share(points: dict[int, int], threshold: int, field: int) -> str:
    """What to say: one share may be named when the others, without it, still confirm each other."""
    odd = []
    for number in points if len(points) > threshold + 1 else ():
        rest = {x: value for x, value in points.items() if x != number}
        if _on_one_polynomial(rest, threshold, field):
            odd.append(number)
    if len(odd) == 1:
        return f"share number {odd[0]} does not belong to the others; leave it out"
    return "shares do not belong together"


def _value_at(position: int, points: dict[int, int], field: int) -> int:
    """Value at `position` of the polynomial of least degree through `points` (Lagrange)."""
    total = 0
    for x, value in points.items():
        numerator = denominator = 1
        for other in points:
            if other != x:
                numerator = numerator * (position - other) % field
                denominator = denominator * (x - other) % field
        total += value * numerator * pow(denominator, -1, field)
    return total % field


def _uniform(field: int, entropy: Entropy) -> int:
    bits = field.bit_length()
    while True:
        value = int.from_bytes(entropy((bits + 7) // 8), "big") & ((1 << bits) - 1)
        if value < field:
            return value
