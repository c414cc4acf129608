"""The device's own primitives against those of CPython's libraries."""

import hashlib
import hmac
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from hypothesis import given, settings
from hypothesis import strategies as st

from meshdevice import aes, crypto, sha512
from meshdevice.crypto import DeviceSuite
from meshhub.link_suite import HubSuite

POOL = bytes(range(32))
DEVICE = DeviceSuite(POOL, 1)
HUB = HubSuite()

OCTETS_32 = st.binary(min_size=32, max_size=32)
OCTETS_56 = st.binary(min_size=56, max_size=56)


@pytest.mark.parametrize("size", [0, 1, 55, 56, 63, 64, 111, 112, 119, 120, 127, 128, 129, 239, 240, 400])
def test_sha512(size: int) -> None:
    data = bytes(i % 256 for i in range(size))
    assert sha512.sha512(data) == hashlib.sha512(data).digest()
    assert sha512.hmac(data, b"data") == hmac.digest(data, b"data", "sha512")
    assert crypto.hmac_sha256(data, b"data") == hmac.digest(data, b"data", "sha256")
    expected = HKDF(hashes.SHA512(), 70, None, b"info").derive(data)
    assert sha512.hkdf(data, b"info", 70) == expected


@settings(max_examples=20, deadline=None)
@given(scalar=OCTETS_32, u=OCTETS_32)
def test_x25519(scalar: bytes, u: bytes) -> None:
    assert DEVICE.x25519(scalar, u) == HUB.x25519(scalar, u)
    assert DEVICE.x25519_base(scalar) == HUB.x25519_base(scalar)


@settings(max_examples=12, deadline=None)
@given(scalar=OCTETS_56, u=OCTETS_56)
def test_x448(scalar: bytes, u: bytes) -> None:
    assert DEVICE.x448(scalar, u) == HUB.x448(scalar, u)


# RFC 7748 §5.2
X25519_VECTOR = (
    "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
    "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
)
X448_VECTOR = (
    "3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121700a779c984c24f8cdd78fbff44943eba368f54b"
    "29259a4f1c600ad3",
    "06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9814dc031ddbdc38c19c6da2583fa5429db94ada1"
    "8aa7a7fb4ef8a086",
    "ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239fe14fbaadeb445fc66a01b0779d98223961111e21"
    "766282f73dd96b6f",
)


def test_published_values() -> None:
    for vector, function in ((X25519_VECTOR, DEVICE.x25519), (X448_VECTOR, DEVICE.x448)):
        scalar, u, result = (bytes.fromhex(text) for text in vector)
        assert function(scalar, u) == result


@pytest.mark.parametrize("suite", [DEVICE, HUB], ids=["device", "hub"])
def test_points_of_small_order_give_zero(suite: Any) -> None:
    for u in (0, 1, 2**255 - 20, 325606250916557431795983626356110631294008115727848805560023387167927233504):
        assert suite.x25519(POOL, u.to_bytes(32, "little")) == bytes(32)
    for u in (0, 1, 2**448 - 2**224 - 2):
        assert suite.x448(bytes(range(56)), u.to_bytes(56, "little")) == bytes(56)


@settings(max_examples=15, deadline=None)
@given(
    key=OCTETS_32,
    iv=st.binary(min_size=16, max_size=16),
    blocks=st.lists(st.binary(min_size=16, max_size=16)),
)
def test_aes(key: bytes, iv: bytes, blocks: list[bytes]) -> None:
    data = b"".join(blocks)
    library = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    out = bytearray(len(data))
    aes.ecb(key)(data, out)
    assert bytes(out) == library.update(data)
    library = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    chained = aes.cbc(key)
    for block in blocks:
        piece = bytearray(block)
        chained(piece, piece)
        assert bytes(piece) == library.update(block)
    sealed = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor().update(data)
    assert aes.cbc_decrypt(key, iv, sealed) == data


@settings(max_examples=10, deadline=None)
@given(kek=OCTETS_32, key=OCTETS_32, bit=st.integers(min_value=0, max_value=319))
def test_key_unwrapping(kek: bytes, key: bytes, bit: int) -> None:
    wrapped = bytearray(aes_key_wrap(kek, key))
    assert aes.unwrap(kek, bytes(wrapped)) == key
    wrapped[bit // 8] ^= 1 << bit % 8
    assert aes.unwrap(kek, bytes(wrapped)) is None
    for size in (0, 8, 16, 39):
        assert aes.unwrap(kek, bytes(size)) is None


def test_random_repeats_nothing_even_from_a_stuck_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto.os, "urandom", bytes)
    monkeypatch.setattr(crypto.runtime, "ticks_us", lambda: 0)
    suite = DeviceSuite(POOL, 1)
    drawn = [suite.random(32) for _ in range(50)] + [DeviceSuite(POOL, 2).random(32), suite.random(70)[:32]]
    assert len(set(drawn)) == len(drawn)
    data = b"mh1 rnd" + bytes([0, 0, 0, 1]) + bytes([0, 0, 0, 1]) + bytes(32) + bytes(4)
    assert drawn[0] == hmac.digest(POOL, data, "sha256")
    mixed = suite.mix(b"entropy")
    assert mixed == suite.pool == hmac.digest(POOL, b"entropy", "sha256")
    assert [len(suite.random(count)) for count in (1, 32, 33, 100)] == [1, 32, 33, 100]
