"""Headers as text: the short way of reading, the published layout, binary members."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import b64, jsonbcd
from mathmesh.dare import text_form
from mathmesh.errors import EncodingError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
HEADERS = st.dictionaries(st.text(max_size=6) | st.sampled_from(["Salt", "dig"]), VALUES, max_size=4)


@given(HEADERS)
@settings(max_examples=60, deadline=None)
def test_short_way_and_codec_agree(header: dict[str, object]) -> None:
    octets = jsonbcd.dumps(header)
    expected = text_form.plain_members(jsonbcd.loads(octets))
    assert text_form.parse_object(octets) == expected


@pytest.mark.parametrize(
    "octets",
    [
        b'{"a":1,"a":2}',
        b'{"a":1',
        b"[]",
        b"7",
        b"null",
        b"",
        b'{"a":NaN}',
        b'{"a":1}x',
        b'{"a":' + b"[" * 70 + b"]" * 70 + b"}",
    ],
)
def test_malformed_headers_are_refused(octets: bytes) -> None:
    with pytest.raises(EncodingError):
        text_form.parse_object(octets)


def test_line_breaks_and_nulls_vanish() -> None:
    octets = b'{\n "Salt": "AAAA\n  AAAA", "kid": null, "note": "a\n  b", "annotations": ["AA\n  AA"]}'
    plain = {"Salt": "AAAAAAAA", "note": "a\n  b", "annotations": ["AAAA"]}
    assert text_form.parse_object(octets) == plain


def test_json_b_headers_become_plain() -> None:
    header = {"Salt": b"\x01\x02", "SequenceInfo": {"Index": 3}}
    assert text_form.parse_object(jsonbcd.dumps_b(header)) == {"Salt": "AQI", "SequenceInfo": {"Index": 3}}


def test_binary_members_are_found_at_any_depth() -> None:
    plain = {"recipients": [{"kid": "AAAA", "wmk": "AAAA"}], "annotations": ["AQ", "Ag"], "cty": "AAAA"}
    binary = text_form.binary_members(plain)
    assert binary == {
        "recipients": [{"kid": "AAAA", "wmk": bytes(3)}],
        "annotations": [b"\x01", b"\x02"],
        "cty": "AAAA",
    }
    assert text_form.plain_members(binary) == plain


def test_foreign_text_in_a_binary_member_survives() -> None:
    assert text_form.binary_members({"Public": "not base64url!"}) == {"Public": "not base64url!"}


def test_layout_of_the_reference() -> None:
    header = {"dig": "S512", "policy": {}, "list": [1, 2], "Salt": b64.encode(bytes(60))}
    lines = text_form.reference_text(header).decode().split("\n")
    assert lines[:6] == ["{", '  "dig": "S512",', '  "policy": {},', '  "list": [1,', "    2],", lines[5]]
    assert lines[5] == '  "Salt": "' + "A" * 54
    assert lines[6] == "  " + "A" * 26 + '"}'
    assert json.loads("\n".join(lines), strict=False)["dig"] == "S512"
