"""Enhanced data sequences: annotations in a header, clear or encrypted (draft-hallambaker-mesh-dare §4.2).

An item is two binaries, a salt prefix and the data; encrypted, its keys come from the prefix followed by the
Salt of the envelope. The reference repeats a prefix from the 257th item on: we write minimal little-endian
counters, which never repeat.
"""

from mathmesh.codec import jsonbcd
from mathmesh.dare import protection
from mathmesh.dare.suites import A256CBC
from mathmesh.errors import EncodingError


def prefix(counter: int) -> bytes:
    """Salt prefix of item number `counter`: little endian, as many octets as it needs, one at least."""
    return counter.to_bytes(max(1, (counter.bit_length() + 7) // 8), "little")


def encode(
    salt_prefix: bytes, data: bytes, base_seed: bytes = b"", salt: bytes = b"", enc: str = A256CBC
) -> bytes:
    """The octets of one item, encrypted when a base seed is given. A prefix is used once in an envelope."""
    body = protection.encrypt(base_seed, salt_prefix + salt, data, enc) if base_seed else data
    return jsonbcd.dumps_b(salt_prefix) + jsonbcd.dumps_b(body)


def decode(
    octets: bytes, base_seed: bytes = b"", salt: bytes = b"", enc: str = A256CBC
) -> tuple[bytes, bytes]:
    """Salt prefix and data of one item, decrypted when a base seed is given.

    Nothing authenticates an annotation. Raises EncodingError unless it is two binaries, or three (with MAC).
    """
    items: list[bytes] = []
    position = 0
    while position < len(octets):
        value, position = jsonbcd.load_at(octets, position)
        if not isinstance(value, bytes):
            raise EncodingError("annotation holds an item that is not binary")
        items.append(value)
    if len(items) not in (2, 3):
        raise EncodingError("annotation is not a salt prefix and data")
    salt_prefix, body = items[:2]
    if base_seed:
        body = protection.decrypt(base_seed, salt_prefix + salt, body, enc)
    return salt_prefix, body
