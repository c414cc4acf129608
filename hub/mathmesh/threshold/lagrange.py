"""Polynomials modulo the order of a group, on which the shares of a quorate split lie."""

from collections.abc import Iterable, Sequence

from mathmesh.errors import LocalProtocolError
from mathmesh.types import Entropy


def coefficient(number: int, numbers: Iterable[int], order: int) -> int:
    """Factor of share `number` when those of `numbers` work together (draft-hallambaker-threshold §4.2).

    Raises LocalProtocolError unless the numbers are different, between 1 and the order, and `number` is one.
    """
    found = list(numbers)
    if number not in found or len(set(found)) != len(found) or not all(0 < x < order for x in found):
        raise LocalProtocolError("the shares of a quorum need different numbers from 1 up")
    numerator = denominator = 1
    for other in found:
        if other != number:
            numerator = numerator * other % order
            denominator = denominator * (other - number) % order
    return numerator * pow(denominator, -1, order) % order


def evaluate(coefficients: Sequence[int], x: int, order: int) -> int:
    """Value at `x` of the polynomial with these coefficients, the constant one first."""
    value = 0
    for factor in reversed(coefficients):
        value = (value * x + factor) % order
    return value


def uniform(order: int, entropy: Entropy) -> int:
    """A number from 1 to order - 1, all equally likely."""
    bits = order.bit_length()
    while True:
        value = int.from_bytes(entropy((bits + 7) // 8), "little") & (1 << bits) - 1
        if 0 < value < order:
            return value
