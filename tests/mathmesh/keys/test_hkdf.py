import hashlib
import hmac

import pytest

from mathmesh.keys import hkdf

# RFC 5869 A.1 to A.3, all SHA-256: ikm, salt, info, length, okm.
RFC = [
    (
        "0b" * 22,
        "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        "0b" * 22,
        "",
        "",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]


@pytest.mark.parametrize(("ikm", "salt", "info", "okm"), RFC)
def test_published_values(ikm: str, salt: str, info: str, okm: str) -> None:
    given, salted, named = (bytes.fromhex(text) for text in (ikm, salt, info))
    assert hkdf.hkdf(given, named, 42, salt=salted, hash_name="sha256").hex() == okm


def test_sha512_by_its_definition() -> None:
    prk = hmac.new(bytes(64), b"ikm", hashlib.sha512).digest()
    first = hmac.new(prk, b"info\x01", hashlib.sha512).digest()
    second = hmac.new(prk, first + b"info\x02", hashlib.sha512).digest()
    assert hkdf.extract(b"ikm") == prk
    assert hkdf.hkdf(b"ikm", b"info", 100) == (first + second)[:100]


@pytest.mark.parametrize("length", [0, 255 * 64 + 1])
def test_impossible_lengths(length: int) -> None:
    with pytest.raises(ValueError, match="that many"):
        hkdf.hkdf(b"ikm", b"", length)
