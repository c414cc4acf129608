"""CCM against another implementation, over both suites."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from hypothesis import given, settings
from hypothesis import strategies as st

from meshdevice.crypto import DeviceSuite
from meshhub.link_suite import HubSuite
from meshlink.ccm import Ccm, CcmCipher

SUITES = {"hub": HubSuite(), "device": DeviceSuite(bytes(range(32)), 1)}


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
@settings(max_examples=25, deadline=None)
@given(
    key=st.binary(min_size=32, max_size=32),
    nonce=st.binary(min_size=12, max_size=12),
    associated=st.binary(max_size=70),
    plaintext=st.binary(max_size=600),
)
def test_equal_with_another_implementation(
    suite: Any, key: bytes, nonce: bytes, associated: bytes, plaintext: bytes
) -> None:
    sealed = Ccm(suite, key).seal(nonce, associated, plaintext)
    assert sealed == AESCCM(key, 16).encrypt(nonce, plaintext, associated or None)
    assert Ccm(suite, key).open(nonce, associated, sealed) == plaintext


@pytest.mark.parametrize("size", [0, 15, 16, 17, 255, 256, 257, 4095, 4096])
def test_edges_of_blocks_and_pieces(size: int) -> None:
    key, nonce, text = bytes(range(32)), bytes(range(12)), bytes(i % 256 for i in range(size))
    for associated in (b"", b"header of 13."):
        expected = AESCCM(key, 16).encrypt(nonce, text, associated or None)
        assert Ccm(SUITES["hub"], key).seal(nonce, associated, text) == expected


def test_a_record_is_header_and_text_in_one() -> None:
    cipher = CcmCipher(SUITES["hub"], bytes(range(32)))
    nonce = bytes(11) + b"\x07"
    expected = AESCCM(bytes(range(32)), 16).encrypt(nonce, b"text", b"header")
    assert cipher.seal_record(7, b"header", b"text") == b"header" + expected
    assert cipher.open(7, b"header", expected) == b"text"
    assert cipher.seal(7, b"header", b"text") == expected
