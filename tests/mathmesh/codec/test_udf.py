import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import base32, udf
from mathmesh.errors import EncodingError

# draft-hallambaker-mesh-udf-13, examples: text, type octet, data.
PUBLISHED = [
    ("NDZZ-KNXV-IWNN-ZPN3-CIZY-YJUF-XMBA", udf.NONCE, "f39536f5459adcbdbb12338c2685bb02"),
    ("EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM", udf.ENCRYPTION, "e2be332fdba837643293f2dfba4e73"),
    ("ADKW-K2ZB-PPZM-ECG4-P3NQ-UN4K-XI", udf.MAC, "d5656b217bf2c208dc7edb0a378aba"),
]
types = st.sampled_from(udf.TYPES)
octets = st.binary(min_size=1, max_size=70)


@pytest.mark.parametrize(("text", "code", "data"), PUBLISHED)
def test_published_values(text: str, code: int, data: str) -> None:
    assert udf.text(code, bytes.fromhex(data)) == text
    assert udf.parse(text) == (code, bytes.fromhex(data))


@given(types, octets)
@settings(max_examples=80)
def test_parse_is_the_reverse_of_text(code: int, data: bytes) -> None:
    text = udf.text(code, data)
    assert udf.parse(text) == (code, data)
    assert udf.canonical(text.lower().replace("-", " ")) == text
    assert all(len(group) == 4 for group in text.split("-")[:-1])


@given(types, st.binary(min_size=64, max_size=64), st.integers(2, 22), st.integers(2, 22))
@settings(max_examples=60)
def test_lower_precision_is_a_prefix_of_higher(code: int, data: bytes, one: int, two: int) -> None:
    short, long = sorted((one * 20, two * 20))
    binary = bytes([code]) + data
    assert udf.present(binary, long).startswith(udf.present(binary, short))
    assert len(base32.decode(udf.present(binary, long).replace("-", ""))) == long // 8


def test_default_precision_is_28_characters() -> None:
    text = udf.present(bytes([udf.DIGEST]) + bytes(64))
    assert len(text.replace("-", "")) == 28
    assert len(udf.parse(text)[1]) == 16


def test_unassigned_types_are_refused_and_assigned_ones_taken() -> None:
    for code in range(256):
        text = udf.present(bytes([code]) + bytes(16))
        if code in udf.TYPES:
            assert udf.parse(text)[0] == code
        else:
            with pytest.raises(EncodingError):
                udf.parse(text)
        assert udf.octets(text)[0] == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "EA",
        "EDRL-4MZ0",
        "EDRL-4MZ1",
        "EDRL-4MZ8",
        "EDRL_4MZP",
        "EDRL-4MZP=",
        "EDRL-4MZß",
        "ſDRL-4MZP",
    ],
)
def test_malformed_text_is_refused(text: str) -> None:
    for function in (udf.parse, udf.canonical):
        with pytest.raises(EncodingError):
            function(text)
