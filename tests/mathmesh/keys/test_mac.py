import hashlib
import hmac

import pytest

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import mac

PIN = "ADKW-K2ZB-PPZM-ECG4-P3NQ-UN4K-XI"


def test_published_value() -> None:
    # The salted PIN of draft-hallambaker-mesh-protocol, "Connect by PIN".
    assert mac.mac(PIN, b"Device") == "AA3X-AOXG-CTAE-HAQ3-EDP7-PSLZ-CIHS"


@pytest.mark.parametrize(
    ("code", "hash_name", "result"),
    [(0, "sha512", 0), (1, "sha3_512", 1), (32, "sha512", 0), (33, "sha512", 0)],
)
def test_key_type_decides_the_hash(code: int, hash_name: str, result: int) -> None:
    expected = bytes([result]) + hmac.new(bytes(15), b"data", getattr(hashlib, hash_name)).digest()
    assert mac.mac_bytes(udf.text(code, bytes(15)), b"data") == expected


@pytest.mark.parametrize("code", [96, 104, 112, 144, 200])
def test_other_types_are_no_keys(code: int) -> None:
    with pytest.raises(EncodingError):
        mac.mac(udf.text(code, bytes(16)), b"data")


def test_verify_takes_longer_forms_and_refuses_the_rest() -> None:
    whole = mac.mac_bytes(PIN, b"data")
    for bits in (125, 140, 200, 440):
        mac.verify(PIN, b"data", udf.present(whole, bits))
    wrong = [
        mac.mac(PIN, b"date"),
        mac.mac(PIN.replace("ADKW", "ADKX"), b"data"),
        udf.present(whole, 120),
        udf.present(bytes([1]) + whole[1:]),
        udf.present(bytes([*whole[:17], whole[17] ^ 0x80, *whole[18:]]), 440),
        "",
    ]
    for text in wrong:
        with pytest.raises(VerificationError):
            mac.verify(PIN, b"data", text)


def test_content_mac_is_keyed_by_text() -> None:
    # draft-hallambaker-mesh-udf-13, "Authenticator".
    key = "NDD7-6CMX-H2FW-ISAL-K4VB-DQ3E-PEDM"
    text = mac.content_mac(key, b"Konrad is the traitor", "text/plain")
    assert text == "ABGM-G76T-7GPF-FTYH-SB2F-HBDF-SW6B"
    assert mac.content_mac(key.lower(), b"Konrad is the traitor", "text/plain") != text


def test_content_mac_with_sha3_has_a_type_of_its_own() -> None:
    """The construction of the draft with every hash replaced, computed by hand."""
    key, data = "NDXX-MFCD-5YYF-VHJF-JTIG-SJY5-HMBU", b"This is a test"
    master = hmac.digest(b"KeyedUDFMaster", key.encode(), "sha3_512")
    expanded = hmac.digest(master, b"KeyedUDFExpand\x01", "sha3_512")
    message = b"text/plain:" + hashlib.sha3_512(data).digest()
    value = hmac.digest(expanded, message, "sha3_512")
    expected = udf.present(bytes([udf.MAC_SHA3]) + value)
    assert mac.content_mac(key, data, "text/plain", sha3=True) == expected
    assert mac.hashed_content_mac(key, hashlib.sha3_512(data).digest(), "text/plain", sha3=True) == expected
    assert mac.content_mac_value(key, data, "text/plain", sha3=True) == value


def test_published_commitment() -> None:
    """The reference's page on its `hash mac` command."""
    key, expected = "NDXX-MFCD-5YYF-VHJF-JTIG-SJY5-HMBU", "ACPD-YVPX-VMBP-7VAM-RCUP-NAG6-LLYV"
    assert mac.content_mac(key, b"This is a test", "text/plain") == expected
