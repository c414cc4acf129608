from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import json_compressed, jsonbcd
from mathmesh.errors import EncodingError

# draft-hallambaker-jsonbcd §4: value, codes, octets.
WRITTEN: list[tuple[Any, dict[str | bytes, int], str]] = [
    (["Hello"] * 3, {"Hello": 32}, "5bc820800548656c6c6fc020c0205d"),
    ({"first": 1, "other": "first"}, {"first": 1}, "7bc80180056669727374a001b4056f74686572c0017d"),
    ([b"\x01\x02", b"\x01\x02"], {b"\x01\x02": 300}, "5bc9012c88020102c1012c5d"),
    (["a", b"a"], {"a": 0}, "5bc80080016188 01615d"),
    (["once"], {}, "5b80046f6e63655d"),
    ({"a": [True, None, -1, 1.0]}, {}, "7bb401615bb0b2a801923ff00000000000005d7d"),
]

words = st.sampled_from(["Signature", "recipients", "kid", "a", "", "é€😀", "PublicKeyECDH"])
values = st.recursive(
    words | st.binary(max_size=8) | st.integers(-(2**70), 2**70) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(words, inner, max_size=5),
    max_leaves=30,
)


@pytest.mark.parametrize(("value", "codes", "octets"), WRITTEN)
def test_codes_are_defined_at_their_first_use(value: Any, codes: dict[str | bytes, int], octets: str) -> None:
    assert jsonbcd.dumps_c(value, codes).hex() == octets.replace(" ", "")
    assert jsonbcd.loads(bytes.fromhex(octets)) == value


@given(values)
@settings(max_examples=150, deadline=None)
def test_round_trip_and_never_longer_than_json_b(value: Any) -> None:
    octets = jsonbcd.dumps_c(value)
    assert jsonbcd.loads(octets) == value
    assert len(octets) <= len(jsonbcd.dumps_b(value))
    assert jsonbcd.loads(jsonbcd.dumps_c(value, {"kid": 65535, "Signature": 0})) == value


def test_more_than_256_codes() -> None:
    value = [f"word number {number % 700}" for number in range(2100)]
    octets = jsonbcd.dumps_c(value)
    assert jsonbcd.loads(octets) == value
    assert sorted(json_compressed.dictionary(value).values()) == list(range(700))
    assert len(octets) < len(jsonbcd.dumps_b(value)) / 2


@pytest.mark.parametrize("codes", [{"a": -1}, {"a": 65536}, {"a": 1, "b": 1}])
def test_impossible_codes_are_refused(codes: dict[str | bytes, int]) -> None:
    with pytest.raises(EncodingError):
        jsonbcd.dumps_c(["a"], codes)


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    value: Any = "a"
    for _ in range(65):
        value = [value]
    for codes in (None, {}):
        with pytest.raises(EncodingError):
            jsonbcd.dumps_c(value, codes)
    with pytest.raises(EncodingError):
        jsonbcd.dumps_c({1: 2}, {})
    too_many = b"[" + b"".join(b"\xc6" + n.to_bytes(4, "big") + b"\x80\x00" for n in range(65537)) + b"]"
    with pytest.raises(EncodingError, match="too many codes"):
        jsonbcd.loads(too_many)
    monkeypatch.setattr("mathmesh.codec.json_reader.MAXIMUM_OCTETS", 100)
    assert jsonbcd.loads(b"\x88\x64" + bytes(100)) == bytes(100)
    for long in (b"\x88\x65" + bytes(101), b"\x8c\x33" + bytes(51) + b"\x88\x32" + bytes(50)):
        with pytest.raises(EncodingError):
            jsonbcd.loads(long)
    with pytest.raises(EncodingError, match="stands for more"):
        jsonbcd.loads(b"[\xc8\x01\x88\x32" + bytes(50) + b"\xc0\x01" * 3 + b"]")
