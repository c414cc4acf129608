import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.errors import VerificationError
from mathmesh.keys import openssl


def test_key_wrap_of_rfc_3394() -> None:
    # RFC 3394 §4.6.
    kek = bytes(range(32))
    key = bytes.fromhex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f")
    wrapped = "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"
    assert openssl.wrap_key(kek, key).hex() == wrapped
    assert openssl.unwrap_key(kek, bytes.fromhex(wrapped)) == key


@pytest.mark.parametrize("length", [0, 8, 23, 40])
def test_wrapped_key_opens_under_its_key_only(length: int) -> None:
    wrapped = openssl.wrap_key(bytes(32), os.urandom(32))[:length]
    with pytest.raises(VerificationError):
        openssl.unwrap_key(bytes(31) + b"\x01", wrapped)


@given(st.binary(max_size=70))
@settings(max_examples=30)
def test_cbc_round_trip(plaintext: bytes) -> None:
    sealed = openssl.encrypt_cbc(b"k" * 32, b"i" * 16, plaintext)
    assert len(sealed) == len(plaintext) // 16 * 16 + 16
    assert openssl.decrypt_cbc(b"k" * 32, b"i" * 16, sealed) == plaintext


@pytest.mark.parametrize("ciphertext", [b"", bytes(15), bytes(16), bytes(17)])
def test_impossible_ciphertext(ciphertext: bytes) -> None:
    with pytest.raises(VerificationError):
        openssl.decrypt_cbc(bytes(32), bytes(16), ciphertext)
