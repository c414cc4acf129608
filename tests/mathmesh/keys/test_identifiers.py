"""Symmetric keys, message identifiers and locators, against published values."""

import os

import pytest

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, PolicyError
from mathmesh.keys import earl, ids, mac, symmetric
from mathmesh.keys.pair import PrivateKey

SEED = "ZAAQ-AHCC-PWZG-EQXO-M4QM-OYWT-HDPG-DQ3D-HMIG-ABHP-LED2-KPAG-LOTB-QMJ7"
KEY = "EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"


def test_label_of_a_preconfigured_device() -> None:
    # draft-hallambaker-mesh-protocol, "Connect by static QR code".
    secret = earl.connect_secret(SEED, "maker@example.com")
    assert earl.connect_uri(secret, "maker@example.com") == f"mcu://maker@example.com/{KEY}"
    assert earl.publication_id(secret) == "EBQB-KJVT-BYND-4GE2-U65R-FZFH-4C7O"
    service = earl.service_authenticator(secret)
    assert service == "EDMR-XKST-PS2I-LZO4-OIAK-KJWW-EEHT-ZNPP-6VSF-KM27-FEFX-LXH2-2S46-C"
    assert earl.claim_mac(service, "alice@example.com") == "AAX2-PAY7-QBP6-MIF4-Q6CP-RGQ3-XYT7"
    assert earl.device_authenticator(secret) != service


def test_account_and_seed_count_in_their_canonical_spelling() -> None:
    secret = earl.connect_secret(SEED, "maker@example.com")
    assert earl.connect_secret(SEED.lower().replace("-", ""), "Maker@Example.COM") == secret
    assert earl.connect_secret(SEED, "other@example.com") != secret
    assert len(earl.connect_secret(SEED, "maker@example.com", 32)) == 32


def test_identifier_is_not_taken_for_a_key() -> None:
    identifier = symmetric.key_id(bytes(15))
    assert symmetric.is_key_id(identifier)
    assert not symmetric.is_key_id(KEY)
    with pytest.raises(EncodingError, match="identifier"):
        symmetric.secret(identifier)


def test_short_and_foreign_keys_are_refused() -> None:
    assert symmetric.secret(udf.text(udf.ENCRYPTION, bytes(15))) == bytes(15)
    with pytest.raises(PolicyError):
        symmetric.secret(udf.text(udf.ENCRYPTION, bytes(14)))
    with pytest.raises(EncodingError):
        symmetric.secret(udf.text(udf.MAC, bytes(15)))


def test_sub_keys_differ_by_purpose() -> None:
    made = {symmetric.sub_key(KEY, info) for info in ("one", "two", "")}
    assert len(made) == 3
    assert all(len(udf.parse(key)[1]) == 32 for key in made)


def test_message_identifiers() -> None:
    message = "NAJ7-2JAE-5VND-GLM3-YYHF-FQX2-TCF7"
    assert ids.envelope_id(message) == "MD5E-FTHA-N7K2-HEBG-S5U6-3CKT-NIRE"
    assert ids.response_id(message) == "MCYE-BSU4-GBBY-O5J4-CCVD-ZHYF-VKGH"
    # A connection witness has no type octet and still names a message.
    assert ids.envelope_id("WGAZ-BX2A-7G72-J5U3-SGGT-UB3W-TV4L") == "MATU-PAPK-JHQ5-BBES-PFX7-UCRN-OLWQ"
    with pytest.raises(EncodingError):
        ids.envelope_id("N")


def test_nonces_are_fresh_and_of_128_bits() -> None:
    nonce = ids.nonce_id(os.urandom)
    assert udf.parse(nonce)[0] == udf.NONCE
    assert len(udf.parse(nonce)[1]) == 16
    assert ids.nonce_id(os.urandom) != nonce


def test_pin_chain_ignores_the_case_of_the_account() -> None:
    salted = ids.salted_pin("ADKW-K2ZB-PPZM-ECG4-P3NQ-UN4K-XI", "Device")
    assert ids.pin_id(salted, "Alice@Example.com") == "AALG-XLJN-YZC3-2PZ5-LJK4-2TWB-7TST"
    witness = ids.pin_witness(salted, "alice@example.com", b"n" * 16, b"d" * 64)
    assert witness == ids.pin_witness(salted, "ALICE@example.com", b"n" * 16, b"d" * 64)
    assert witness != ids.pin_witness(salted, "alice@example.com", b"n" * 16, b"e" * 64)
    assert len(witness) == 64


def test_a_mac_used_as_key_gives_sixteen_octets() -> None:
    salted = mac.mac("ADKW-K2ZB-PPZM-ECG4-P3NQ-UN4K-XI", b"Contact")
    whole = udf.text(udf.MAC, udf.parse(salted)[1])
    assert len(udf.parse(salted)[1]) == 16
    assert mac.mac(salted, b"x") == mac.mac(whole, b"x")


def test_location_of_content() -> None:
    assert (
        earl.location("example.com", KEY) == f"https://example.com/.well-known/mmm-udf/{earl.content_id(KEY)}"
    )


def test_key_of_a_contact_begins_like_the_fingerprint_of_its_signer() -> None:
    signer = PrivateKey.from_seed("Ed448", bytes(56)).public
    key = earl.contact_key(signer)
    assert udf.parse(key) == (udf.ENCRYPTION_SIGNATURE, signer.udf_bytes[:16])
    assert earl.is_contact_key(key, signer)
    assert earl.is_contact_key(earl.contact_key(signer, 32), signer)
    assert not earl.is_contact_key(key, PrivateKey.from_seed("Ed448", b"\x01" * 56).public)
    assert not earl.is_contact_key(udf.text(udf.ENCRYPTION, signer.udf_bytes[:16]), signer)
    assert not earl.is_contact_key(udf.text(udf.ENCRYPTION_SIGNATURE, signer.udf_bytes[:15]), signer)
    for octets in (15, 65):
        with pytest.raises(EncodingError):
            earl.contact_key(signer, octets)
    with pytest.raises(EncodingError):
        earl.contact_key(PrivateKey.from_seed("X448", bytes(56)).public)


def test_authenticator_follows_from_the_key_alone() -> None:
    key = earl.authenticator_key(KEY)
    assert key == earl.authenticator_key(KEY.lower())
    assert key.public != earl.authenticator_key(udf.text(udf.ENCRYPTION, bytes(15))).public
    with pytest.raises(EncodingError):
        earl.authenticator_key(earl.publication_id(symmetric.secret(KEY)))


def test_a_new_key_never_looks_like_an_identifier() -> None:
    drawn = iter([b"\x60" + bytes(15), b"\x64" + bytes(15), b"\x65" + bytes(15)])
    key = symmetric.new_key(lambda octets: next(drawn))
    assert symmetric.secret(key) == b"\x65" + bytes(15)
    assert symmetric.secret(symmetric.new_key(lambda octets: b"\x60" * octets, 32)) == b"\x60" * 32
    with pytest.raises(PolicyError):
        symmetric.new_key(os.urandom, 14)
