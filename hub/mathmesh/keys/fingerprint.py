"""Fingerprints of public keys (draft-hallambaker-mesh-udf §4.3).

The 2022 reference departs from RFC 8410 twice, and every published key identifier with it: the algorithm
identifier carries an explicit NULL and the bit string wraps the key in an octet string. It also hashes the
content type `PKIXKey`, the name of the constant instead of its value. We follow the reference.
"""

import hmac
from functools import lru_cache

from mathmesh.codec import udf
from mathmesh.errors import EncodingError
from mathmesh.keys import algorithms, digest

_RSA_ALGORITHM = bytes.fromhex("300d06092a864886f70d0101010500")
_SEQUENCE, _INTEGER, _BIT_STRING, _OCTET_STRING = 0x30, 0x02, 0x03, 0x04


def key_info(crv: str, public: bytes) -> bytes:
    """The DER sequence that identifies a public key; the digest is over the octets exactly as published."""
    oid = algorithms.curve(crv).oid
    algorithm = bytes([0x30, 0x07, 0x06, 0x03, 0x2B, 0x65, oid, 0x05, 0x00])
    return _der(_SEQUENCE, algorithm + _der(_BIT_STRING, b"\x00" + _der(_OCTET_STRING, public)))


def rsa_key_info(modulus: int, exponent: int) -> bytes:
    """The ordinary SubjectPublicKeyInfo of an RSA key (RFC 3279)."""
    key = _der(_SEQUENCE, _der_integer(modulus) + _der_integer(exponent))
    return _der(_SEQUENCE, _RSA_ALGORITHM + _der(_BIT_STRING, b"\x00" + key))


def info_udf(info: bytes) -> str:
    """Fingerprint of a key from its DER sequence."""
    return digest.content_digest(info, digest.PKIX_KEY)


def oid_udf(info: bytes) -> str:
    """The whole DER sequence as a UDF of type OID."""
    return udf.text(udf.OID, info)


def parse_oid_udf(text: str) -> tuple[str, bytes]:
    """Curve and public octets of a UDF of type OID, the reverse of `oid_udf`.

    Raises EncodingError for another type, another key algorithm and any other DER than the one we write.
    """
    code, info = udf.parse(text)
    if code != udf.OID:
        raise EncodingError("a public key as UDF begins with O")
    for curve in algorithms.CURVES.values():
        for size in curve.public_sizes:
            public = info[-size:]
            if hmac.compare_digest(info, key_info(curve.name, public)):
                return curve.name, public
    raise EncodingError("UDF holds no public key of X25519, X448, Ed25519 or Ed448")


def key_udf(crv: str, public: bytes) -> str:
    """Identifier of a public key at 140 bits, the `Udf` and `kid` members."""
    return udf.present(key_udf_bytes(crv, public))


@lru_cache(maxsize=1024)
def key_udf_bytes(crv: str, public: bytes) -> bytes:
    """The 64-octet working form of the same fingerprint."""
    return digest.udf_bytes(key_info(crv, public), digest.PKIX_KEY)


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def _der_integer(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))
