import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import udf
from mathmesh.keys import digest

EXPECTED = digest.udf_bytes(b"UDF Data Value", "text/plain")


def test_published_value() -> None:
    # draft-hallambaker-mesh-udf-13, "Content digest".
    assert digest.content_digest(b"UDF Data Value", "text/plain") == "MDDK-7N6A-727A-JZNO-STRX-XKS7-DJAF"
    assert len(EXPECTED) == 64


@pytest.mark.parametrize(
    ("zeros", "level"),
    [
        (0, 0),
        (19, 0),
        (20, 1),
        (29, 1),
        (30, 2),
        (39, 2),
        (40, 3),
        (47, 3),
        (49, 3),
        (50, 4),
        (200, 4),
        (512, 4),
    ],
)
def test_compression_counts_the_zero_bits_at_the_end(zeros: int, level: int) -> None:
    value = ((2**512 - 1) >> zeros << zeros).to_bytes(64, "big")
    assert digest.trailing_zero_bits(value) == zeros
    assert digest.compression_level(value) == level


def test_compression_relabels_and_shortens_nothing() -> None:
    # draft-hallambaker-mesh-udf-13: a document found to end in 20 zero bits.
    data = b"UDF Compressed Document 4187123"
    value = digest.typed_value(data, "text/plain")
    assert digest.trailing_zero_bits(value) >= 20
    assert digest.udf_bytes(data, "text/plain") == bytes([udf.DIGEST + 1]) + value[:63]


def test_sha3_has_types_of_its_own() -> None:
    assert digest.udf_bytes(b"x", "text/plain", sha3=True)[0] == udf.DIGEST_SHA3
    inner = hashlib.sha3_512(b"x").digest()
    assert digest.typed_value(b"x", "t/p", sha3=True) == hashlib.sha3_512(b"t/p:" + inner).digest()


@given(st.integers(5, 25))
@settings(max_examples=20)
def test_matches_at_every_precision(groups: int) -> None:
    text = udf.present(EXPECTED, 20 * groups)
    assert digest.matches(text, EXPECTED)
    assert digest.matches(text.lower(), EXPECTED)


@given(st.integers(0, 139))
@settings(max_examples=60)
def test_every_bit_carried_is_compared(bit: int) -> None:
    changed = (int.from_bytes(EXPECTED, "big") ^ 1 << (511 - bit)).to_bytes(64, "big")
    assert not digest.matches(udf.present(EXPECTED), changed)


@pytest.mark.parametrize("bits", [20, 40, 80, 95])
def test_too_few_bits_never_match(bits: int) -> None:
    assert not digest.matches(udf.present(EXPECTED, bits), EXPECTED)
    assert digest.matches(udf.present(EXPECTED, bits), EXPECTED, minimum_bits=bits)


@pytest.mark.parametrize("text", ["", "not a udf", "M0", udf.present(EXPECTED, 500) + "AAAAAAAA"])
def test_malformed_or_overlong_text_does_not_match(text: str) -> None:
    assert not digest.matches(text, EXPECTED)
