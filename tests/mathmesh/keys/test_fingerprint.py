import os

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mathmesh.codec import udf
from mathmesh.errors import EncodingError
from mathmesh.keys import algorithms, fingerprint

PROFILE = bytes.fromhex(
    "54bf1551b098fc5de27b22cdbf1a3145409b52e046c91ff4fcfaa24837e1ad1c"
    "d2cca477ac94dad922f8ced4a1b4db9441054303e5870dd380"
)


def test_published_profile_key() -> None:
    assert fingerprint.key_udf("Ed448", PROFILE) == "MBYN-VC7T-AIEX-KCK2-WQLP-4B52-3GWY"
    assert fingerprint.key_udf_bytes("Ed448", PROFILE)[0] == 0x60


def test_null_parameters_and_wrapped_key() -> None:
    info = fingerprint.key_info("X25519", bytes(32))
    assert info.hex() == "302e3007" + "06032b656e" + "0500" + "0323000420" + bytes(32).hex()


def test_rsa_is_what_the_library_writes() -> None:
    key = rsa.generate_private_key(65537, 2048).public_key()
    numbers = key.public_numbers()
    expected = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert fingerprint.rsa_key_info(numbers.n, numbers.e) == expected


def test_every_octet_counts() -> None:
    public = os.urandom(57)
    flipped = {
        fingerprint.key_udf("X448", bytes([*public[:i], public[i] ^ 1, *public[i + 1 :]])) for i in range(57)
    }
    assert len(flipped) == 57
    assert fingerprint.key_udf("X448", public) not in flipped
    assert fingerprint.key_udf("Ed448", public) != fingerprint.key_udf("X448", public)


def test_unknown_curve() -> None:
    with pytest.raises(EncodingError, match="P256"):
        fingerprint.key_udf("P256", bytes(32))


@pytest.mark.parametrize("crv", ["X25519", "X448", "Ed25519", "Ed448"])
def test_a_public_key_as_udf_comes_back(crv: str) -> None:
    for size in algorithms.curve(crv).public_sizes:
        public = bytes(range(size))
        text = fingerprint.oid_udf(fingerprint.key_info(crv, public))
        assert text.startswith("O")
        assert fingerprint.parse_oid_udf(text) == (crv, public)


def test_other_der_is_refused() -> None:
    info = fingerprint.key_info("Ed448", bytes(57))
    for position in range(len(info) - 57):
        damaged = info[:position] + bytes([info[position] ^ 1]) + info[position + 1 :]
        with pytest.raises(EncodingError):
            fingerprint.parse_oid_udf(udf.text(udf.OID, damaged))
    for text in (udf.text(udf.OID, info + b"\x00"), udf.text(udf.OID, info[:-1]), udf.text(udf.NONCE, info)):
        with pytest.raises(EncodingError):
            fingerprint.parse_oid_udf(text)
