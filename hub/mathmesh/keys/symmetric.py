"""Symmetric keys as UDFs of type E, keys derived from them and their identifiers (mesh-udf §4.4)."""

import hashlib

from mathmesh.codec import udf
from mathmesh.errors import EncodingError, PolicyError
from mathmesh.keys import digest, hkdf
from mathmesh.types import Entropy

MINIMUM_OCTETS = 15
DEFAULT_OCTETS = 16
SUB_KEY_OCTETS = 32

_IDENTIFIER_OCTETS = 16
_KEY_TYPES = (udf.ENCRYPTION, udf.ENCRYPTION_SIGNATURE)


def secret(key_udf: str) -> bytes:
    """Octets of a key UDF of type E.

    Raises EncodingError for another type or for the identifier of a key, PolicyError below 120 bits.
    """
    code, data = udf.parse(key_udf)
    if code not in _KEY_TYPES:
        raise EncodingError("a symmetric key must be a UDF of type E")
    if is_key_id(key_udf):
        raise EncodingError(
            "this is the identifier of a symmetric key, or a key that looks like one; use another"
        )
    if len(data) < MINIMUM_OCTETS:
        raise PolicyError("symmetric key is shorter than 120 bits; ask for a longer one")
    return data


def new_key(entropy: Entropy, octets: int = DEFAULT_OCTETS) -> str:
    """Fresh key UDF of 15 octets or more; never one of the keys of 16 octets that look like an identifier."""
    if octets < MINIMUM_OCTETS:
        raise PolicyError("symmetric key would be shorter than 120 bits")
    while True:
        made = udf.text(udf.ENCRYPTION, entropy(octets))
        if not is_key_id(made):
            return made


def sub_key(e_udf: str, info: str) -> str:
    """Key UDF of 256 bits derived from another one for the purpose `info`."""
    return udf.text(udf.ENCRYPTION, hkdf.hkdf(secret(e_udf), info.encode(), SUB_KEY_OCTETS))


def key_id(key: bytes) -> str:
    """Identifier `EB…` of a secret: a key UDF whose data is the digest UDF of the key."""
    value = hashlib.sha512(digest.UDF_ENCRYPTION.encode() + b":" + key).digest()
    return udf.present(bytes([udf.ENCRYPTION, udf.DIGEST + digest.compression_level(value)]) + value)


def is_key_id(text: str) -> bool:
    """Whether `text` has the form that `key_id` gives; so has one in fifty of all keys of 16 octets."""
    code, data = udf.parse(text)
    level = data[0] - udf.DIGEST
    return (
        code == udf.ENCRYPTION and len(data) == _IDENTIFIER_OCTETS and 0 <= level <= udf.MAXIMUM_COMPRESSION
    )
