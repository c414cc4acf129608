"""Documents in JSON, JSON-B, JSON-C and JSON-D, by the strict and the tolerant reader."""

from collections.abc import Iterable
from decimal import Decimal

from mathmesh.codec import jsonbcd
from mathmesh.errors import EncodingError

VALUES: list[object] = [
    {"Header": {"enc": "A256CBC", "recipients": [{"kid": "M", "wmk": b"\x01\x02"}, {"kid": "M"}]}},
    [0, -1, 2**64, -(2**100), 1.5, None, True, False, "é€😀", b"\x00" * 300, Decimal("1.50")],
]


def seeds() -> Iterable[bytes]:
    """Each encoding, and each kind of item."""
    for value in VALUES:
        yield jsonbcd.dumps(value)
        yield jsonbcd.dumps_b(value)
        yield jsonbcd.dumps_c(value)
    for item in (
        *(
            "a700012a",
            "840548656c6c6f8000",
            "8c020102880103",
            "903c00",
            "913f800000",
            "95c000c000000000000000",
        ),
        *(
            "94c0008000000000000000000000000000",
            "96b2800001",
            "97" + "31c0000000000001",
            "983040" + "00" * 13 + "01",
        ),
        *("5bc820800548656c6c6fc020c100205d", "7bc80180056669727374a0017d", "b5000161a001"),
    ):
        yield bytes.fromhex(item)


def one(data: bytes) -> None:
    """Reads `data`; what is read is written in three encodings and read again alike."""
    for tolerant in (False, True):
        try:
            value = jsonbcd.loads(data, tolerant)
        except EncodingError:
            continue
        for write in (jsonbcd.dumps_b, jsonbcd.dumps_c):
            octets = write(value)
            assert _alike(jsonbcd.loads(octets), value)
            assert write(jsonbcd.loads(octets)) == octets
        if _has_text(value):
            text = jsonbcd.dumps(value)
            assert jsonbcd.dumps(jsonbcd.loads(text)) == text


def _has_text(value: object) -> bool:
    """Whether text holds `value` and is read again: decimals and numbers of many digits are not for text."""
    if isinstance(value, dict):
        return all(_has_text(item) for item in value.values())
    if isinstance(value, list):
        return all(_has_text(item) for item in value)
    if isinstance(value, int):
        return value.bit_length() < 1024
    return not isinstance(value, Decimal)


def _alike(one: object, other: object) -> bool:
    return repr(one) == repr(other)
