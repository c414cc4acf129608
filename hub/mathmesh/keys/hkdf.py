"""HKDF (RFC 5869) over the hash functions of the Mesh."""

import hashlib
import hmac


def extract(ikm: bytes, *, salt: bytes = b"", hash_name: str = "sha512") -> bytes:
    """Pseudorandom key of one hash length; no salt means that many zero octets."""
    return hmac.digest(salt or bytes(hashlib.new(hash_name).digest_size), ikm, hash_name)


def expand(prk: bytes, info: bytes, length: int, *, hash_name: str = "sha512") -> bytes:
    """`length` octets, at most 255 hash lengths."""
    size = hashlib.new(hash_name).digest_size
    if not 0 < length <= 255 * size:
        raise ValueError("HKDF cannot give that many octets")
    block = b""
    output = b""
    for counter in range(1, -(-length // size) + 1):
        block = hmac.digest(prk, block + info + bytes([counter]), hash_name)
        output += block
    return output[:length]


def hkdf(ikm: bytes, info: bytes, length: int, *, salt: bytes = b"", hash_name: str = "sha512") -> bytes:
    """Extract, then expand: `length` octets of key material."""
    return expand(extract(ikm, salt=salt, hash_name=hash_name), info, length, hash_name=hash_name)
