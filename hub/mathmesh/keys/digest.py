"""Content digests, the UDF types 80 and 96 with their compression levels (draft-hallambaker-mesh-udf §4.3).

TCDV = H(content type || ":" || H(data)); a value with many trailing zero bits is relabelled, never shortened.
"""

import hashlib
import hmac

from mathmesh.codec import udf
from mathmesh.errors import EncodingError

PKIX_KEY = "PKIXKey"
UDF_ENCRYPTION = "UDFEncryption"
PRIVATE_KEY = "PrivateKey"
ENVELOPE_ID = "application/mmm/envelopeid"
RESPONSE_ID = "application/mmm/responseid"

_LEVEL_BITS = (20, 30, 40, 50)
_CHARACTER_BITS = 5


def content_digest(
    data: bytes, content_type: str, *, bits: int = udf.DEFAULT_BITS, sha3: bool = False
) -> str:
    """Digest UDF of `data`, presented at `bits` with the type octet counted in."""
    return udf.present(_binary(_hash(data, sha3), content_type, sha3), bits)


def hashed_digest(
    value: bytes, content_type: str, *, bits: int = udf.DEFAULT_BITS, sha3: bool = False
) -> str:
    """Digest UDF of data whose SHA-512 (or SHA3-512) is `value`, for what is too large to be held."""
    return udf.present(_binary(value, content_type, sha3), bits)


def udf_bytes(data: bytes, content_type: str, *, sha3: bool = False) -> bytes:
    """The 64-octet working form of a content digest: type octet and 63 octets of the value."""
    return _binary(_hash(data, sha3), content_type, sha3)[:64]


def typed_value(data: bytes, content_type: str, *, sha3: bool = False) -> bytes:
    """The 64 octets of TCDV."""
    return _hash(typed_input(data, content_type, sha3=sha3), sha3)


def typed_input(data: bytes, content_type: str, *, sha3: bool = False) -> bytes:
    """What is hashed for TCDV: content type, colon, digest of the data."""
    return hashed_input(_hash(data, sha3), content_type)


def hashed_input(value: bytes, content_type: str) -> bytes:
    """What is hashed for TCDV of data whose digest is `value`."""
    return content_type.encode() + b":" + value


def trailing_zero_bits(value: bytes) -> int:
    """Zero bits at the end of `value` taken as a whole."""
    number = int.from_bytes(value, "big")
    return (number & -number).bit_length() - 1 if number else 8 * len(value)


def compression_level(value: bytes) -> int:
    """0 to 4: how many of the thresholds 20, 30, 40 and 50 the trailing zero bits reach."""
    zeros = trailing_zero_bits(value)
    return sum(zeros >= bits for bits in _LEVEL_BITS)


def matches(text: str, expected: bytes, minimum_bits: int = 100) -> bool:
    """Whether the UDF `text` presents the value `expected` (type octet first), in constant time.

    Every bit that `text` carries counts. False when it carries fewer than `minimum_bits`, type included.
    """
    try:
        given = udf.canonical(text)
    except EncodingError:
        return False
    bits = _CHARACTER_BITS * len(given.replace("-", ""))
    return bits >= minimum_bits and hmac.compare_digest(given, udf.present(expected, bits))


def _binary(hashed: bytes, content_type: str, sha3: bool) -> bytes:
    value = _hash(hashed_input(hashed, content_type), sha3)
    base = udf.DIGEST_SHA3 if sha3 else udf.DIGEST
    return bytes([base + compression_level(value)]) + value


def _hash(data: bytes, sha3: bool) -> bytes:
    return (hashlib.sha3_512 if sha3 else hashlib.sha512)(data).digest()
