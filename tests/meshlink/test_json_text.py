"""The link's own JSON: agrees with the standard library on what is right, and refuses the rest."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.errors import EncodingError
from meshlink import json_text

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 62), 1 << 62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_what_is_written_is_read_again_by_both(value: dict[str, Any]) -> None:
    written = json_text.text(value)
    assert json.loads(written) == value
    if _depth(value) <= json_text.DEPTH:
        assert json_text.loads(written.encode()) == value
        assert json_text.loads(json.dumps(value, indent=1).encode()) == value


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=24) | st.text('{}[]":,\\u0123eE+-.tfn \x01', max_size=24).map(str.encode))
def test_nothing_is_read_that_the_standard_library_refuses(data: bytes) -> None:
    data = b'{"a":' + data + b"}"
    try:
        value = json_text.loads(data)
    except EncodingError:
        return
    assert json.loads(data) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}x",
        '{"a":1,"a":2}',
        '{"a":{"b":1,"b":1}}',
        '{"a":01}',
        '{"a":1.}',
        '{"a":.5}',
        '{"a":1e}',
        '{"a":+1}',
        '{"a":1e999}',
        '{"a":²}',
        '{"a":"\n"}',
        '{"a":"\\x"}',
        '{"a":"\\u12"}',
        '{"a":"\\ud800"}',
        '{"a":"\\udc00\\ud800"}',
        '{"a":"x}',
        '{"a" 1}',
        '{"a":1,}',
        "{a:1}",
        "{1:1}",
        '{"a":nul}',
        '{"a":NaN}',
        '{"a":[1 2]}',
        '{"a":[1,]}',
        '{"a":' + "[" * 8 + "]" * 8 + "}",
        '{"a":' + "9" * 41 + "}",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(EncodingError):
        json_text.loads(text.encode())


def test_the_deepest_that_is_taken() -> None:
    assert json_text.loads(b'{"a":' + b"[" * 7 + b"]" * 7 + b"}")
    assert json_text.loads(b"[1]", list) == [1]


def test_text_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(EncodingError):
        json_text.loads(b'{"a":"\xff"}')


def test_escapes() -> None:
    read = json_text.loads(rb'{"a":"\ud83d\ude00 \" \\ \/ \b\f\n\r\t \u00e9"}')
    assert read == {"a": '\U0001f600 " \\ / \b\f\n\r\t é'}
    assert json_text.text('"\\/\n\x01é') == '"\\"\\\\/\\n\\u0001é"'


@pytest.mark.parametrize("value", [math.nan, math.inf, {1: 2}, {1, 2}, "\ud800", [object()]])
def test_not_written(value: object) -> None:
    with pytest.raises(EncodingError):
        json_text.text(value)


def test_octets_are_written_as_base64url() -> None:
    assert json_text.text({"k": b"\xfb\xff"}) == '{"k":"-_8"}'
