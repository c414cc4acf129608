import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import b64, json_writer, jsonbcd
from mathmesh.errors import EncodingError

# draft-hallambaker-jsonbcd §3: octets of one item and its value.
ITEMS: list[tuple[str, Any]] = [
    ("a02a", 42),
    ("a1002a", 42),
    ("a3000000000000002a", 42),
    ("a82a", -42),
    ("a9012c", -300),
    ("a5000142", 66),
    ("a700012a", 42),
    ("af00012a", -42),
    ("a40000000000000000000000000000002a", 42),
    ("ac0000000000000000000000000000002a", -42),
    ("800548656c6c6f", "Hello"),
    ("81000548656c6c6f", "Hello"),
    ("840548656c6c6f8000", "Hello"),
    ("84014880046c6c6f21", "Hllo!"),
    ("84 01 c3 80 01 a9", "é"),
    ("8803010203", b"\x01\x02\x03"),
    ("8c020102880103", b"\x01\x02\x03"),
    ("8800", b""),
    ("92400921fb54442eea", 3.14159265359),
    ("903c00", 1.0),
    ("900001", 2.0**-24),
    ("90c000", -2.0),
    ("913f800000", 1.0),
    ("b0", True),
    ("b1", False),
    ("b2", None),
    ("7b7d", {}),
    ("5b5b5d5b5d5d", [[], []]),
    ("7bb40161a001b40162800374776f7d", {"a": 1, "b": "two"}),
    ("7b8001613aa0012c800162a0027d", {"a": 1, "b": 2}),
    ("7b226122 3a a001 2c 2262223a a002 7d", {"a": 1, "b": 2}),
    ("5bc820800548656c6c6fc020c100205d", ["Hello", "Hello", "Hello"]),
    ("5bc421800548656c6c6fc0215d", ["Hello"]),
    ("7bc80180056669727374a001b4056f74686572c0017d", {"first": 1, "other": "first"}),
]

REFUSED = [
    "a3ff",
    "80ff41",
    "840141",
    "ef",
    "c020",
    "8401418801ff",
    "8001ff",
    "9000",
    "907c00",
    "94",
    "cc0100",
    "d000000000",
    "f00100",
    "5bc421a0015d",
    "7ba001a0017d",
    "7b8801ffa0017d",
    "7bb40161a001b40161a0017d",
    "a001a001",
    "5b",
    "",
]

REFUSED_TEXT = [
    *("[1 2]", '["a" "b"]', '{"a":1 "b":2}', "[1,]", "[,1]", "[{} 1]", '["a"{}]', "{,}", '{"a":1,}'),
    *("01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "NaN", "Infinity", "1e999", "tru", "nulls", "'a'"),
    *('"\\x"', '"\n"', '"\\u12g4"', '"\\ud800"', '"\\ud800\\u0041"', '"\\udc00"', '"open', '"a\x00"'),
    *(
        '{"a":1,"a":2}',
        '{"a":1,"\\u0061":2}',
        "{1:2}",
        '{"a" 1}',
        "1 1",
        "]",
        "{]",
        "[1}",
        "1" * 500,
        '"\ud800"',
    ),
]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(("octets", "value"), ITEMS)
def test_items(octets: str, value: Any) -> None:
    read = jsonbcd.loads(bytes.fromhex(octets))
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("octets", REFUSED)
def test_malformed_items_are_refused(octets: str) -> None:
    with pytest.raises(EncodingError):
        jsonbcd.loads(bytes.fromhex(octets))


@pytest.mark.parametrize("text", REFUSED_TEXT)
def test_malformed_text_is_refused(text: str) -> None:
    with pytest.raises(EncodingError):
        jsonbcd.loads(text)


@given(json_values)
@settings(max_examples=120, deadline=None)
def test_reads_what_the_standard_library_writes(value: Any) -> None:
    assert jsonbcd.loads(json.dumps(value)) == value
    assert jsonbcd.loads(json.dumps(value, indent=1, ensure_ascii=False)) == value


@given(json_values)
@settings(max_examples=120, deadline=None)
def test_both_encodings_round_trip(value: Any) -> None:
    assert json.loads(jsonbcd.dumps(value)) == value
    assert jsonbcd.loads(jsonbcd.dumps(value)) == value
    octets = jsonbcd.dumps_b(value)
    assert jsonbcd.loads(octets) == value
    assert jsonbcd.dumps_b(jsonbcd.loads(octets)) == octets


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_octets_give_a_value_or_an_encoding_error(octets: bytes) -> None:
    try:
        value = jsonbcd.loads(octets)
    except EncodingError:
        return
    assert jsonbcd.loads(jsonbcd.dumps_b(value)) == value


@given(st.lists(st.binary(max_size=300), max_size=3))
def test_binary_is_bytes_in_one_encoding_and_text_in_the_other(items: list[bytes]) -> None:
    assert jsonbcd.loads(jsonbcd.dumps_b(items)) == items
    assert jsonbcd.loads(jsonbcd.dumps(items)) == [b64.encode(item) for item in items]


@pytest.mark.parametrize("cut", range(1, 14))
def test_every_cut_is_noticed(cut: int) -> None:
    whole = jsonbcd.dumps_b({"a": 1, "b": "two"})
    with pytest.raises(EncodingError):
        jsonbcd.loads(whole[:cut])


def test_depth_is_limited_to_64() -> None:
    assert jsonbcd.loads("[" * 64 + "]" * 64)
    for octets in (b"[" * 65 + b"]" * 65, b'{"a":' * 65 + b"1" + b"}" * 65):
        with pytest.raises(EncodingError):
            jsonbcd.loads(octets)
    value: Any = 1
    for _ in range(65):
        value = [value]
    for write in (jsonbcd.dumps, jsonbcd.dumps_b):
        with pytest.raises(EncodingError):
            write(value)


def test_raw_line_feeds_only_for_the_tolerant_reader() -> None:
    published = b'{"Public": "AQ\n  ID"}'
    assert jsonbcd.loads(published, tolerant=True) == {"Public": "AQ\n  ID"}
    with pytest.raises(EncodingError):
        jsonbcd.loads(published)


def test_value_at_a_position() -> None:
    octets = b"\x00" + jsonbcd.dumps_b({"a": 1}) + jsonbcd.dumps_b(2)
    first, position = jsonbcd.load_at(octets, 1)
    assert (first, jsonbcd.load_at(octets, position)) == ({"a": 1}, (2, len(octets)))


@pytest.mark.parametrize("value", [float("inf"), float("nan"), {1: 2}, object(), "\ud800"])
def test_what_cannot_be_written_is_refused(value: Any) -> None:
    for write in (jsonbcd.dumps, jsonbcd.dumps_b):
        with pytest.raises(EncodingError):
            write(value)


@pytest.mark.parametrize(
    ("count", "octets"),
    [(0, "8000"), (255, "80ff"), (256, "810100"), (65536, "8200010000"), (2**32, "830000000100000000")],
)
def test_lengths_take_the_shortest_form(count: int, octets: str) -> None:
    assert json_writer.tag(0x80, count).hex() == octets
