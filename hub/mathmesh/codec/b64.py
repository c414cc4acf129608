"""Base64url without padding, the JSON form of every binary member (draft-hallambaker-jsonbcd §2)."""

import binascii

from mathmesh.errors import EncodingError

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ALLOWED = frozenset(ALPHABET)
_WHITE_SPACE = " \t\r\n"


def encode(data: bytes) -> str:
    """Base64url text of `data`, in one line, without `=`."""
    text = binascii.b2a_base64(data).decode().strip().replace("=", "")
    return text.replace("+", "-").replace("/", "_")


def decode(text: str) -> bytes:
    """Octets of base64url `text`. White space anywhere is skipped: published examples hold raw line breaks.

    Raises EncodingError for padding, any other foreign character, an impossible length or set spare bits.
    """
    for character in _WHITE_SPACE:
        text = text.replace(character, "")
    if not _ALLOWED.issuperset(text):
        raise EncodingError("base64url text holds a character outside its alphabet")
    spare = len(text) % 4
    if spare == 1:
        raise EncodingError("base64url text has an impossible length")
    if spare and ALPHABET.index(text[-1]) & (15 if spare == 2 else 3):
        raise EncodingError("base64url text has bits set after its last octet")
    padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    return binascii.a2b_base64(padded)
