import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import b64
from mathmesh.errors import EncodingError


@given(st.binary(max_size=80))
@settings(max_examples=60)
def test_agrees_with_the_standard_library(data: bytes) -> None:
    text = b64.encode(data)
    assert text == base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert b64.decode(text) == data


def test_long_data_stays_in_one_line() -> None:
    assert "\n" not in b64.encode(bytes(5000))


def test_white_space_is_skipped() -> None:
    assert b64.decode("AQ\n  ID\r\n\tBA") == bytes([1, 2, 3, 4])


@pytest.mark.parametrize(
    "text",
    ["AQ==", "A", "AAAAA", "AQ+/", "AQ.D", "AÄAA", "AR", "AAB", "\u00a0AQ"],
    ids=["padding", "one", "five", "standard alphabet", "dot", "letter", "spare 4", "spare 2", "no-break"],
)
def test_malformed_text_is_refused(text: str) -> None:
    with pytest.raises(EncodingError):
        b64.decode(text)
