import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import base32
from mathmesh.errors import EncodingError

# RFC 4648 §10, padding left away.
RFC = [
    (b"", ""),
    (b"f", "MY"),
    (b"fo", "MZXQ"),
    (b"foo", "MZXW6"),
    (b"foob", "MZXW6YQ"),
    (b"fooba", "MZXW6YTB"),
]


@pytest.mark.parametrize(("data", "text"), RFC)
def test_published_values(data: bytes, text: str) -> None:
    assert base32.encode(data) == text
    assert base32.decode(text) == data


@given(st.binary(max_size=80))
@settings(max_examples=60)
def test_agrees_with_the_standard_library(data: bytes) -> None:
    text = base32.encode(data)
    assert text == base64.b32encode(data).decode().rstrip("=")
    assert base32.decode(text) == data


def test_bits_after_the_last_octet_are_dropped() -> None:
    assert base32.decode("MZ") == base32.decode("MY") == b"f"


@pytest.mark.parametrize("text", ["my", "M0", "M1", "M8", "M9", "MY======", "M Y", "MÄ", "\u0130"])
def test_foreign_characters_are_refused(text: str) -> None:
    with pytest.raises(EncodingError):
        base32.decode(text)
