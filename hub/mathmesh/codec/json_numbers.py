"""The numbers of JSON-D beyond binary64 (draft-hallambaker-jsonbcd §5); CPython only.

Binary formats (binary128, Intel's 80 bits) become the nearest float. Decimal formats become
`decimal.Decimal` with their exponent kept. The draft names the formats and not which of IEEE 754's two
encodings of decimals it means: we take the binary integer encoding, as processors and databases do.
Infinities, not-a-numbers and non-canonical significands are refused.
"""

from decimal import Decimal

from mathmesh.errors import EncodingError

FLOAT128, FLOAT80 = 0x94, 0x95
DECIMAL32, DECIMAL64, DECIMAL128 = 0x96, 0x97, 0x98

SIZES = {FLOAT128: 16, FLOAT80: 10, DECIMAL32: 4, DECIMAL64: 8, DECIMAL128: 16}

_DECIMALS = {
    # code: (octets, digits, exponent bits, bias)
    DECIMAL32: (4, 7, 8, 101),
    DECIMAL64: (8, 16, 10, 398),
    DECIMAL128: (16, 34, 14, 6176),
}
_BIAS = 16383


def read(code: int, octets: bytes) -> float | Decimal:
    """The number in `octets`, which are as many as SIZES tells for `code`; raises EncodingError."""
    value = int.from_bytes(octets, "big")
    if code == FLOAT128:
        fraction = value & ((1 << 112) - 1)
        exponent = (value >> 112) & 0x7FFF
        significand = fraction | (1 << 112 if exponent else 0)
        return _float(value >> 127, significand, exponent, 112)
    if code == FLOAT80:
        significand = value & ((1 << 64) - 1)
        exponent = (value >> 64) & 0x7FFF
        if bool(exponent) != bool(significand >> 63):
            raise EncodingError("80-bit number is not in normal form")
        return _float(value >> 79, significand, exponent, 63)
    return _decimal(code, value)


def is_decimal(value: object) -> bool:
    """Whether `value` is a Decimal."""
    return isinstance(value, Decimal)


def text(value: object) -> str:
    """JSON text of a Decimal; raises EncodingError when it is not finite."""
    return str(_finite(value))


def item(value: object) -> bytes:
    """Code and octets of a Decimal in the shortest decimal format that holds it.

    Raises EncodingError for what is not finite, has more than 34 digits or an exponent out of range.
    """
    sign, digits, exponent = _finite(value).as_tuple()
    significand = int("".join([str(digit) for digit in digits]) or "0")
    assert isinstance(exponent, int)
    for code, (octets, count, exponent_bits, bias) in _DECIMALS.items():
        biased = exponent + bias
        if significand < 10**count and 0 <= biased < 3 << (exponent_bits - 2):
            bits = 8 * octets
            small = bits - 1 - exponent_bits
            if significand >> small:
                rest = (3 << (bits - 3)) | biased << (small - 2) | significand & ((1 << (small - 2)) - 1)
            else:
                rest = biased << small | significand
            return bytes([code]) + (sign << (bits - 1) | rest).to_bytes(octets, "big")
    raise EncodingError("decimal number has too many digits or an exponent out of range")


def _float(sign: int, significand: int, exponent: int, point: int) -> float:
    if exponent == 0x7FFF:
        raise EncodingError("document holds a number that is not finite")
    shift = max(exponent, 1) - _BIAS - point
    try:
        size = float(significand << shift) if shift >= 0 else significand / (1 << -shift)
    except OverflowError:
        raise EncodingError("document holds a number too large for a float") from None
    return -size if sign else size


def _decimal(code: int, value: int) -> Decimal:
    octets, count, exponent_bits, bias = _DECIMALS[code]
    bits = 8 * octets
    small = bits - 1 - exponent_bits
    if (value >> (bits - 5)) & 15 == 15:
        raise EncodingError("document holds a number that is not finite")
    if (value >> (bits - 3)) & 3 == 3:
        biased = (value >> (small - 2)) & ((1 << exponent_bits) - 1)
        significand = (4 << (small - 2)) | value & ((1 << (small - 2)) - 1)
    else:
        biased = (value >> small) & ((1 << exponent_bits) - 1)
        significand = value & ((1 << small) - 1)
    if significand >= 10**count:
        raise EncodingError("decimal number is not in canonical form")
    digits = tuple(int(digit) for digit in str(significand))
    return Decimal((value >> (bits - 1), digits, biased - bias))


def _finite(value: object) -> Decimal:
    assert isinstance(value, Decimal)
    if not value.is_finite():
        raise EncodingError("number is not finite")
    return value
