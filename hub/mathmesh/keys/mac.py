"""The two constructions behind UDFs of type A (draft-hallambaker-mesh-udf §4.5, protocol book).

`mac` is keyed by the data of a key UDF and covers raw octets; `content_mac` is keyed by any text and
covers a content digest. They share the type octet and nothing else.
"""

import hashlib
import hmac

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import digest, hkdf

_MASTER = b"KeyedUDFMaster"
_EXPAND = b"KeyedUDFExpand"
_KEY_OCTETS = 64
_SHA2_KEYS = (udf.MAC, udf.ENCRYPTION, udf.ENCRYPTION_SIGNATURE)


def mac_bytes(key_udf: str, data: bytes) -> bytes:
    """Type octet and 64-octet MAC of `data` under a key UDF of type A or E.

    Raises EncodingError when the UDF is no key.
    """
    code, key = udf.parse(key_udf)
    if code in _SHA2_KEYS:
        return bytes([udf.MAC]) + hmac.digest(key, data, "sha512")
    if code == udf.MAC_SHA3:
        return bytes([udf.MAC_SHA3]) + hmac.digest(key, data, "sha3_512")
    raise EncodingError("a MAC needs a key UDF of type A or E")


def mac(key_udf: str, data: bytes) -> str:
    """MAC of `data` as a UDF at 140 bits; used as key in its turn it gives the 16 octets that it carries."""
    return udf.present(mac_bytes(key_udf, data))


def verify(key_udf: str, data: bytes, mac_udf: str, minimum_bits: int = 125) -> None:
    """Checks all bits of `mac_udf` in constant time.

    Raises VerificationError when they differ or are fewer than `minimum_bits`, the type octet included.
    """
    if not digest.matches(mac_udf, mac_bytes(key_udf, data), minimum_bits):
        raise VerificationError("message authentication code does not match; check the key it was made with")


def content_mac(
    key: str, data: bytes, content_type: str, *, bits: int = udf.DEFAULT_BITS, sha3: bool = False
) -> str:
    """Authenticator of `data` under a text key; a UDF used as key counts as its text.

    With `sha3` every hash is SHA3-512 and the type that of MAC_SHA3, as the draft's table of types has it.
    """
    hashed = (hashlib.sha3_512 if sha3 else hashlib.sha512)(data).digest()
    return hashed_content_mac(key, hashed, content_type, bits=bits, sha3=sha3)


def hashed_content_mac(
    key: str, hashed: bytes, content_type: str, *, bits: int = udf.DEFAULT_BITS, sha3: bool = False
) -> str:
    """Authenticator of data whose SHA-512 (or SHA3-512) is `hashed`, for what is too large to be held."""
    value = hmac.digest(
        content_mac_key(key, sha3=sha3), digest.hashed_input(hashed, content_type), _hash_name(sha3)
    )
    return udf.present(bytes([udf.MAC_SHA3 if sha3 else udf.MAC]) + value, bits)


def content_mac_value(key: str, data: bytes, content_type: str, *, sha3: bool = False) -> bytes:
    """The 64 octets behind `content_mac`."""
    message = digest.typed_input(data, content_type, sha3=sha3)
    return hmac.digest(content_mac_key(key, sha3=sha3), message, _hash_name(sha3))


def content_mac_key(key: str, *, sha3: bool = False) -> bytes:
    """The 64-octet MAC key behind `content_mac`."""
    return hkdf.expand(content_master_key(key, sha3=sha3), _EXPAND, _KEY_OCTETS, hash_name=_hash_name(sha3))


def content_master_key(key: str, *, sha3: bool = False) -> bytes:
    """The 64-octet pseudorandom key behind `content_mac_key`."""
    return hkdf.extract(key.encode(), salt=_MASTER, hash_name=_hash_name(sha3))


def _hash_name(sha3: bool) -> str:
    return "sha3_512" if sha3 else "sha512"
