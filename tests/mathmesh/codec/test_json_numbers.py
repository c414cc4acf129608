"""JSON-D numbers. Octets of the binary formats follow from IEEE 754 and Intel's manual, those of the decimal
ones from the binary integer encoding of IEEE 754-2008 §3.5.2.
"""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import jsonbcd
from mathmesh.errors import EncodingError

NUMBERS: list[tuple[str, Any]] = [
    ("94 3fff0000000000000000000000000000", 1.0),
    ("94 c0008000000000000000000000000000", -3.0),
    ("94 3ffb9999999999999999999999999999", 0.1),
    ("94 00000000000000000000000000000000", 0.0),
    ("94 00000000000000000000000000000001", 0.0),
    ("94 3bcd0000000000000000000000000000", 2.0**-1074),
    ("94 43fefffffffffffff000000000000000", 1.7976931348623157e308),
    ("95 3fff8000000000000000", 1.0),
    ("95 c000c000000000000000", -3.0),
    ("95 4000c90fdaa22168c235", 3.141592653589793),
    ("96 32800001", Decimal(1)),
    ("96 b2800001", Decimal(-1)),
    ("96 3200000f", Decimal("1.5")),
    ("96 00000000", Decimal("0E-101")),
    ("96 77f8967f", Decimal("9999999E90")),
    ("97 31c0000000000001", Decimal(1)),
    ("97 6c7386f26fc0ffff", Decimal("9999999999999999")),
    ("98 30400000000000000000000000000001", Decimal(1)),
    ("98 303e000000000000000000000000000f", Decimal("1.5")),
    ("98 3041ed09bead87c0378d8e63ffffffff", Decimal("9" * 34)),
]

REFUSED = [
    *("94 7fff0000000000000000000000000000", "94 ffff0000000000000000000000000001"),
    *("94 43ff0000000000000000000000000000", "94 43feffffffffffffffffffffffffffff"),
    *("95 7fff8000000000000000", "95 3fff0000000000000000", "95 00008000000000000000"),
    *("96 78000000", "96 7c000000", "96 6cb89680", "97 7800000000000000", "98 7c" + "00" * 15),
    *("98 60000000000000000000000000000000", "98 3041ed09bead87c0378d8e6400000000", "97 6c7386f26fc10000"),
    *("92 7ff0000000000000", "92 7ff8000000000000", "91 ff800000", "94 3fff", "98 00", "93 00"),
]

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**33), max_value=10**33)


@pytest.mark.parametrize(("octets", "value"), NUMBERS)
def test_numbers_are_read(octets: str, value: Any) -> None:
    read = jsonbcd.loads(bytes.fromhex(octets))
    assert type(read) is type(value)
    assert read == value
    if isinstance(value, Decimal):
        assert read.as_tuple() == value.as_tuple()  # type: ignore[attr-defined]


@pytest.mark.parametrize("octets", REFUSED)
def test_what_is_no_finite_canonical_number_is_refused(octets: str) -> None:
    with pytest.raises(EncodingError):
        jsonbcd.loads(bytes.fromhex(octets))


@pytest.mark.parametrize(("octets", "value"), [row for row in NUMBERS if isinstance(row[1], Decimal)])
def test_decimals_are_written_in_the_shortest_format(octets: str, value: Decimal) -> None:
    written = jsonbcd.dumps_b(value)
    assert jsonbcd.loads(written) == value
    assert len(written) <= len(bytes.fromhex(octets))
    if value not in (1, Decimal("1.5")) or octets.startswith("96"):
        assert written == bytes.fromhex(octets)


@given(decimals, st.integers(-6000, 6000))
@settings(max_examples=150, deadline=None)
def test_decimals_keep_sign_digits_and_exponent(value: Decimal, shift: int) -> None:
    moved = value.scaleb(shift)
    if len(moved.as_tuple().digits) <= 34 and -6176 <= int(moved.as_tuple().exponent) <= 6111:
        read = jsonbcd.loads(jsonbcd.dumps_b(moved))
        assert isinstance(read, Decimal)
        assert read.as_tuple() == moved.as_tuple()
        assert Decimal(jsonbcd.dumps(moved).decode()) == moved


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), Decimal("1" * 35), Decimal("1E9999")])
def test_decimals_out_of_range_are_not_written(value: Decimal) -> None:
    with pytest.raises(EncodingError):
        jsonbcd.dumps_b(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=150, deadline=None)
def test_every_float_is_the_binary128_of_itself(value: float) -> None:
    """A float widened to binary128 by hand is read back as the same float."""
    numerator, denominator = abs(value).as_integer_ratio()
    if value == 0:
        return
    exponent = numerator.bit_length() - denominator.bit_length()
    exponent -= numerator < denominator << exponent if exponent >= 0 else numerator << -exponent < denominator
    shift = 112 - exponent
    significand = (numerator << shift) // denominator if shift >= 0 else (numerator >> -shift) // denominator
    octets = (value < 0) << 127 | (exponent + 16383) << 112 | significand & ((1 << 112) - 1)
    assert jsonbcd.loads(b"\x94" + octets.to_bytes(16, "big")) == value
